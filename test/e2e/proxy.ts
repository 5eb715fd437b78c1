/**
 * A line to a server that a test can cut: what one member has between itself and etcd.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Until } from './etcd-servers.js';

export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes go nowhere, and nobody is told. */
  #isSilent = false;

  /** `delayMillis`: how much later than the news of a watch any other answer comes. */
  static async to(test: Until, origin: string, delayMillis = 0): Promise<Proxy> {
    const proxy = new Proxy(Number(new URL(origin).port), delayMillis);
    test.after(() => proxy.#close());
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  private constructor(port: number, delayMillis: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      let isOfWatch = false;
      near.on('data', (bytes) => (isOfWatch ||= bytes.includes('/v3/watch')));
      const pass = (to: Socket, bytes: Buffer): void => {
        if (to === far || isOfWatch || delayMillis === 0) to.write(bytes);
        else setTimeout(() => to.write(bytes), delayMillis);
      };
      for (const [from, to] of [[near, far], [far, near]] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => this.#isSilent || pass(to, bytes));
        from.on('error', () => undefined);
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on nothing comes through; lines stay open. */
  swallow(): void {
    this.#isSilent = true;
  }

  /** Lines break, and new ones come to nothing until `restore`. */
  cut(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.cut();
    this.#isSilent = false;
  }

  #close(): void {
    this.cut();
    this.#server.close();
  }
}

/**
 * A process of its own that does what a test tells it, so that the test can kill
 * it: it keeps what it takes until it dies.
 */
import { KernelLock } from '../../src/core/host/kernel-lock.js';
import { attach, serveNode, type LockHandle, type LockOptions, type LockspaceClient, type NodeClient } from '../../src/core/index.js';

const silent = (): void => undefined;

class Player {
  readonly #kept: unknown[] = [];
  readonly #locks: LockHandle[] = [];
  #client: NodeClient | null = null;
  #space: LockspaceClient | null = null;

  async takeKernelLock(path: string, waitMillis: number): Promise<boolean> {
    const lock = await KernelLock.take(path, waitMillis);
    this.#kept.push(lock);
    return lock !== null;
  }

  async serve(dir: string, idleMillis: number | null = null): Promise<number> {
    const node = await serveNode({ dir, idleMillis, log: silent });
    this.#kept.push(node);
    void node.left.then((why) => process.send?.({ left: why }));
    return (await node.client.status()).incarnation;
  }

  async attach(dir: string): Promise<number> {
    this.#client = await attach({ dir, start: true });
    this.#space = await this.#client.lockspace();
    return this.#client.port.incarnation;
  }

  async lock(name: string, options: LockOptions = {}): Promise<{ id: string; token: string }> {
    const lock = await this.#space!.lock(name, options);
    this.#locks.push(lock);
    return { id: lock.id, token: lock.token };
  }

  protect(pid: number): Promise<void> {
    return this.#client!.port.protect(pid);
  }

  async unlockAll(): Promise<void> {
    for (const lock of this.#locks.splice(0)) await lock.unlock();
  }

  close(): Promise<void> {
    return this.#client!.close();
  }

  /** Why the first lock was lost. */
  whenLost(): Promise<string> {
    return new Promise((resolve) => this.#locks[0]!.on('lost', ({ code }) => resolve(code)));
  }
}

export type Part = { [Verb in keyof Player]: Player[Verb] };

const player = new Player();

process.on('message', ({ id, verb, words }: { id: number; verb: keyof Part; words: unknown[] }) => {
  const work = player[verb] as (...words: unknown[]) => Promise<unknown>;
  work.apply(player, words).then(
    (result) => process.send?.({ id, result }),
    (error: { code?: string; message: string }) => process.send?.({ id, error: { code: error.code, message: error.message } }),
  );
});
process.on('disconnect', () => process.exit());

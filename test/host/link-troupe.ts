/**
 * Nodes that are nothing but transports, with an unreliable wire between them.
 *
 * Asked by the tests of the transport and by the suite of links. Every transport is closed
 * when its test ends. A `Wire` stands between a node that dials and the one it dials: it
 * cuts connections after so many bytes, wherever that is, or makes them wait.
 */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { incarnation, nodeId, type NodeId } from '../../src/core/base/ids.js';
import type { LinkTrouble } from '../../src/core/host/link-trouble.js';
import { Transport, type LinkMember, type TransportOptions } from '../../src/core/host/transport.js';
import type { Message } from '../../src/core/wire/message.js';
import { numbered, numberIn } from '../wire/messages.js';

/** Longer than anything here takes, except on a machine that does nothing else. */
const patienceMillis = 20_000;

export class Player {
  readonly troubles: LinkTrouble[] = [];
  /** Who has told us that this life of ours has to end, once for each time. */
  readonly outBy: NodeId[] = [];
  /** The numbers that came, by sender. */
  readonly heard = new Map<NodeId, number[]>();
  transport!: Transport;
  onHeard: (from: NodeId, messages: Message[]) => void = () => undefined;

  constructor(
    readonly node: NodeId,
    readonly life: number,
  ) {}

  get member(): LinkMember {
    return { node: this.node, incarnation: incarnation(this.life), address: this.transport.addresses[0]! };
  }

  hear(from: NodeId, messages: Message[]): void {
    const list = this.heard.get(from) ?? [];
    list.push(...messages.map(numberIn));
    this.heard.set(from, list);
    this.onHeard(from, messages);
  }

  heardFrom(other: Player): readonly number[] {
    return this.heard.get(other.node) ?? [];
  }

  /** Send the numbers from `first` to below `end`. */
  send(to: Player, first: number, end: number): void {
    for (let number = first; number < end; number += 1) this.transport.send(to.node, numbered(number));
  }

  isConnectedTo(other: Player): boolean {
    return this.transport.status().some(({ node, isConnected }) => node === other.node && isConnected);
  }

  has(kind: LinkTrouble['kind']): boolean {
    return this.troubles.some((trouble) => trouble.kind === kind);
  }
}

type Wishes = Partial<TransportOptions> & { readonly life?: number };

export async function open(test: Pick<TestContext, 'after'>, node: number, wishes: Wishes = {}): Promise<Player> {
  const { life = 1_000 + node, ...options } = wishes;
  const player = new Player(nodeId(node), life);
  player.transport = await Transport.open({
    node: player.node,
    incarnation: incarnation(life),
    cluster: 'play',
    listen: ['tcp:127.0.0.1:0'],
    onMessages: (from, messages) => player.hear(from, messages),
    onOut: (by) => void player.outBy.push(by),
    onTrouble: (trouble) => void player.troubles.push(trouble),
    ...options,
  });
  test.after(() => player.transport.close());
  return player;
}

/** Both know both. The second dials, through the wire if there is one. */
export function introduce(one: Player, other: Player, wire?: Wire): void {
  assert.ok(other.node > one.node);
  one.transport.setMembers([one.member, other.member]);
  other.transport.setMembers([{ ...one.member, ...(wire === undefined ? {} : { address: wire.address }) }, other.member]);
}

/** Look again and again, until it is so. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = performance.now() + patienceMillis;
  while (!isSo()) {
    assert.ok(performance.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index);

/** What stands between the two. */
export class Wire {
  cuts = 0;
  /** Cut a connection after this many bytes in either direction, drawn anew for each. */
  bytesMax: () => number = () => Infinity;
  /** Nothing goes through, and nothing is said. */
  isClogged = false;
  readonly #server: Server;
  readonly #ends = new Set<Socket>();

  private constructor(target: string) {
    const [kind, host, port] = target.split(':');
    const there = kind === 'unix' ? { path: host! } : { host: host!, port: Number(port) };
    this.#server = createServer((near) => this.#join(near, connect(there)));
  }

  /** To that player, by TCP or by a Unix socket of that path. */
  static async to(test: Pick<TestContext, 'after'>, player: Player, path: string | null = null): Promise<Wire> {
    const wire = new Wire(player.transport.addresses[0]!);
    if (path === null) wire.#server.listen(0, '127.0.0.1');
    else wire.#server.listen(path);
    await new Promise((resolve) => wire.#server.once('listening', resolve));
    test.after(() => {
      wire.#server.close();
      wire.cut();
    });
    return wire;
  }

  get address(): string {
    const taken = this.#server.address() as AddressInfo | string;
    return typeof taken === 'string' ? `unix:${taken}` : `tcp:127.0.0.1:${taken.port}`;
  }

  /** Cut what there is. */
  cut(): void {
    if (this.#ends.size > 0) this.cuts += 1;
    for (const end of this.#ends) end.destroy();
    this.#ends.clear();
  }

  clog(isClogged: boolean): void {
    this.isClogged = isClogged;
    for (const end of this.#ends) if (isClogged) end.pause();
    else end.resume();
  }

  #join(near: Socket, far: Socket): void {
    let left = this.bytesMax();
    const part = (): void => {
      if (!this.#ends.has(near)) return;
      this.cuts += 1;
      for (const end of [near, far]) {
        this.#ends.delete(end);
        end.destroy();
      }
    };
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.#ends.add(from);
      from.setNoDelay(true);
      from.on('error', part).on('close', part);
      from.on('data', (chunk) => {
        to.write(chunk.subarray(0, Math.min(chunk.length, left)));
        left -= chunk.length;
        if (left <= 0) part();
      });
      if (this.isClogged) from.pause();
    }
  }
}

/**
 * Where other nodes come in: it listens, hears who they are, and hands those on who may.
 *
 * Who may is decided by the transport (`judge`). Whoever has not been welcomed costs
 * little: there are at most 32 such connections, each with one short frame, which has
 * to begin within five seconds and to be there in five more.
 *
 * Whether somebody has a key shows in his first byte: with one he begins a handshake. Where
 * only one side has any it is refused, so that both know why.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { DlmError } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import { encodeHello, type Greeting, type Refusal } from '../wire/hello.js';
import type { FrameReader } from './framing.js';
import { hearGreeting, whenBegun } from './link-greeting.js';
import { claimedIn, isKeyTrouble, startsHandshake, type LinkSecurity } from './link-security.js';
import { printNodeAddress, type NodeAddress } from './node-address.js';
import { reasonOf } from './system-error.js';
import { listenOnUnix, whenListening } from './unix-listen.js';

const unknownMax = 32;

export interface ListenerOptions {
  readonly addresses: readonly NodeAddress[];
  readonly security: LinkSecurity;
  /** Why not? Null: it may. */
  readonly judge: (hello: Greeting, proved: NodeId | null) => Refusal | null;
  readonly greetingTo: (hello: Greeting) => Greeting;
  /** The welcome is written; the connection is the transport's. */
  readonly onWelcomed: (hello: Greeting, socket: Socket, reader: FrameReader) => void;
  /** It has dropped messages for this life of ours. */
  readonly onFarewell: (from: NodeId) => void;
  /** Somebody without our key, or with another one, has tried; the node it claims to be, if it said that. */
  readonly onOtherKey: (claimed: NodeId | null) => void;
  /** Of somebody whom we do not know. */
  readonly onTrouble: (kind: 'refused' | 'malformed', message: string) => void;
}

/** What a caller is refused for that comes right by itself, and is no news. */
const passing: ReadonlySet<Refusal> = new Set<Refusal>(['unknownPeer', 'otherIncarnation', 'otherSession', 'lostMessages']);

export class LinkListener {
  readonly #options: ListenerOptions;
  readonly #servers: Server[] = [];
  readonly #unknown = new Set<Socket>();
  #addresses: NodeAddress[] = [];

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get addresses(): readonly NodeAddress[] {
    return this.#addresses;
  }

  /** Listen everywhere, or nowhere. Throws `DLM_USAGE` or `DLM_STATE_UNUSABLE`. */
  async listen(): Promise<void> {
    const { addresses, security } = this.#options;
    for (const address of addresses) security.check(address);
    try {
      for (const address of addresses) this.#addresses.push(await this.#listenAt(address));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#unknown) socket.destroy();
    await Promise.all(this.#servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }

  async #listenAt(address: NodeAddress): Promise<NodeAddress> {
    const server = createServer({ noDelay: true }, (socket) => this.#answer(socket, address));
    if (address.kind === 'unix') await listenOnUnix(server, address.path);
    else await listenOnTcp(server, address);
    this.#servers.push(server);
    const taken = server.address();
    return address.kind === 'tcp' && taken !== null && typeof taken !== 'string' ? { ...address, port: taken.port } : address;
  }

  #answer(raw: Socket, address: NodeAddress): void {
    raw.on('error', () => undefined);
    if (this.#unknown.size >= unknownMax) return void raw.destroy();
    this.#unknown.add(raw);
    raw.once('close', () => this.#unknown.delete(raw));

    whenBegun(raw, (first) => {
      const hasKey = startsHandshake(first);
      if (hasKey === this.#options.security.isEncrypted(address)) return this.#hear(raw, address);
      if (hasKey) return this.#refuseKey(raw, claimedIn(first));
      hearGreeting(raw, (heard) => this.#refuseKey(raw, heard.kind === 'hello' && heard.hello.type === 'hello' ? heard.hello.from : null));
    });
  }

  #hear(raw: Socket, address: NodeAddress): void {
    let claimed: NodeId | null = null;
    let proved: NodeId | null = null;
    const socket = this.#options.security.answer(raw, address, (node) => (claimed = node), (node) => (proved = node));
    if (socket !== raw) socket.on('error', () => undefined);
    hearGreeting(socket, (heard) => {
      this.#unknown.delete(raw);
      if (heard.kind === 'hello' && (heard.hello.type === 'hello' || heard.hello.type === 'farewell')) return this.#decide(heard.hello, proved, socket, heard.reader);
      if (heard.kind === 'gone') {
        if (isKeyTrouble(heard.error)) this.#options.onOtherKey(claimed);
        return void socket.destroy();
      }
      const error = heard.kind === 'strange' ? heard.error : null;
      this.#options.onTrouble('malformed', `somebody connected who does not speak as nodes do: ${error?.message ?? 'no hello'}`);
      if (error?.fault === 'otherVersion') return this.#refuse(socket, 'otherVersion');
      socket.destroy();
    });
  }

  /** One of the two has a key and the other has none. Whoever begins a handshake finds that the answer belongs to none. */
  #refuseKey(raw: Socket, claimed: NodeId | null): void {
    this.#unknown.delete(raw);
    this.#options.onOtherKey(claimed);
    this.#refuse(raw, 'otherKey');
  }

  #decide(hello: Greeting, proved: NodeId | null, socket: Socket, reader: FrameReader): void {
    const refusal = this.#options.judge(hello, proved);
    if (hello.type === 'farewell' && (refusal === null || refusal === 'otherSession')) {
      socket.destroy();
      return this.#options.onFarewell(hello.from);
    }
    if (refusal !== null) {
      if (!passing.has(refusal)) this.#options.onTrouble('refused', `somebody who calls itself node ${hello.from} of cluster '${printable(hello.cluster)}' was refused: ${refusal}`);
      return this.#refuse(socket, refusal);
    }
    socket.write(encodeHello(this.#options.greetingTo(hello)));
    this.#options.onWelcomed(hello, socket, reader);
  }

  #refuse(socket: Socket, reason: Refusal): void {
    socket.resume();
    socket.end(encodeHello({ type: 'refusal', reason }));
    setTimeout(() => socket.destroy(), 1_000).unref();
  }
}

async function listenOnTcp(server: Server, address: Extract<NodeAddress, { kind: 'tcp' }>): Promise<void> {
  const listening = whenListening(server);
  server.listen({ host: address.host, port: address.port });
  try {
    await listening;
  } catch (error) {
    throw new DlmError('DLM_STATE_UNUSABLE', `cannot listen on ${printNodeAddress(address)}: ${reasonOf(error)}`, 'name an address of this machine and a free port with --listen');
  }
}

/** Not ours, so that nothing in it may reach a terminal but plain text. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

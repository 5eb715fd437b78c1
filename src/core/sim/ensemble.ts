/**
 * Several nodes and what is under way between them, moved by hand: whoever drives it
 * says which message arrives next, and when a node hears of which view.
 *
 * The referee, the stories and the random tests are such drivers. What two lives say
 * to each other goes through the codec and a session, a message a frame, over a stream
 * that keeps the order; it can be severed, and then loses what is on it. As over any
 * link, nothing is handed to a node before its view has the sender in it, and nothing
 * of a life that its view has left out.
 */
import { generation, incarnation, millis, nodeId, viewId, type Generation, type Incarnation, type NodeId } from '../base/ids.js';
import { assert } from '../base/assert.js';
import { noFencing } from '../cluster/fencing.js';
import type { Effect } from '../node/effect.js';
import type { Input } from '../node/input.js';
import { DlmNode } from '../node/node.js';
import type { Member, View } from '../node/snapshot.js';
import { ByteReader } from '../wire/byte-reader.js';
import { decodeMessage } from '../wire/codec.js';
import { headBytes } from '../wire/frame.js';
import type { Message } from '../wire/message.js';
import { PeerSession } from '../wire/session.js';

/** One frame with one message, on its way. */
export class Letter {
  #message: Message | null = null;

  constructor(
    readonly wire: Wire,
    /** Rises with every message that anybody sends. */
    readonly serial: number,
    readonly bytes: Uint8Array,
  ) {}

  get from(): NodeId {
    return this.wire.from.id;
  }

  get to(): NodeId {
    return this.wire.to;
  }

  get message(): Message {
    return (this.#message ??= decodeMessage(new ByteReader(this.bytes, headBytes)));
  }
}

/** From one life of a node to one life of another. */
export interface Wire {
  readonly from: Player;
  readonly to: NodeId;
  readonly life: Incarnation;
  readonly letters: Letter[];
}

/** One life of a node. */
export interface Player {
  readonly id: NodeId;
  readonly node: DlmNode;
  readonly incarnation: Incarnation;
  readonly weight: number;
  /** The views it has not been told of. */
  readonly views: View[];
  lockspaces: ReadonlyMap<string, number>;
  /** The latest life of each node that a view has left out. */
  readonly departed: Map<NodeId, Incarnation>;
  readonly sessions: Map<Incarnation, PeerSession>;
}

/** What a driver wants to know. */
export interface Spectator {
  effect(node: NodeId, effect: Effect): void;
  /** A message is handed to the node now; `again`: not really, for it has arrived before. */
  arrives?(letter: Letter, again: boolean): void;
  /** A message was not handed to the node, since its view has left the sender out. */
  stray?(letter: Letter): void;
}

export class Ensemble {
  readonly players = new Map<number, Player>();
  now = 0;
  viewCount = 0;
  #lives = 0;
  #serial = 0;
  #wires = new Map<string, Wire>();
  /** What was persisted: it outlives the life of a node. */
  readonly #generations = new Map<number, Generation>();

  constructor(readonly spectator: Spectator) {}

  /** A new life of a node, in no view yet. */
  start(id: number, weight = 0, fencing = noFencing): Player {
    this.#lives += 1;
    const life = incarnation(this.#lives);
    const node = new DlmNode({ self: nodeId(id), incarnation: life, hasEngine: true, generation: this.#generations.get(id) ?? 0, fencing });
    const player: Player = { id: nodeId(id), node, incarnation: life, weight, views: [], lockspaces: new Map(), departed: new Map(), sessions: new Map() };
    this.players.set(id, player);
    return player;
  }

  /** Its process is gone. What it has sent is still under way. */
  crash(id: number): void {
    this.players.delete(id);
    for (const [key, { to }] of this.#wires) if (to === id) this.#wires.delete(key);
  }

  step(id: number, input: Input): Effect[] {
    const player = this.player(id);
    const effects = player.node.step(millis(this.now), input);
    for (const effect of effects) {
      if (effect.kind === 'send') this.#post(player, effect.to, effect.message);
      else if (effect.kind === 'announce') player.lockspaces = effect.lockspaces;
      else if (effect.kind === 'persist') this.#generations.set(id, generation(Math.max(this.#generations.get(id) ?? 0, effect.generation)));
      this.spectator.effect(player.id, effect);
    }
    return effects;
  }

  player(id: number): Player {
    const player = this.players.get(id);
    if (player === undefined) throw new SyntaxError(`there is no node ${id}`);
    return player;
  }

  /** The next view, of all that live or of these only; nobody has been told of it yet. */
  decide(isQuorate = true, { leftCleanly = [], only }: { readonly leftCleanly?: readonly NodeId[]; readonly only?: readonly number[] } = {}): View {
    this.viewCount += 1;
    const players = [...this.players.values()].filter(({ id }) => only?.includes(id) !== false);
    const members: Member[] = players
      .sort((one, other) => one.id - other.id)
      .map(({ id, incarnation: life, lockspaces, weight }) => ({ node: id, incarnation: life, name: `n${id}`, address: '', weight, lockspaces }));
    const view: View = { id: viewId(this.viewCount), isQuorate, members, leftCleanly };
    for (const player of players) player.views.push(view);
    return view;
  }

  /** A node is told of the next view that it has not heard of. False: there is none. */
  tell(id: number): boolean {
    const player = this.player(id);
    const view = player.views.shift();
    if (view === undefined) return false;
    const lives = new Map(view.members.map(({ node, incarnation: life }) => [node, life]));
    for (const { node, incarnation: life } of player.node.view?.members ?? []) if (lives.get(node) !== life) player.departed.set(node, life);
    this.step(id, { kind: 'view', view });
    return true;
  }

  /** The messages that could arrive next, the oldest first: one of each wire. */
  heads(): Letter[] {
    const heads: Letter[] = [];
    for (const [key, wire] of this.#wires) {
      const head = wire.letters[0];
      if (head === undefined) this.#wires.delete(key);
      else if (this.#isHeard(wire) || this.#isStray(wire)) heads.push(head);
    }
    return heads.sort((one, other) => one.serial - other.serial);
  }

  /** The first message of its wire arrives. */
  deliver(letter: Letter): void {
    const { wire, from } = letter;
    assert(wire.letters.shift() === letter, 'messages of one node to another keep their order');
    if (this.#isStray(wire)) {
      this.spectator.stray?.(letter);
      return;
    }
    const received = this.#session(this.player(wire.to), wire.from.incarnation).receive(millis(this.now), letter.bytes);
    assert(received.kind === 'messages', 'what was written can be read');
    this.spectator.arrives?.(letter, received.messages.length === 0);
    for (const message of received.messages) if (this.players.has(wire.to)) this.step(wire.to, { kind: 'received', from, message });
  }

  /** The connection between two nodes breaks, and there is another one. Returns how many frames were on it. */
  sever(one: number, other: number): { lost: number; again: number } {
    const sides = [this.player(one), this.player(other)] as const;
    const wires = [...this.#wires.values()].filter(({ from, to }) => sides.some(({ id }, side) => from.id === id && to === sides[1 - side]!.id));
    const lost = wires.reduce((sum, { letters }) => sum + letters.splice(0).length, 0);
    let again = 0;
    for (const [side, player] of sides.entries()) {
      const peer = sides[1 - side]!;
      const session = player.sessions.get(peer.incarnation);
      session?.reconnected(millis(this.now));
      if (session !== undefined) again += this.#flush(player, peer.id, peer.incarnation, session);
    }
    return { lost, again };
  }

  #isHeard({ from, to, life }: Wire): boolean {
    const receiver = this.players.get(to);
    if (receiver?.incarnation !== life) return false;
    return receiver.node.view?.members.find(({ node }) => node === from.id)?.incarnation === from.incarnation;
  }

  #isStray({ from, to, life }: Wire): boolean {
    const receiver = this.players.get(to);
    return receiver?.incarnation === life && from.incarnation <= (receiver.departed.get(from.id) ?? 0);
  }

  /** To whichever life of it the sender's view knows. */
  #post(player: Player, to: NodeId, message: Message): void {
    const life = player.node.view?.members.find(({ node }) => node === to)?.incarnation;
    if (life === undefined || this.players.get(to)?.incarnation !== life) return;
    const session = this.#session(player, life);
    session.send(message);
    this.#flush(player, to, life, session);
  }

  #flush(player: Player, to: NodeId, life: Incarnation, session: PeerSession): number {
    const frames = session.flush(millis(this.now)).filter((frame) => frame.length > headBytes);
    const key = `${player.incarnation}>${life}`;
    let wire = this.#wires.get(key);
    if (wire === undefined) this.#wires.set(key, (wire = { from: player, to, life, letters: [] }));
    for (const bytes of frames) {
      this.#serial += 1;
      wire.letters.push(new Letter(wire, this.#serial, bytes));
    }
    return frames.length;
  }

  #session(player: Player, peer: Incarnation): PeerSession {
    let session = player.sessions.get(peer);
    if (session === undefined) player.sessions.set(peer, (session = new PeerSession({ self: player.incarnation, peer, isLossy: false })));
    return session;
  }
}

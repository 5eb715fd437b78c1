/**
 * From a node to its peers, in bytes: what is sent arrives in order, once each, or the
 * view changes; and nothing comes in from a life that the present view does not know.
 *
 * The conversation of two lives is the same code as over a socket (wire/session.ts).
 * What a life says before our view has it in it is kept until then. When the view
 * leaves a life out, all that was under way between us is forgotten.
 */
import { assert } from '../base/assert.js';
import type { Incarnation, Millis, NodeId } from '../base/ids.js';
import { readHead } from '../wire/frame.js';
import type { Message } from '../wire/message.js';
import { PeerSession } from '../wire/session.js';

export interface Frame {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly bytes: Uint8Array;
}

/** What a link needs of the world. */
export interface LinkPort {
  now(): Millis;
  transmit(frame: Frame): void;
  deliver(from: NodeId, life: Incarnation, message: Message): void;
  /** Later, if this life still goes on then. */
  after(delay: number, action: () => void): void;
}

export interface LinkCounts {
  messages: number;
  bytes: number;
  resent: number;
  repeated: number;
  held: number;
  stale: number;
}

export const noCounts = (): LinkCounts => ({ messages: 0, bytes: 0, resent: 0, repeated: 0, held: 0, stale: 0 });

/** The conversation with one life of a peer. */
class Talk {
  readonly session: PeerSession;
  /** What has come and was not handed on yet. */
  readonly inbox: Message[] = [];
  isClosed = false;
  armedFor: Millis | null = null;

  constructor(
    readonly peer: NodeId,
    readonly life: Incarnation,
    self: Incarnation,
  ) {
    this.session = new PeerSession({ self, peer: life, isLossy: true });
  }
}

/** Above every incarnation a world comes to. */
const livesMax = 1_000_000;

export class Link {
  /** The members of the present view, ourselves left out. */
  #members: ReadonlyMap<NodeId, Incarnation> = new Map();
  /** The latest life of each node that a view has left out. */
  readonly #departed = new Map<NodeId, Incarnation>();
  readonly #talks = new Map<number, Talk>();
  /** What has something to say. */
  readonly #eager = new Set<Talk>();
  #isReading = false;

  constructor(
    readonly self: NodeId,
    readonly life: Incarnation,
    readonly port: LinkPort,
    readonly counts: LinkCounts,
  ) {}

  /** The view has changed: forget who is gone. What the new members have said is handed on by `release`. */
  enter(members: ReadonlyMap<NodeId, Incarnation>): void {
    for (const [node, life] of this.#members) {
      if (members.get(node) !== life) this.#departed.set(node, life);
    }
    this.#members = members;
    for (const talk of [...this.#talks.values()]) {
      if (talk.life <= (this.#departed.get(talk.peer) ?? 0)) this.#close(talk);
    }
  }

  /** Hand on what has waited for this view. */
  release(): void {
    for (const talk of [...this.#talks.values()]) this.#handOn(talk);
  }

  /** Said with the next `flush`. False: the view has no such member. */
  send(to: NodeId, message: Message): boolean {
    const life = this.#members.get(to);
    if (life === undefined) return false;
    const talk = this.#talkWith(to, life);
    talk.session.send(message);
    this.counts.messages += 1;
    this.#eager.add(talk);
    return true;
  }

  /** A turn is over: what was sent in it goes out. While a frame is read, its answers wait for one another. */
  flush(): void {
    if (this.#isReading) return;
    for (const talk of this.#eager) this.#speak(talk);
    this.#eager.clear();
  }

  receive({ from, bytes }: Frame): void {
    const head = readHead(bytes);
    if (head.to !== this.life || head.from <= (this.#departed.get(from) ?? 0)) {
      this.counts.stale += 1;
      return;
    }
    const talk = this.#talkWith(from, head.from);
    const before = talk.session.counts().repeated;
    const received = talk.session.receive(this.port.now(), bytes);
    assert(received.kind === 'messages', 'what was written can be read');
    this.counts.repeated += talk.session.counts().repeated - before;
    talk.inbox.push(...received.messages);
    this.#handOn(talk);
    this.#speak(talk);
  }

  /** Is nothing under way to a member? */
  get isIdle(): boolean {
    return [...this.#talks.values()].every(
      ({ peer, life, session, inbox }) => this.#members.get(peer) !== life || (inbox.length === 0 && session.waitingSince === null && !session.hasMore),
    );
  }

  #handOn(talk: Talk): void {
    if (talk.inbox.length === 0) return;
    if (this.#members.get(talk.peer) !== talk.life) {
      this.counts.held += 1;
      return;
    }
    this.#isReading = true;
    for (let message = talk.inbox.shift(); message !== undefined && !talk.isClosed; message = talk.inbox.shift()) {
      this.port.deliver(talk.peer, talk.life, message);
    }
    this.#isReading = false;
    this.flush();
  }

  #speak(talk: Talk): void {
    if (talk.isClosed) return;
    const { session, peer } = talk;
    const before = session.counts().resent;
    for (const bytes of session.flush(this.port.now())) {
      this.counts.bytes += bytes.length;
      this.port.transmit({ from: this.self, to: peer, bytes });
    }
    this.counts.resent += session.counts().resent - before;
    this.#arm(talk);
  }

  #arm(talk: Talk): void {
    const deadline = talk.session.nextDeadline();
    if (deadline === null || (talk.armedFor !== null && talk.armedFor <= deadline)) return;
    talk.armedFor = deadline;
    this.port.after(deadline - this.port.now(), () => {
      if (talk.armedFor !== deadline) return;
      talk.armedFor = null;
      this.#speak(talk);
    });
  }

  #talkWith(peer: NodeId, life: Incarnation): Talk {
    const key = peer * livesMax + life;
    const known = this.#talks.get(key);
    if (known !== undefined) return known;
    const talk = new Talk(peer, life, this.life);
    this.#talks.set(key, talk);
    return talk;
  }

  #close(talk: Talk): void {
    talk.isClosed = true;
    this.#talks.delete(talk.peer * livesMax + talk.life);
  }
}

/**
 * From a node to its peers: what is sent arrives in order, once each, or the view
 * changes; and nothing comes in from a life that the present view does not know.
 *
 * Both sides of a pair of lives number what they say. What is not acknowledged is
 * sent again; what comes too early is kept, what comes again is dropped. What a
 * life says before our view has it in it is kept until then. When the view leaves a
 * life out, all that was under way between us is forgotten.
 */
import type { Incarnation, NodeId } from '../base/ids.js';
import type { Message } from '../wire/message.js';

export interface Frame {
  readonly from: NodeId;
  readonly fromLife: Incarnation;
  readonly to: NodeId;
  readonly toLife: Incarnation;
  /** The number of the message; 0: there is none, only the acknowledgement. */
  readonly number: number;
  readonly acknowledged: number;
  readonly message: Message | null;
}

/** What a link needs of the world. */
export interface LinkPort {
  transmit(frame: Frame): void;
  deliver(from: NodeId, message: Message): void;
  /** Later, if this life still goes on then. */
  after(delay: number, action: () => void): void;
}

export interface LinkCounts {
  resent: number;
  dropped: number;
  early: number;
  held: number;
  stale: number;
}

const resendMillis = 120;
const resendMillisMax = 2000;
const acknowledgeMillis = 12;
/** How many messages are sent again at once. */
const resendCountMax = 32;

class Session {
  readonly unacknowledged = new Map<number, Message>();
  readonly early = new Map<number, Message>();
  lastSent = 0;
  /** All up to this one have come, and all up to the other have been handed on. */
  received = 0;
  delivered = 0;
  owesAcknowledgement = false;
  isResending = false;
  patience = resendMillis;
  isClosed = false;

  constructor(
    readonly peer: NodeId,
    readonly life: Incarnation,
  ) {}
}

export class Link {
  /** The members of the present view, ourselves left out. */
  #members: ReadonlyMap<NodeId, Incarnation> = new Map();
  /** The latest life of each node that a view has left out. */
  readonly #departed = new Map<NodeId, Incarnation>();
  readonly #sessions = new Map<NodeId, Session>();

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
    for (const session of [...this.#sessions.values()]) {
      if (session.life <= (this.#departed.get(session.peer) ?? 0)) this.#close(session);
    }
  }

  /** Hand on what has waited for this view. */
  release(): void {
    for (const session of [...this.#sessions.values()]) this.#handOn(session);
  }

  /** False: the view has no such member. */
  send(to: NodeId, message: Message): boolean {
    const life = this.#members.get(to);
    if (life === undefined) return false;
    const session = this.#sessionWith(to, life);
    session.lastSent += 1;
    session.unacknowledged.set(session.lastSent, message);
    this.#transmit(session, session.lastSent, message);
    this.#watch(session);
    return true;
  }

  receive(frame: Frame): void {
    const { from, fromLife } = frame;
    if (frame.toLife !== this.life || fromLife <= (this.#departed.get(from) ?? 0)) {
      this.counts.stale += 1;
      return;
    }
    const session = this.#sessionWith(from, fromLife);
    if (session.life !== fromLife) {
      this.counts.stale += 1;
      return;
    }
    this.#acknowledged(session, frame.acknowledged);
    if (frame.message === null) return;
    this.#oweAcknowledgement(session);
    if (frame.number <= session.received || session.early.has(frame.number)) {
      this.counts.dropped += 1;
      return;
    }
    session.early.set(frame.number, frame.message);
    if (frame.number !== session.received + 1) this.counts.early += 1;
    while (session.early.has(session.received + 1)) session.received += 1;
    this.#handOn(session);
  }

  /** Is nothing under way to a member? */
  get isIdle(): boolean {
    return [...this.#sessions.values()].every(
      ({ peer, unacknowledged, received, delivered }) => !this.#members.has(peer) || (unacknowledged.size === 0 && received === delivered),
    );
  }

  #handOn(session: Session): void {
    while (session.delivered < session.received && !session.isClosed) {
      if (this.#members.get(session.peer) !== session.life) {
        this.counts.held += 1;
        return;
      }
      session.delivered += 1;
      const message = session.early.get(session.delivered)!;
      session.early.delete(session.delivered);
      this.port.deliver(session.peer, message);
    }
  }

  /** A later life of a peer replaces an earlier one; an earlier one finds the later. */
  #sessionWith(peer: NodeId, life: Incarnation): Session {
    const known = this.#sessions.get(peer);
    if (known !== undefined && known.life >= life) return known;
    if (known !== undefined) this.#close(known);
    const session = new Session(peer, life);
    this.#sessions.set(peer, session);
    return session;
  }

  #close(session: Session): void {
    session.isClosed = true;
    session.unacknowledged.clear();
    if (this.#sessions.get(session.peer) === session) this.#sessions.delete(session.peer);
  }

  #acknowledged(session: Session, upTo: number): void {
    for (const number of session.unacknowledged.keys()) {
      if (number > upTo) break;
      session.unacknowledged.delete(number);
      session.patience = resendMillis;
    }
  }

  #transmit(session: Session, number: number, message: Message | null): void {
    session.owesAcknowledgement = false;
    const { peer, life, received } = session;
    this.port.transmit({ from: this.self, fromLife: this.life, to: peer, toLife: life, number, acknowledged: received, message });
  }

  #oweAcknowledgement(session: Session): void {
    if (session.owesAcknowledgement) return;
    session.owesAcknowledgement = true;
    this.port.after(acknowledgeMillis, () => {
      if (session.owesAcknowledgement && !session.isClosed) this.#transmit(session, 0, null);
    });
  }

  #watch(session: Session): void {
    if (session.isResending) return;
    session.isResending = true;
    const oldest = firstOf(session.unacknowledged);
    this.port.after(session.patience, () => {
      session.isResending = false;
      if (session.isClosed || session.unacknowledged.size === 0) return;
      if (firstOf(session.unacknowledged) === oldest) this.#resend(session);
      this.#watch(session);
    });
  }

  #resend(session: Session): void {
    session.patience = Math.min(session.patience * 2, resendMillisMax);
    let count = 0;
    for (const [number, message] of session.unacknowledged) {
      if (count === resendCountMax) break;
      count += 1;
      this.counts.resent += 1;
      this.#transmit(session, number, message);
    }
  }
}

function firstOf(messages: ReadonlyMap<number, Message>): number | null {
  for (const number of messages.keys()) return number;
  return null;
}

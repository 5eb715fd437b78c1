/**
 * Whose data has to be put in order, and by whom?
 *
 * A slot whose member failed with an application attached is pending until somebody has
 * recovered it, unless that application had never resumed, or could not have been granted a
 * lock where nobody is told to: then it has touched nothing. So one that ends whenever it
 * tries to put some slot in order does not add another each time.
 * All members agree on what is pending at the start of each recovery of the lockspace:
 * whoever knows of one reports it, and whoever knows one to be done does.
 * The coordinator gives each to somebody who has an application, who keeps it as long as
 * it is there and does not fail. In between, results are told to all by him who has them.
 *
 * Nothing is run here; whether the time has come is decided by node/stack.ts.
 *
 * Kin: gfs_controld journal recovery; gfs2 recovery_done; first mounter.
 */
import type { Millis, NodeId, Slot, ViewId } from '../base/ids.js';
import type { MemberReport, MemberSlot, PendingSlot } from '../wire/message.js';
import { Pauses } from './pauses.js';

const isSame = (one: Failure, other: Failure): boolean => one.slot === other.slot && one.since === other.since;

/** What names a failure. */
export interface Failure {
  readonly slot: Slot | null;
  readonly since: ViewId;
}

/** What a member knows. */
export class RecoveryWork {
  readonly pauses = new Pauses();
  #pending: readonly PendingSlot[] = [];
  /** What is done, as long as others may not have heard of it, or tell it as pending. */
  #recovered: readonly PendingSlot[] = [];
  /** What somebody could not do, the same. */
  #passed: readonly PendingSlot[] = [];
  #slots: readonly MemberSlot[] = [];
  #isInitialized = false;
  /** In the latest view: what is not pending then is done. */
  #hasAgreed = false;
  /** Has it never agreed with the others? */
  #isNew = true;
  /** What this node is doing. */
  #running: PendingSlot | null = null;

  get pending(): readonly PendingSlot[] {
    return this.#pending;
  }

  get running(): PendingSlot | null {
    return this.#running;
  }

  get report(): Pick<MemberReport, 'isInitialized' | 'pending' | 'recovered'> {
    return { isInitialized: this.#isInitialized, pending: this.#pending, recovered: this.#recovered };
  }

  /** The members are others, as a view says. Those who have failed and had an application that may have run leave their slots behind. */
  follow(departed: ReadonlySet<NodeId>, failed: ReadonlySet<NodeId>, since: ViewId): void {
    this.#hasAgreed = false;
    for (const member of this.#slots) {
      if (!failed.has(member.node) || !member.hasApplication || !member.hasResumed) continue;
      const left: PendingSlot = { slot: member.slot, victim: member.node, since, by: null, tries: 0 };
      if (!this.#pending.some((one) => isSame(one, left))) this.#pending = [...this.#pending, left];
    }
    // Whoever has gone holds no slot any more, also if the next agreement is not reached; nor is anything passed on to him before it.
    this.#slots = this.#slots.filter(({ node }) => !departed.has(node));
  }

  /** All members have agreed. Results may have overtaken the agreement. */
  agree(slots: readonly MemberSlot[], pending: readonly PendingSlot[]): void {
    this.#slots = slots;
    this.#hasAgreed = true;
    this.#isNew = false;
    this.#pending = pending
      .filter((one) => !this.#recovered.some((other) => isSame(one, other)))
      .map((one) => this.#passed.find((other) => isSame(one, other) && other.tries > one.tries) ?? one);
    this.pauses.keepOnly(this.#pending);
    if (slots.some(({ hasApplication }) => hasApplication)) this.#isInitialized = true;
  }

  /** This node has done its part for applications to resume: from now on they may have, and it need not be the first to hear of it. */
  mayHaveResumed(): void {
    this.#slots = this.#slots.map((member) => ({ ...member, hasResumed: member.hasApplication }));
  }

  /** Everybody has heard what was agreed: nobody can tell again what has changed since. */
  allKnow(): void {
    this.#recovered = [];
    this.#passed = [];
  }

  /**
   * What this node is to do next, if it does nothing. Whoever has not agreed does not know to whom it could pass it on. While
   * somebody has all slots to look at, nobody else may be at one of them.
   */
  next(self: NodeId): PendingSlot | null {
    if (this.#running !== null || !this.#hasAgreed) return null;
    const mayBegin = (one: PendingSlot): boolean => one.by === self && this.pauses.millisBefore(one) === 0;
    const next = this.#pending.find(({ slot }) => slot === null) ?? this.#pending.find(mayBegin);
    return next !== undefined && mayBegin(next) ? next : null;
  }

  begin(work: PendingSlot): void {
    this.#running = work;
  }

  /** This node has ended what it was doing. Null: it was doing something else. */
  end(failure: Failure): PendingSlot | null {
    const running = this.#running;
    if (running === null || !isSame(running, failure)) return null;
    this.#running = null;
    return running;
  }

  /** Somebody has done it, or it is another one's turn. False: that was known. */
  note(work: PendingSlot, isDone: boolean): boolean {
    const known = this.#pending.find((one) => isSame(one, work));
    if (isDone) {
      if (this.#recovered.some((one) => isSame(one, work))) return false;
      this.#recovered = [...this.#recovered, work];
      this.#pending = this.#pending.filter((one) => one !== known);
      return true;
    }
    // Whoever has just come may be the only one left who has heard of it. To all others it is done, and what is told comes late.
    const isKnown = known === undefined ? !this.#isNew || this.#recovered.some((one) => isSame(one, work)) : known.tries >= work.tries;
    if (isKnown) return false;
    this.#passed = [...this.#passed.filter((one) => !isSame(one, work)), work];
    this.#pending = known === undefined ? [...this.#pending, work] : this.#pending.map((one) => (one === known ? work : one));
    return true;
  }

  /** This node could not do it: the next one with an application is asked, and should that be this one again, after a pause. */
  fail(now: Millis, work: PendingSlot, self: NodeId): PendingSlot {
    this.pauses.failed(now, work);
    return this.passedOn(work, self);
  }

  /** `from` could not do it: the next one with an application is asked, and after the last the first again. */
  passedOn(work: PendingSlot, from: NodeId): PendingSlot {
    const able = recoverersOf(this.#slots);
    return { ...work, by: able.find((node) => node > from) ?? able[0] ?? null, tries: work.tries + 1 };
  }
}

const recoverersOf = (slots: readonly MemberSlot[]): NodeId[] => slots.filter(({ hasApplication }) => hasApplication).map(({ node }) => node);

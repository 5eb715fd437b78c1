/**
 * A lock (lkb): somebody's claim on one resource.
 *
 * It stands in exactly one of the resource's queues, or in none: before its
 * first answer and after its end. It is plain state; every rule about it lives in
 * the files beside this one. There may be a million of these, hence the terse
 * fields: what few of them need is made when it is first used.
 *
 * Kin: fs/dlm/dlm_internal.h struct dlm_lkb.
 */
import type { Generation, Lkid, Millis, OwnerId } from '../base/ids.js';
import type { Copy, FarEnd } from './far-end.js';
import { IV, type Mode, type ModeOrNone } from './mode.js';
import type { Resource } from './resource.js';

/** The queue a lock stands in. `asked`: its master, on another node, has not put it into one yet. */
export type Place = 'nowhere' | 'granted' | 'converting' | 'waiting' | 'asked';

/** What a holder has been told about those it blocks. */
export interface BlockingMemory {
  /** The mode it was told last; nothing weaker is worth another callback (highbast). */
  told: ModeOrNone;
  /** The turn of its latest blocking callback, if no completion came after it. */
  turn: number;
  /** The mode of that callback. */
  mode: ModeOrNone;
}

/** What few locks need. */
class Extras {
  blocking: BlockingMemory | null = null;
  far: FarEnd | null = null;
  value: Uint8Array | null = null;
}

export class Lock {
  place: Place = 'nowhere';
  granted: ModeOrNone = IV;
  requested: ModeOrNone = IV;
  /** The flags of the last lock or convert call, and those of unlocks since (exflags). */
  flags = 0;
  /** What the next completion reports beside its status (sbflags). */
  results = 0;
  /** The last part of the lock's token; see `Resource.takeToken`. */
  tokenSequence = 0;
  /** When it took its place in the queue it stands in. */
  since: Millis;

  /** Neighbours in the queue. */
  next: Lock | null = null;
  previous: Lock | null = null;
  /** Neighbours among the locks of its owner. */
  ownerNext: Lock | null = null;
  ownerPrevious: Lock | null = null;
  #extras: Extras | null = null;

  constructor(
    readonly id: Lkid,
    readonly resource: Resource,
    /** Null once the owner has ended: an orphan. */
    public owner: OwnerId | null,
    /** What the caller gave to be handed back with every callback. */
    public cookie: unknown,
    now: Millis,
  ) {
    this.since = now;
  }

  /** Has it been granted before, so that what it asks for is a conversion? */
  get isConversion(): boolean {
    return this.granted !== IV;
  }

  /** The caller's copy of the value block; its bytes are never changed in place. */
  get value(): Uint8Array | null {
    return this.#extras === null ? null : this.#extras.value;
  }

  set value(value: Uint8Array | null) {
    if (this.#extras !== null) this.#extras.value = value;
    else if (value !== null) (this.#extras = new Extras()).value = value;
  }

  /** What the holder was told; null until it first blocks somebody. */
  get blocking(): BlockingMemory | null {
    return this.#extras === null ? null : this.#extras.blocking;
  }

  /** The same, for writing. */
  remember(): BlockingMemory {
    this.#extras ??= new Extras();
    return (this.#extras.blocking ??= { told: IV, turn: -1, mode: IV });
  }

  /** Its other end; null for one that is mastered where it is held, and always was. */
  get far(): FarEnd | null {
    return this.#extras === null ? null : this.#extras.far;
  }

  set far(far: FarEnd | null) {
    (this.#extras ??= new Extras()).far = far;
  }

  get copy(): Copy {
    return this.far?.copy ?? 'local';
  }

  /** The first part of its token. */
  get generation(): Generation {
    return this.far?.mastership ? this.far.generation : this.resource.home.generation;
  }

  /** The second part of its token. */
  get mastership(): number {
    return this.far?.mastership ? this.far.mastership : this.resource.mastership;
  }

  /**
   * Does its master know what it holds as well as this copy does? What is under way to another node may have changed that,
   * and what was under way to a master that is gone is still to be done, also if the new one is here.
   */
  get isAtRest(): boolean {
    if (this.copy !== 'process') return this.far === null || this.far.pending === 'none';
    return this.place === 'granted' && this.far!.pending === 'none';
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** The mode the holder was told last that it blocks. */
  get told(): ModeOrNone {
    return this.blocking?.told ?? IV;
  }

  /** Take over what a lock or convert call asks for. */
  ask(mode: Mode, flags: number, value: Uint8Array | null): void {
    this.requested = mode;
    this.flags = flags;
    this.results = 0;
    this.value = value;
  }
}

/**
 * A lock (lkb): somebody's claim on one resource.
 *
 * It stands in exactly one of the resource's queues, or in none: before its
 * first answer and after its end. It is plain state; every rule about it lives in
 * the files beside this one. There may be a million of these, hence the terse
 * fields: what only a contended lock needs hangs off `blocking`.
 *
 * Kin: fs/dlm/dlm_internal.h struct dlm_lkb.
 */
import type { Lkid, Millis, OwnerId } from '../base/ids.js';
import { IV, type Mode, type ModeOrNone } from './mode.js';
import type { Resource } from './resource.js';

/** The queue a lock stands in. */
export type Place = 'nowhere' | 'granted' | 'converting' | 'waiting';

/** What a holder has been told about those it blocks. */
export interface BlockingMemory {
  /** The mode it was told last; nothing weaker is worth another callback (highbast). */
  told: ModeOrNone;
  /** The turn of its latest blocking callback, if no completion came after it. */
  turn: number;
  /** The mode of that callback. */
  mode: ModeOrNone;
}

export class Lock {
  place: Place = 'nowhere';
  granted: ModeOrNone = IV;
  requested: ModeOrNone = IV;
  /** The flags of the last lock or convert call, and those of unlocks since (exflags). */
  flags = 0;
  /** What the next completion reports beside its status (sbflags). */
  results = 0;
  /** The caller's copy of the value block; its bytes are never changed in place. */
  value: Uint8Array | null = null;
  /** Null until the holder is first told that it blocks somebody. */
  blocking: BlockingMemory | null = null;
  /** The second half of the lock's token; see `Resource.tokenSequence`. */
  tokenSequence = 0;
  /** When it took its place in the queue it stands in. */
  since: Millis;

  /** Neighbours in the queue. */
  next: Lock | null = null;
  previous: Lock | null = null;
  /** Neighbours among the locks of its owner. */
  ownerNext: Lock | null = null;
  ownerPrevious: Lock | null = null;

  constructor(
    readonly id: Lkid,
    readonly resource: Resource,
    /** Null once the owner has ended: an orphan. */
    public owner: OwnerId | null,
    /** Does the caller want blocking callbacks? */
    public wantsBlocking: boolean,
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

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** The highest mode the holder was told it blocks. */
  get told(): ModeOrNone {
    return this.blocking === null ? IV : this.blocking.told;
  }

  /** Take over what a lock or convert call asks for. */
  ask(mode: Mode, flags: number, value: Uint8Array | null): void {
    this.requested = mode;
    this.flags = flags;
    this.results = 0;
    this.value = value;
  }
}

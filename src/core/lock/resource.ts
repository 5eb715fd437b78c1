/**
 * A resource (rsb): a name, the locks on it in three queues, and the value block.
 *
 * Grant, convert and wait queue, always in this order. The convert and wait
 * queues are made when somebody first queues, since most resources never see
 * contention. Moving between queues happens here; whether to move is decided in
 * grant.ts and operations.ts.
 *
 * Kin: fs/dlm/dlm_internal.h struct dlm_rsb; lock.c add_lkb(), del_lkb(), move_lkb().
 */
import type { Millis } from '../base/ids.js';
import { Flag } from './flags.js';
import type { Lock } from './lock.js';
import type { ValueBlock } from './lvb.js';
import { conflictsWithAny, withMode, type Mode } from './mode.js';
import { Queue, nobody } from './queue.js';

/** How many sets of the six modes there are. */
const modeSets = 64;

export class Resource {
  /** The granted locks, newest first, chained through `next`. */
  newestGranted: Lock | null = null;
  /** Null until a value is first written or declared not valid. */
  value: ValueBlock | null = null;
  /** The sequence part of the latest token, and the set of modes granted under it, in one number. */
  #token = 0;
  #queues: { convert: Queue; wait: Queue } | null = null;

  constructor(
    /** Up to 64 bytes, one character a byte. */
    readonly name: string,
    /** Rises each time a name is taken up again: the mastership part of a token. */
    readonly mastership: number,
  ) {}

  get convertQueue(): Queue {
    return this.#queues === null ? nobody : this.#queues.convert;
  }

  get waitQueue(): Queue {
    return this.#queues === null ? nobody : this.#queues.wait;
  }

  /** Does nobody hold, convert or wait? */
  get isIdle(): boolean {
    return this.newestGranted === null && this.convertQueue.isEmpty && this.waitQueue.isEmpty;
  }

  *grantedLocks(): Generator<Lock> {
    for (let lock = this.newestGranted; lock !== null; lock = lock.next) yield lock;
  }

  joinGranted(lock: Lock, now: Millis): void {
    this.leave(lock);
    lock.next = this.newestGranted;
    if (this.newestGranted !== null) this.newestGranted.previous = lock;
    this.newestGranted = lock;
    lock.place = 'granted';
    lock.since = now;
  }

  /** Join the converting or waiting locks: at the tail, or with HEADQUE at the head. */
  joinQueue(lock: Lock, place: 'converting' | 'waiting', now: Millis): void {
    this.leave(lock);
    this.#queues ??= { convert: new Queue(), wait: new Queue() };
    const queue = place === 'converting' ? this.#queues.convert : this.#queues.wait;
    if (lock.has(Flag.HEADQUE)) queue.prepend(lock);
    else queue.append(lock);
    lock.place = place;
    lock.since = now;
  }

  /** Leave whatever queue the lock stands in. */
  leave(lock: Lock): void {
    if (lock.place === 'converting') this.convertQueue.remove(lock);
    else if (lock.place === 'waiting') this.waitQueue.remove(lock);
    else if (lock.place === 'granted') this.#unchain(lock);
    lock.place = 'nowhere';
  }

  /**
   * Which number does a grant of this mode carry?
   *
   * A new one only if the mode excludes one granted under the current number, so
   * that holders who may work side by side share a token.
   */
  takeToken(mode: Mode): number {
    let sequence = Math.floor(this.#token / modeSets);
    let granted = this.#token % modeSets;
    if (sequence === 0 || conflictsWithAny(mode, granted)) {
      sequence += 1;
      granted = 0;
    }
    this.#token = sequence * modeSets + withMode(granted, mode);
    return sequence;
  }

  #unchain(lock: Lock): void {
    if (lock.previous === null) this.newestGranted = lock.next;
    else lock.previous.next = lock.next;
    if (lock.next !== null) lock.next.previous = lock.previous;
    lock.next = null;
    lock.previous = null;
  }
}

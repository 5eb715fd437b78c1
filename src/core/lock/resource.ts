/**
 * A resource (rsb): a name, the locks on it in three queues, and the value block.
 *
 * Grant, convert and wait queue, always in this order. The convert and wait
 * queues are made when somebody first queues, since most resources never see
 * contention; what an earlier master has left is kept beside them. Moving between queues happens here; whether to move is decided in
 * grant.ts and operations.ts.
 *
 * Kin: fs/dlm/dlm_internal.h struct dlm_rsb; lock.c add_lkb(), del_lkb(), move_lkb().
 */
import type { Generation, Millis, NodeId } from '../base/ids.js';
import { Flag } from './flags.js';
import type { Lock } from './lock.js';
import type { ValueBlock } from './lvb.js';
import { conflictsWithAny, withMode, type Mode } from './mode.js';
import { Queue, nobody } from './queue.js';

/** Where a resource is mastered. One object serves many resources. */
export interface Home {
  /** Null: not known yet, or lost. */
  readonly master: NodeId | null;
  /** When it came there; the first part of its tokens. */
  readonly generation: Generation;
}

/** The first two parts of a token that an earlier master has given. */
export interface EarlierToken {
  readonly generation: Generation;
  readonly mastership: number;
}

/** How many sets of the six modes there are. */
const modeSets = 64;

/** What few resources need. */
class Extras {
  /** Those who wait, and the numbers of the first and the last of them. */
  convert = nobody;
  wait = nobody;
  firstNumber = 0;
  lastNumber = 0;
  /** What an earlier master has left behind. */
  earlierToken: EarlierToken | null = null;
  awaited: Set<Lock> | null = null;
}

const nobodyAwaited: ReadonlySet<Lock> = new Set();

export class Resource {
  /** The granted locks, newest first, chained through `next`. */
  newestGranted: Lock | null = null;
  /** Null until a value is first written or declared not valid. */
  value: ValueBlock | null = null;
  /** The sequence part of the latest token, and the set of modes granted under it, in one number. */
  #token = 0;
  #extras: Extras | null = null;

  constructor(
    /** Up to 64 bytes, one character a byte. */
    readonly name: string,
    /** Rises each time a name is taken up again in a generation: the second part of a token. */
    public mastership: number,
    public home: Home,
  ) {}

  get convertQueue(): Queue {
    return this.#extras === null ? nobody : this.#extras.convert;
  }

  get waitQueue(): Queue {
    return this.#extras === null ? nobody : this.#extras.wait;
  }

  /** Does nobody hold, convert or wait? */
  get isIdle(): boolean {
    return this.newestGranted === null && this.convertQueue.isEmpty && this.waitQueue.isEmpty;
  }

  *grantedLocks(): Generator<Lock> {
    for (let lock = this.newestGranted; lock !== null; lock = lock.next) yield lock;
  }

  /** Every lock, in whatever place; the one in hand may be moved or ended meanwhile. */
  eachLock(visit: (lock: Lock) => void): void {
    // Whom a visit moves must not be met again in another queue.
    const converting = this.convertQueue.first;
    const waiting = this.waitQueue.first;
    visitChain(this.newestGranted, visit);
    visitChain(converting, visit);
    visitChain(waiting, visit);
  }

  /** The first lock, in whatever place, of which that is true. */
  findLock(test: (lock: Lock) => boolean): Lock | null {
    return findInChain(this.newestGranted, test) ?? findInChain(this.convertQueue.first, test) ?? findInChain(this.waitQueue.first, test);
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
    const extras = (this.#extras ??= new Extras());
    const queue = place === 'converting' ? this.#ownConvertQueue(extras) : this.#ownWaitQueue(extras);
    if (lock.has(Flag.HEADQUE)) {
      queue.prepend(lock);
      extras.firstNumber -= 1;
    } else {
      queue.append(lock);
      extras.lastNumber += 1;
    }
    lock.place = place;
    lock.since = now;
  }

  #ownConvertQueue(extras: Extras): Queue {
    if (extras.convert === nobody) extras.convert = new Queue();
    return extras.convert;
  }

  #ownWaitQueue(extras: Extras): Queue {
    if (extras.wait === nobody) extras.wait = new Queue();
    return extras.wait;
  }

  /** Stand among the locks of a resource that is mastered elsewhere, in no queue yet. */
  joinAsked(lock: Lock, now: Millis): void {
    this.joinGranted(lock, now);
    lock.place = 'asked';
  }

  /** The number of whoever joined a queue at its tail last. */
  get lastNumber(): number {
    return this.#extras?.lastNumber ?? 0;
  }

  /** The number of the lock that has just joined a queue, at its head or at its tail. */
  numberInQueue(lock: Lock): number {
    const extras = this.#extras!;
    return lock.has(Flag.HEADQUE) ? extras.firstNumber : extras.lastNumber;
  }

  /** The queues were made anew, of locks that bring their numbers: new ones are outside of these. */
  continueNumbers(numbers: Iterable<number>): void {
    if (this.#extras === null) return;
    for (const number of numbers) {
      this.#extras.firstNumber = Math.min(this.#extras.firstNumber, number);
      this.#extras.lastNumber = Math.max(this.#extras.lastNumber, number);
    }
  }

  /** It has come to another master: its tokens begin anew, greater than any before. */
  beginTokens(mastership: number, home: Home): void {
    this.mastership = mastership;
    this.home = home;
    this.#token = 0;
    if (this.#extras === null) return;
    this.#extras.earlierToken = null;
    this.#extras.awaited = null;
  }

  /**
   * Those whose conversion the last master may have granted and could not say so, and which are in nobody's way by what is
   * known. Until they have asked again, or are granted, nobody takes anything before them.
   */
  get awaited(): ReadonlySet<Lock> {
    return this.#extras?.awaited ?? nobodyAwaited;
  }

  awaitLock(lock: Lock): void {
    const extras = (this.#extras ??= new Extras());
    (extras.awaited ??= new Set()).add(lock);
  }

  /** It has asked, or is gone. */
  awaitNoMore(lock: Lock): void {
    this.#extras?.awaited?.delete(lock);
  }

  /** Somebody still holds this mode under the latest token of an earlier master: whoever can hold beside him shares that. */
  continueToken(earlier: EarlierToken, sequence: number, mode: Mode): void {
    const isOwn = earlier.generation === this.home.generation && earlier.mastership === this.mastership;
    // Given by this master, before a recovery that was abandoned had ended: it goes on with its own.
    if (isOwn && Math.floor(this.#token / modeSets) >= sequence) return;
    if (!isOwn) (this.#extras ??= new Extras()).earlierToken = earlier;
    this.#token = sequence * modeSets + withMode(0, mode);
  }

  /** Who has given the latest token; null: this master. */
  get earlierToken(): EarlierToken | null {
    return this.#extras === null ? null : this.#extras.earlierToken;
  }

  /** Leave whatever queue the lock stands in. */
  leave(lock: Lock): void {
    if (lock.place === 'converting') this.convertQueue.remove(lock);
    else if (lock.place === 'waiting') this.waitQueue.remove(lock);
    else if (lock.place !== 'nowhere') this.#unchain(lock);
    lock.place = 'nowhere';
    this.awaitNoMore(lock);
  }

  /**
   * Which number does a grant of this mode carry?
   *
   * A new one only if the mode excludes one granted under the current number, so
   * that holders who may work side by side share a token. `earlierToken` is of the same.
   */
  takeToken(mode: Mode): number {
    let sequence = Math.floor(this.#token / modeSets);
    let granted = this.#token % modeSets;
    if (sequence === 0 || conflictsWithAny(mode, granted)) {
      sequence = this.earlierToken === null ? sequence + 1 : 1;
      if (this.#extras !== null) this.#extras.earlierToken = null;
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

function visitChain(first: Lock | null, visit: (lock: Lock) => void): void {
  let lock = first;
  while (lock !== null) {
    const following: Lock | null = lock.next;
    visit(lock);
    lock = following;
  }
}

function findInChain(first: Lock | null, test: (lock: Lock) => boolean): Lock | null {
  for (let lock = first; lock !== null; lock = lock.next) if (test(lock)) return lock;
  return null;
}

/**
 * Whose locks are whose: the locks of each owner in the order they were asked
 * for, and the orphans that an ended owner has left behind.
 *
 * Kin: user.c struct dlm_user_proc; lock.c dlm_clear_proc_locks(), ls_orphans.
 */
import type { OwnerId } from '../base/ids.js';
import type { Lock } from '../lock/lock.js';

/** The chain of one owner's locks, linked through the locks. */
class OwnedLocks {
  #first: Lock | null = null;
  #last: Lock | null = null;

  get first(): Lock | null {
    return this.#first;
  }

  add(lock: Lock): void {
    lock.ownerPrevious = this.#last;
    if (this.#last === null) this.#first = lock;
    else this.#last.ownerNext = lock;
    this.#last = lock;
  }

  remove(lock: Lock): void {
    if (lock.ownerPrevious === null) this.#first = lock.ownerNext;
    else lock.ownerPrevious.ownerNext = lock.ownerNext;
    if (lock.ownerNext === null) this.#last = lock.ownerPrevious;
    else lock.ownerNext.ownerPrevious = lock.ownerPrevious;
    lock.ownerNext = null;
    lock.ownerPrevious = null;
  }
}

export class Owners {
  readonly #byOwner = new Map<OwnerId, OwnedLocks>();
  #latest: OwnedLocks | null = null;
  #latestOwner: OwnerId | null = null;
  /** The locks that outlived their owner, the oldest first, and who that was. */
  readonly #orphans = new Map<Lock, OwnerId>();

  add(lock: Lock, owner: OwnerId): void {
    let owned = this.#ownedBy(owner);
    if (owned === null) {
      owned = new OwnedLocks();
      this.#byOwner.set(owner, owned);
      this.#latest = owned;
    }
    owned.add(lock);
  }

  /** The lock has ended, or is taken away from its owner. */
  remove(lock: Lock): void {
    if (lock.owner === null) this.#orphans.delete(lock);
    else this.#ownedBy(lock.owner)?.remove(lock);
  }

  /** Does it hold or want anything? */
  hasLocksOf(owner: OwnerId): boolean {
    return (this.#ownedBy(owner)?.first ?? null) !== null;
  }

  /** Take away the owner's locks, in the order they were asked for. */
  takeAll(owner: OwnerId): Lock[] {
    const owned = this.#ownedBy(owner);
    this.#byOwner.delete(owner);
    this.#latest = null;
    const locks: Lock[] = [];
    for (let lock = owned?.first ?? null; lock !== null; lock = lock.ownerNext) locks.push(lock);
    for (const lock of locks) {
      lock.owner = null;
      lock.ownerNext = null;
      lock.ownerPrevious = null;
    }
    return locks;
  }

  /** Calls of one owner come in bursts, so the latest one is kept at hand. */
  #ownedBy(owner: OwnerId): OwnedLocks | null {
    if (this.#latest === null || this.#latestOwner !== owner) {
      this.#latest = this.#byOwner.get(owner) ?? null;
      this.#latestOwner = owner;
    }
    return this.#latest;
  }

  orphan(lock: Lock, formerOwner: OwnerId): void {
    this.#orphans.set(lock, formerOwner);
  }

  /** The orphans, the oldest first, each with its former owner. */
  get orphans(): ReadonlyMap<Lock, OwnerId> {
    return this.#orphans;
  }
}

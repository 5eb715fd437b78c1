/**
 * A lockspace: the tables, and the verbs that work on them.
 *
 * It knows which locks and resources there are and whose they are; what the locks
 * may do to one another is decided in the room `lock`. Each verb runs to its end
 * within one turn: it is refused, or accepted, and then its callbacks are in the
 * outbox.
 *
 * Kin: lock.c dlm_user_request(), dlm_user_convert(), dlm_user_unlock(),
 * dlm_user_adopt_orphan(), dlm_clear_proc_locks(), dlm_user_purge().
 */
import type { Lkid, Millis, OwnerId } from '../base/ids.js';
import type { Outlet } from '../base/outbox.js';
import { Flag, brokenLockRule, brokenUnlockRule, type Rule } from '../lock/flags.js';
import { defaultLaw, type Law } from '../lock/law.js';
import { Lock } from '../lock/lock.js';
import type { Mode } from '../lock/mode.js';
import * as operations from '../lock/operations.js';
import type { CancelStatus, Refused } from '../lock/operations.js';
import type { Resource } from '../lock/resource.js';
import { Turn, type Callback } from '../lock/turn.js';
import { LockTable } from './lock-table.js';
import type { Numbers } from './numbers.js';
import { Owners } from './owners.js';
import { ResourceTable } from './resource-table.js';

export interface LockspaceConfig {
  /** The length of every value block, in bytes. */
  readonly valueLength: number;
  readonly law: Law;
}

export const defaultConfig: LockspaceConfig = { valueLength: 32, law: defaultLaw };

/** What a request or a conversion asks for. */
export interface LockWish {
  readonly mode: Mode;
  readonly flags: number;
  /** Required with VALBLK; exactly `valueLength` bytes, left alone until the completion. */
  readonly value: Uint8Array | null;
}

export interface NewLock extends LockWish {
  readonly owner: OwnerId;
  /** Up to 64 bytes, one character a byte. */
  readonly name: string;
  /** Handed back with every callback of this lock. */
  readonly cookie: unknown;
}

const refuse = (code: Refused['code'], rule: Rule | null = null): Refused => ({ code, rule });

const valueNeeded: Rule = { name: 'valblk-needs-value', text: 'VALBLK needs a value of the lockspace\'s length' };

export class Lockspace {
  readonly #turn: Turn;
  readonly #resources: ResourceTable;
  readonly #owners = new Owners();
  readonly #locks = new LockTable();
  readonly #numbers: Numbers;

  constructor(
    readonly name: string,
    readonly config: LockspaceConfig,
    numbers: Numbers,
    outbox: Outlet<Callback>,
  ) {
    this.#turn = new Turn(config.law, outbox);
    this.#resources = new ResourceTable(numbers);
    this.#numbers = numbers;
  }

  /** Ask for a new lock, or with ORPHAN for one that was left behind. */
  lock(now: Millis, wish: NewLock): Refused | Lock {
    const adopts = (wish.flags & Flag.ORPHAN) !== 0;
    if (!adopts || this.config.law.adoptionIsChecked) {
      const broken = brokenLockRule(wish.flags & ~Flag.CONVERT, wish.mode, wish.name.length);
      if (broken !== null) return refuse('EINVAL', broken);
      if (!this.#bringsValue(wish.flags, wish.value)) return refuse('EINVAL', valueNeeded);
    }
    if (adopts) return this.#adopt(wish);
    this.#turn.begin(now);

    const resource = this.#resources.take(wish.name);
    const id = this.#numbers.nextLkid(this.#locks);
    const lock = new Lock(id, resource, wish.owner, wish.cookie, now);
    lock.ask(wish.mode, wish.flags, wish.value);
    operations.request(this.#turn, lock);

    if (lock.place === 'nowhere') {
      this.#retire(lock);
    } else {
      this.#locks.add(lock);
      this.#owners.add(lock, wish.owner);
    }
    return lock;
  }

  convert(now: Millis, id: Lkid, wish: LockWish): Refused | null {
    const flags = wish.flags | Flag.CONVERT;
    const broken = brokenLockRule(flags, wish.mode, 0);
    const lock = this.#locks.get(id);
    if (lock === null) return refuse('ENOENT');
    if (broken !== null) return refuse('EINVAL', broken);
    if (!this.#bringsValue(flags, wish.value)) return refuse('EINVAL', valueNeeded);

    this.#turn.begin(now);
    return operations.convert(this.#turn, lock, { ...wish, flags });
  }

  unlock(now: Millis, id: Lkid, flags: number, value: Uint8Array | null): Refused | null {
    if ((flags & Flag.CANCEL) !== 0) return this.cancel(now, id, flags, 'ECANCEL');
    const lock = this.#locks.get(id);
    if (lock === null) return refuse('ENOENT');
    const broken = brokenUnlockRule(flags);
    if (broken !== null) return refuse('EINVAL', broken);
    if (value !== null && !this.#bringsValue(flags, value)) return refuse('EINVAL', valueNeeded);

    this.#turn.begin(now);
    this.#end(lock, flags, value);
    return null;
  }

  cancel(now: Millis, id: Lkid, flags: number, status: CancelStatus): Refused | null {
    const lock = this.#locks.get(id);
    if (lock === null) return refuse('ENOENT');
    const broken = brokenUnlockRule(flags | Flag.CANCEL);
    if (broken !== null) return refuse('EINVAL', broken);

    this.#turn.begin(now);
    const refused = operations.cancel(this.#turn, lock, flags, status);
    if (lock.place === 'nowhere') this.#forget(lock);
    return refused;
  }

  /**
   * An owner has ended. Its persistent locks are left behind as orphans and what
   * they waited for is taken back; all others end, and a value that was being
   * written is no longer valid.
   */
  endOwner(now: Millis, owner: OwnerId): void {
    for (const lock of this.#bury(now, owner)) {
      if (lock.has(Flag.PERSISTENT)) this.#leaveBehind(lock, owner);
      else this.#end(lock, Flag.FORCEUNLOCK | Flag.IVVALBLK, null);
    }
  }

  /** End every lock of an owner that lives on. It hears nothing of it. */
  purgeOwner(now: Millis, owner: OwnerId): void {
    for (const lock of this.#bury(now, owner)) {
      this.#end(lock, Flag.FORCEUNLOCK | Flag.IVVALBLK, null);
    }
  }

  /** End the orphans of one former owner, or all of them. Returns how many. */
  purgeOrphans(now: Millis, formerOwner: OwnerId | null): number {
    this.#turn.begin(now);
    let count = 0;
    for (const [lock, owner] of [...this.#owners.orphans]) {
      if (formerOwner !== null && owner !== formerOwner) continue;
      this.#end(lock, Flag.FORCEUNLOCK | Flag.IVVALBLK, null);
      count += 1;
    }
    return count;
  }

  /** Time has passed: forget what has been idle for long enough. */
  tick(now: Millis): void {
    this.#resources.forgetExpired(now);
  }

  nextDeadline(): Millis | null {
    return this.#resources.nextDeadline();
  }

  get resources(): ResourceTable {
    return this.#resources;
  }

  get owners(): Owners {
    return this.#owners;
  }

  get locks(): Iterable<Lock> {
    return this.#locks;
  }

  get lockCount(): number {
    return this.#locks.size;
  }

  #bringsValue(flags: number, value: Uint8Array | null): boolean {
    return value === null ? (flags & Flag.VALBLK) === 0 : value.length === this.config.valueLength;
  }

  /** Hand an orphan of that name and mode to a new owner; it keeps its id, and no callback follows. */
  #adopt(wish: NewLock): Refused | Lock {
    const named = [...this.#owners.orphans.keys()].filter((orphan) => orphan.resource.name === wish.name);
    const lock = named.find((orphan) => orphan.granted === wish.mode);
    if (lock === undefined) return refuse(named.length > 0 ? 'EAGAIN' : 'ENOENT');

    this.#owners.remove(lock);
    const kept = this.config.law.persistentStays ? Flag.PERSISTENT : 0;
    lock.flags = wish.flags | kept;
    lock.owner = wish.owner;
    lock.cookie = wish.cookie;
    this.#owners.add(lock, wish.owner);
    return lock;
  }

  /** Begin a turn in which all locks of an owner end or become orphans. */
  #bury(now: Millis, owner: OwnerId): Lock[] {
    const locks = this.#owners.takeAll(owner);
    this.#turn.begin(now);
    this.#turn.dying = new Set(locks);
    return locks;
  }

  #leaveBehind(lock: Lock, owner: OwnerId): void {
    const wasWaiting = lock.place === 'waiting';
    if (lock.place !== 'granted') operations.takeBack(this.#turn, lock, 'ECANCEL');
    if (wasWaiting && this.config.law.waitingOrphanEnds) this.#forget(lock);
    else this.#owners.orphan(lock, owner);
  }

  #end(lock: Lock, flags: number, value: Uint8Array | null): void {
    operations.unlock(this.#turn, lock, flags, value);
    this.#forget(lock);
  }

  #forget(lock: Lock): void {
    this.#locks.remove(lock);
    this.#owners.remove(lock);
    this.#retire(lock);
  }

  /** By the kernel's law an orphan that stands in no queue still holds on to its resource. */
  #hasGhost(resource: Resource): boolean {
    if (this.config.law.waitingOrphanEnds) return false;
    return [...this.#owners.orphans.keys()].some((orphan) => orphan.resource === resource);
  }

  /** The lock is gone; was it the last one of its resource? */
  #retire(lock: Lock): void {
    const { resource } = lock;
    if (resource.isIdle && !this.#hasGhost(resource)) this.#resources.retire(resource, this.#turn.now);
  }
}

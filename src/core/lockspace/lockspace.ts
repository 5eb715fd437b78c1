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
import { earlier, type Lkid, type Millis, type NodeId, type OwnerId } from '../base/ids.js';
import { unreachable } from '../base/assert.js';
import type { Outlet } from '../base/outbox.js';
import { tellAdopter } from '../lock/blocking.js';
import { Flag, brokenLockRule, brokenUnlockRule, oldTokenMark, type Rule } from '../lock/flags.js';
import { grantPending } from '../lock/grant.js';
import { defaultLaw } from '../lock/law.js';
import { Lock } from '../lock/lock.js';
import type { Mode } from '../lock/mode.js';
import * as operations from '../lock/operations.js';
import type { CancelStatus, Refused } from '../lock/operations.js';
import type { Callback } from '../lock/turn.js';
import type { LockMessage, Send, Unheeded } from '../wire/message.js';
import { LockTable } from './lock-table.js';
import type { Members } from './members.js';
import type { Numbers } from './numbers.js';
import type { Owners } from './owners.js';
import { MasterSide } from './receive.js';
import { receiveAnswer, receiveBlocking, receiveLookupReply } from './reply.js';
import { ask, askCancel, askCancelBehind, askConvert, askParked, askUnlock } from './request.js';
import type { ResourceTable } from './resource-table.js';
import { Stranded } from './stranded.js';
import { Tables, type LockspaceConfig } from './tables.js';

export type { LockspaceConfig };

export const defaultConfig: LockspaceConfig = { valueLength: 32, law: defaultLaw, nodir: false };

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

/** What can be given back at once, also where nobody can be told. */
export type GiveBack =
  | { readonly kind: 'unlock'; readonly lkid: Lkid; readonly flags: number; readonly value: Uint8Array | null }
  | ({ readonly kind: 'convert'; readonly lkid: Lkid } & LockWish);

export class Lockspace {
  readonly tables: Tables;
  readonly #master: MasterSide;
  readonly #stranded: Stranded;

  constructor(
    readonly name: string,
    readonly config: LockspaceConfig,
    numbers: Numbers,
    outbox: Outlet<Callback | Send | Unheeded>,
    members: Members,
  ) {
    this.tables = new Tables(name, config, numbers, outbox, members);
    this.#master = new MasterSide(this.tables);
    this.#stranded = new Stranded(this.tables);
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
    const { tables } = this;
    tables.turn.begin(now);

    const resource = tables.take(wish.name);
    const id = tables.numbers.nextLkid(tables.locks);
    const lock = new Lock(id, resource, wish.owner, wish.cookie, now);
    lock.ask(wish.mode, wish.flags, wish.value);
    if (tables.isMasterOf(resource)) operations.request(tables.turn, lock);
    else ask(tables, lock);

    if (lock.place === 'nowhere') {
      tables.retire(resource);
    } else {
      tables.locks.add(lock);
      tables.owners.add(lock, wish.owner);
    }
    return lock;
  }

  convert(now: Millis, id: Lkid, wish: LockWish): Refused | null {
    const flags = wish.flags | Flag.CONVERT;
    const broken = brokenLockRule(flags, wish.mode, 0);
    const lock = this.#heldHere(id);
    if (lock === null) return refuse('ENOENT');
    if (broken !== null) return refuse('EINVAL', broken);
    if (!this.#bringsValue(flags, wish.value)) return refuse('EINVAL', valueNeeded);

    this.tables.turn.begin(now);
    const asked = operations.asMeant(lock, { ...wish, flags });
    return lock.copy === 'process' ? askConvert(this.tables, lock, asked) : operations.convert(this.tables.turn, lock, asked);
  }

  unlock(now: Millis, id: Lkid, flags: number, value: Uint8Array | null): Refused | null {
    if ((flags & Flag.CANCEL) !== 0) return this.cancel(now, id, flags, 'ECANCEL');
    const lock = this.#heldHere(id);
    if (lock === null) return refuse('ENOENT');
    const broken = brokenUnlockRule(flags);
    if (broken !== null) return refuse('EINVAL', broken);
    if (value !== null && !this.#bringsValue(flags, value)) return refuse('EINVAL', valueNeeded);

    this.tables.turn.begin(now);
    return this.#end(lock, flags, value);
  }

  /** Can this be given back at once, as far as the owner of the lock is concerned, where nobody else can be told? */
  mayGiveBack(call: GiveBack): boolean {
    const lock = this.#heldHere(call.lkid);
    if (lock === null) return false;
    if (call.kind === 'unlock') return this.#stranded.mayUnlock(lock, call.flags);
    const flags = call.flags | Flag.CONVERT;
    return brokenLockRule(flags, call.mode, 0) === null && this.#bringsValue(flags, call.value) && this.#stranded.mayLower(lock, operations.asMeant(lock, { ...call, flags }));
  }

  /** Do so. */
  giveBack(now: Millis, call: GiveBack): void {
    const lock = this.#heldHere(call.lkid)!;
    this.tables.turn.begin(now);
    if (call.kind === 'unlock') this.#stranded.unlock(lock, call.value);
    else this.#stranded.lower(lock, operations.asMeant(lock, { ...call, flags: call.flags | Flag.CONVERT }));
  }

  /** There is somebody again who can be told what was given back. */
  settleGivenBack(now: Millis): void {
    this.tables.turn.begin(now);
    this.#stranded.settle((lock, flags) => this.#end(lock, flags, null));
  }

  /** Has what is asked of this lock to wait for the answer to something that its owner takes for done? */
  isToldEarly(id: Lkid): boolean {
    return this.#stranded.isToldEarly(id);
  }

  cancel(now: Millis, id: Lkid, flags: number, status: CancelStatus): Refused | null {
    const lock = this.#heldHere(id);
    if (lock === null) return refuse('ENOENT');
    const broken = brokenUnlockRule(flags | Flag.CANCEL);
    if (broken !== null) return refuse('EINVAL', broken);

    this.tables.turn.begin(now);
    if (lock.copy === 'process') return askCancel(this.tables, lock, flags, status);
    const refused = operations.cancel(this.tables.turn, lock, flags, status);
    if (lock.place === 'nowhere') this.tables.forget(lock);
    return refused;
  }

  /**
   * An owner has ended. Its persistent locks are left behind as orphans and what
   * they waited for is taken back; all others end, and a value that was being
   * written is no longer valid.
   */
  endOwner(now: Millis, owner: OwnerId): void {
    const buried = this.#bury(now, owner);
    // What outlives its owner is taken back first, if it waits, and all of it before anybody is let in: else the end of one
    // beside it would grant it, and nobody hears.
    const waits = (lock: Lock): boolean => this.config.law.waitsEndFirst && lock.has(Flag.PERSISTENT) && (lock.place !== 'granted' || !lock.isAtRest);
    const waiting = new Set(buried.filter(waits));
    for (const lock of waiting) this.#leaveBehind(lock, owner);
    for (const resource of new Set([...waiting].map((lock) => lock.resource))) if (this.tables.isMasterOf(resource)) grantPending(this.tables.turn, resource);
    for (const lock of buried) {
      if (waiting.has(lock)) continue;
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
    this.tables.turn.begin(now);
    let count = 0;
    for (const [lock, owner] of [...this.owners.orphans]) {
      if (formerOwner !== null && owner !== formerOwner) continue;
      this.#end(lock, Flag.FORCEUNLOCK | Flag.IVVALBLK, null);
      count += 1;
    }
    return count;
  }

  /** A message of a member, of its present life and ours. */
  receive(now: Millis, from: NodeId, message: LockMessage): void {
    const { tables } = this;
    tables.turn.begin(now);
    switch (message.kind) {
      case 'request':
      case 'convert':
      case 'unlock':
      case 'cancel':
      case 'remove':
        this.#master[message.kind](from, message as never);
        break;
      case 'lookupReply':
        receiveLookupReply(tables, from, message);
        break;
      case 'blocking':
        receiveBlocking(tables, from, message);
        break;
      case 'requestReply':
      case 'convertReply':
      case 'unlockReply':
      case 'cancelReply':
      case 'grant':
        receiveAnswer(tables, from, message);
        break;
      case 'purge':
        this.purgeOrphans(now, message.formerOwner);
        break;
      default:
        unreachable(message);
    }
  }

  /** May ordinary callers take new locks from now on? If so, whatever had to wait for it is granted. */
  setSuspended(now: Millis, isSuspended: boolean): void {
    const { turn, resources } = this.tables;
    if (turn.isSuspended === isSuspended) return;
    turn.begin(now);
    turn.isSuspended = isSuspended;
    if (isSuspended) return;
    resources.each((resource) => {
      if (this.tables.isMasterOf(resource)) grantPending(turn, resource);
    });
  }

  /** End the orphans on another member. */
  purgeOrphansOn(node: NodeId, formerOwner: OwnerId | null): void {
    const { tables } = this;
    tables.send(node, { kind: 'purge', lockspace: tables.id, seq: tables.seq, formerOwner });
  }

  /** Time has passed: ask again, and forget what has been idle for long enough. */
  tick(now: Millis): void {
    const { tables } = this;
    tables.turn.begin(now);
    for (const resource of tables.detours.due(now)) askParked(tables, resource);
    for (const resource of tables.resources.forgetExpired(now)) {
      if (!tables.isMasterOf(resource)) continue;
      const directory = tables.members.directoryOf(resource.name);
      if (directory === tables.self || tables.config.nodir) continue;
      const { name, mastership } = resource;
      tables.send(directory, { kind: 'remove', lockspace: tables.id, seq: tables.seq, name, mastership });
    }
  }

  nextDeadline(): Millis | null {
    return earlier(this.tables.resources.nextDeadline(), this.tables.detours.nextDeadline());
  }

  get resources(): ResourceTable {
    return this.tables.resources;
  }

  get owners(): Owners {
    return this.tables.owners;
  }

  get locks(): LockTable {
    return this.tables.locks;
  }

  /** How many locks are held and wanted here; those of other nodes that are mastered here are theirs. */
  get lockCount(): number {
    const { locks, members } = this.tables;
    if (members.isAlone) return locks.size;
    let count = 0;
    for (const { copy } of locks) if (copy !== 'master') count += 1;
    return count;
  }

  /** A lock by its id, unless it is another node's lock that is mastered here. */
  #heldHere(id: Lkid): Lock | null {
    const lock = this.tables.locks.get(id);
    return lock === null || lock.copy === 'master' ? null : lock;
  }

  #bringsValue(flags: number, value: Uint8Array | null): boolean {
    return value === null ? (flags & Flag.VALBLK) === 0 : value.length === this.config.valueLength;
  }

  /** Hand an orphan of that name and mode to a new owner; it keeps its id. */
  #adopt(wish: NewLock): Refused | Lock {
    const named = [...this.owners.orphans.keys()].filter((orphan) => orphan.resource.name === wish.name);
    const lock = named.find((orphan) => orphan.granted === wish.mode && orphan.isAtRest);
    if (lock === undefined) return refuse(named.length > 0 ? 'EAGAIN' : 'ENOENT');

    this.owners.remove(lock);
    const kept = this.config.law.persistentStays ? Flag.PERSISTENT : 0;
    lock.flags = wish.flags | kept | (lock.flags & oldTokenMark);
    lock.owner = wish.owner;
    lock.cookie = wish.cookie;
    this.owners.add(lock, wish.owner);
    return lock;
  }

  /** Once it has heard that the orphan is its own. */
  tellAdopter(lock: Lock): void {
    tellAdopter(this.tables.turn, lock);
  }

  /** Begin a turn in which all locks of an owner end or become orphans. */
  #bury(now: Millis, owner: OwnerId): Lock[] {
    const { turn, owners } = this.tables;
    const locks = owners.takeAll(owner);
    turn.begin(now);
    turn.dying = new Set(locks);
    return locks;
  }

  #leaveBehind(lock: Lock, owner: OwnerId): void {
    const wasWaiting = lock.place === 'waiting' || lock.place === 'asked';
    const isGhost = wasWaiting && this.config.law.waitingOrphanEnds;
    if (lock.copy === 'process') this.#leaveBehindAfar(lock, isGhost);
    else if (lock.place !== 'granted') (this.config.law.waitsEndFirst ? operations.fallBack : operations.takeBack)(this.tables.turn, lock, 'ECANCEL');

    if (!isGhost) this.owners.orphan(lock, owner);
    else if (lock.copy !== 'process') this.tables.forget(lock);
  }

  /** The same, of a lock that is mastered elsewhere. */
  #leaveBehindAfar(lock: Lock, isGhost: boolean): void {
    if (isGhost) askUnlock(this.tables, lock, Flag.FORCEUNLOCK, null);
    else if (this.config.law.waitsEndFirst) askCancelBehind(this.tables, lock);
    else if (lock.place !== 'granted' || lock.far!.pending !== 'none') askCancel(this.tables, lock, 0, 'ECANCEL');
  }

  #end(lock: Lock, flags: number, value: Uint8Array | null): Refused | null {
    if (lock.copy === 'process') return askUnlock(this.tables, lock, flags, value);
    // By the kernel's law an orphan may stand in no queue; then it is nothing to a resource that has moved on.
    const isGhost = lock.place === 'nowhere' && !this.tables.isMasterOf(lock.resource);
    if (!isGhost) operations.unlock(this.tables.turn, lock, flags, value);
    this.tables.forget(lock);
    return null;
  }
}

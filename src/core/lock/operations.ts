/**
 * Request, convert, unlock, cancel: what each does to one resource.
 *
 * Every operation gives its own answer first and then its consequences for
 * others, so that a caller hears of its lock before anybody hears because of it.
 * Arguments have been checked against the flag rules before; what remains here is
 * what depends on the lock's state.
 *
 * Kin: lock.c do_request(), do_convert(), do_unlock(), do_cancel() and their
 * _effects(); validate_lock_args(), validate_unlock_args().
 */
import type { Refusal } from '../base/status.js';
import { tellHolders, tellHoldersAndConverters } from './blocking.js';
import { Flag, brokenConvertRule, deafMark, oldTokenMark, readMark, recoveryMark, type Rule } from './flags.js';
import { certainMode, fits, grant, grantConversions, grantPending, hasBeenConverted, isDemoted, isHeldUp, judge, keepOnly } from './grant.js';
import type { Law } from './law.js';
import type { Lock } from './lock.js';
import { moveValueOnUnlock, transferOf } from './lvb.js';
import { IV, compatible, type Mode } from './mode.js';
import type { Turn } from './turn.js';

/** Why a call was not accepted. */
export interface Refused {
  readonly code: Refusal;
  /** The rule it breaks, where there is one. */
  readonly rule: Rule | null;
}

const ended = (code: Refusal, rule: Rule | null = null): Refused => ({ code, rule });

/** Ask for a new lock, whose wishes are already in it. Afterwards it may be nowhere: refused. */
export function request(turn: Turn, lock: Lock): void {
  const { resource } = lock;
  if (judge(turn, resource, lock, 'arrival') === 'granted') {
    grant(turn, resource, lock);
    followArrival(turn, lock);
  } else if (!lock.has(Flag.NOQUEUE)) {
    resource.joinQueue(lock, 'waiting', turn.now);
    turn.wait(lock);
    tellHolders(turn, resource, lock);
    followArrival(turn, lock);
  } else {
    turn.complete(lock, 'EAGAIN');
    if (lock.has(Flag.NOQUEUEBAST)) tellHoldersAndConverters(turn, resource, lock);
  }
}

/**
 * Who was let past those who wait may be in their way; who has come to stand before them may be granted what he would not
 * be behind them; and a conversion that has given up its mode has let in others, who may be in the way of the next.
 */
function followArrival(turn: Turn, lock: Lock): void {
  const cameBefore = lock.place === 'granted' ? lock.has(Flag.NOORDER | recoveryMark) : lock.has(Flag.HEADQUE) && lock.next !== null;
  if (turn.law.arrivalIsFollowed && (cameBefore || isDemoted(lock))) grantPending(turn, lock.resource);
}

/** What a conversion asks for. */
export interface Conversion {
  readonly mode: Mode;
  readonly flags: number;
  readonly value: Uint8Array | null;
}

/** Whoever only wants to know the value writes none, whatever the lock holds. */
export function asMeant({ granted }: Lock, wish: Conversion): Conversion {
  if ((wish.flags & readMark) === 0) return wish;
  const flags = wish.flags & ~readMark;
  return transferOf(granted, wish.mode) === 'write' ? { mode: wish.mode, flags: flags & ~Flag.VALBLK, value: null } : { ...wish, flags };
}

/** Convert a granted lock to another mode. */
export function convert(turn: Turn, lock: Lock, wish: Conversion): Refused | null {
  if (lock.place !== 'granted') return ended('EBUSY');
  const broken = brokenConvertRule(wish.flags, lock.granted, wish.mode);
  if (broken !== null) return ended('EINVAL', broken);

  lock.ask(wish.mode, wish.flags | keptFlags(turn.law, lock), wish.value);
  convertNow(turn, lock);
  return null;
}

/** Convert downward, with these results, and let nobody in yet: `grantPending` is to be asked when somebody may come in again. */
export function lower(turn: Turn, lock: Lock, { mode, flags, value }: Conversion, results: number): void {
  lock.ask(mode, flags | keptFlags(turn.law, lock), value);
  lock.results = results;
  grant(turn, lock.resource, lock);
}

/**
 * What a conversion need not say again. Whether anybody hears a lock that is held elsewhere its holder's node says every
 * time: it may have been adopted since, which its master does not learn.
 */
export function keptFlags(law: Law, lock: Lock): number {
  return lock.flags & ((law.persistentStays ? Flag.PERSISTENT : 0) | (lock.copy === 'master' ? 0 : deafMark) | oldTokenMark);
}

/** The conversion that a granted lock asks for; its rules have been checked. */
export function convertNow(turn: Turn, lock: Lock): void {
  const { resource } = lock;
  const wasAwaited = resource.awaited.has(lock);
  const verdict = judge(turn, resource, lock, 'arrival');
  const isKeptByGate = wasAwaited && (isHeldUp(turn, lock) || isBesideRecovery(lock));
  resource.awaitNoMore(lock);

  if (verdict === 'deadlock' && !lock.has(Flag.NODLCKWT) && !isKeptByGate) {
    lock.requested = IV;
    turn.complete(lock, 'EDEADLK');
    if (wasAwaited) grantPending(turn, resource);
    return;
  }
  if (verdict === 'granted' || fitsAfterDemotion(turn, lock)) {
    grant(turn, resource, lock);
    grantPending(turn, resource);
  } else if (!lock.has(Flag.NOQUEUE) || isKeptByGate) {
    resource.joinQueue(lock, 'converting', turn.now);
    turn.wait(lock);
    tellHolders(turn, resource, lock);
    // Refused for the sake of the gate, or of the recovery process, it would keep a mode that others may have excluded since.
    if (isKeptByGate) resource.awaitLock(lock);
    else if (wasAwaited) grantPending(turn, resource);
    else followArrival(turn, lock);
  } else {
    turn.complete(lock, 'EAGAIN');
    if (lock.has(Flag.NOQUEUEBAST)) tellHoldersAndConverters(turn, resource, lock);
    lock.requested = IV;
    if (wasAwaited) grantPending(turn, resource);
  }
}

/** Does the recovery process still hold what is in its way, and was let past those who are awaited? */
function isBesideRecovery({ resource, requested }: Lock): boolean {
  return resource.findLock((other) => other.place === 'granted' && other.has(recoveryMark) && !compatible(other.granted, requested)) !== null;
}

/** A conversion that gave up its mode lets those it blocked go first, then asks once more. */
function fitsAfterDemotion(turn: Turn, lock: Lock): boolean {
  if (!isDemoted(lock)) return false;
  grantConversions(turn, lock.resource);
  return !isHeldUp(turn, lock) && fits(lock.resource, lock, 'arrival');
}

/** End a lock, wherever it stands. */
export function unlock(turn: Turn, lock: Lock, flags: number, value: Uint8Array | null): void {
  letGo(turn, lock, flags, value);
  grantPending(turn, lock.resource);
}

/** End a lock, and let nobody in yet: as with `lower`. */
export function letGo(turn: Turn, lock: Lock, flags: number, value: Uint8Array | null): void {
  const { resource } = lock;
  lock.flags |= flags;
  lock.results = 0;
  // Whoever brings nothing writes nothing, also if it has read something.
  lock.value = value;

  moveValueOnUnlock(resource, lock);
  resource.leave(lock);
  lock.granted = IV;
  lock.requested = IV;
  turn.complete(lock, 'EUNLOCK');
}

export const cancelTwiceRule: Rule = {
  name: 'cancel-once',
  text: 'this lock was cancelled before and has asked for nothing since',
};

/** How a cancel ends for the caller: the operation's own status is told to the lock's owner. */
export type CancelStatus = 'ECANCEL' | 'EDEADLK';

/**
 * Take back what a lock is waiting for. A granted lock has nothing to take back:
 * that is success, without a completion.
 */
export function cancel(turn: Turn, lock: Lock, flags: number, status: CancelStatus): Refused | null {
  if (lock.has(Flag.CANCEL) && !turn.law.cancelAgainIsQuiet) return ended('EINVAL', cancelTwiceRule);
  if (lock.place === 'granted') return null;
  lock.flags |= flags | Flag.CANCEL;
  lock.results = 0;
  takeBack(turn, lock, status);
  return null;
}

/**
 * A conversion falls back to its granted mode; a request ends. What a master that is gone has granted, and could not say so,
 * falls back to what it has for certain: others have been granted since what its former mode excludes.
 */
export function takeBack(turn: Turn, lock: Lock, status: CancelStatus): void {
  fallBack(turn, lock, status);
  grantPending(turn, lock.resource);
}

/** Take back what a lock waits for, and let nobody in yet: as with `letGo`. */
export function fallBack(turn: Turn, lock: Lock, status: CancelStatus): void {
  const { resource } = lock;
  if (hasBeenConverted(lock) || resource.awaited.has(lock)) keepOnly(lock, certainMode(lock));
  lock.requested = IV;
  if (lock.place === 'converting') resource.joinGranted(lock, turn.now);
  else resource.leave(lock);
  turn.complete(lock, status);
}

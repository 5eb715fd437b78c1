/**
 * May this be granted, and what has become grantable?
 *
 * The master asks when the call arrives, on every pass over the queues after
 * something changed, and when recovery has rebuilt the queues. Only the queues of one resource
 * are consulted. Compatibility decides first; then order, which differs between
 * conversions and new requests:
 *
 *   - conversions that just arrived jump every queue, unless QUECVT asks for order;
 *   - queued conversions are granted from the head of their queue;
 *   - new requests only when nobody converts, and from the head of theirs;
 *   - NOORDER ignores order, EXPEDITE ignores everything;
 *   - conversions whose order was lost with their master are granted in any order;
 *   - so is one that those ahead of it wait for.
 *
 * While applications are suspended nothing is granted but what takes nothing and what
 * the recovery process asks for; everything else waits in its place. So it is as long as a
 * conversion is awaited that a lost master may have granted. A conversion in a
 * deadlock is told so all the same: later nobody would ask.
 *
 * Kin: lock.c _can_be_granted(), can_be_granted(), grant_pending_locks().
 */
import { isDeaf, tellHoldersAfterPass } from './blocking.js';
import { isInConversionDeadlock } from './deadlock.js';
import { FarEnd } from './far-end.js';
import { Flag, Result, againMark, oldTokenMark, recoveryMark } from './flags.js';
import type { Lock } from './lock.js';
import { moveValueOnGrant } from './lvb.js';
import { CR, CW, IV, NL, PR, commonMode, compatible, isDown, type Mode, type ModeOrNone } from './mode.js';
import type { Resource } from './resource.js';
import type { Turn } from './turn.js';

/** When the question is being asked. */
export type Occasion = 'arrival' | 'retry' | 'recovery';

/** The answer: yes; not yet; or never, because it would wait in a deadlock. */
export type Verdict = 'granted' | 'blocked' | 'deadlock';

/** Would it be granted in the mode it asks for, by compatibility and order alone? */
export function fits(resource: Resource, lock: Lock, occasion: Occasion): boolean {
  if (lock.has(Flag.EXPEDITE)) return true;
  if (conflictsWithHolders(resource, lock, lock.requested)) return false;

  if (occasion === 'arrival' && lock.isConversion) {
    return !lock.has(Flag.QUECVT) || resource.convertQueue.isEmpty || resource.awaited.has(lock) || hasBeenConverted(lock);
  }
  if (lock.has(Flag.NOORDER)) return true;
  if (lock.isConversion && (occasion === 'recovery' || resource.awaited.has(lock))) return true;
  if (lock.isConversion) return resource.convertQueue.first === lock;
  if (!resource.convertQueue.isEmpty) return false;
  return occasion === 'arrival' ? resource.waitQueue.isEmpty : resource.waitQueue.first === lock;
}

/** Is a mode granted to somebody else, converting or not, in the way of this one? */
function conflictsWithHolders(resource: Resource, lock: Lock, mode: ModeOrNone): boolean {
  for (let other = resource.newestGranted; other !== null; other = other.next) {
    if (other !== lock && !compatible(other.granted, mode)) return true;
  }
  for (let other = resource.convertQueue.first; other !== null; other = other.next) {
    if (other !== lock && !compatible(other.granted, mode)) return true;
  }
  return false;
}

/** Has its master been lost, and does it stand beside a later mode that excludes its own? Then it had been granted, and takes nothing any more. */
export function hasBeenConverted(lock: Lock): boolean {
  return lock.has(againMark) && lock.resource.findLock((other) => isExcludedLater(lock, other)) !== null;
}

/** Do they hold what excludes each other, the other one by a later token? Then the first has been converted before that, unheard. */
export function isExcludedLater(lock: Lock, other: Lock): boolean {
  return !compatible(lock.granted, other.granted) && compareTokens(lock, other) < 0;
}

export function compareTokens(one: Lock, other: Lock): number {
  return one.generation - other.generation || one.mastership - other.mastership || one.tokenSequence - other.tokenSequence;
}

/**
 * May it be granted, with everything its flags allow tried?
 *
 * A conversion found in a deadlock gives up its granted mode if it offered to
 * (CONVDEADLK); the verdict is then still "blocked", and DEMOTED tells. An
 * alternative mode is tried last, and never out of a deadlock, unless a lost master may
 * have granted it.
 */
export function judge(turn: Turn, resource: Resource, lock: Lock, occasion: Occasion): Verdict {
  const waitsForGate = isHeldUp(turn, lock);
  if (fits(resource, lock, occasion)) return waitsForGate ? 'blocked' : 'granted';
  // Whoever is before it in a queue waits for the gate, and the gate for the recovery process.
  if (turn.isSuspended && lock.has(recoveryMark) && !conflictsWithHolders(resource, lock, lock.requested)) return 'granted';

  const mayQueue = !lock.has(Flag.NOQUEUE);
  // The other mode it would do with it may have had since: it does not keep a former one, which others have excluded maybe.
  if (lock.has(againMark) && !waitsForGate && fitsInstead(resource, lock, occasion)) return 'granted';
  // Was it kept by the gate, nobody will say EDEADLK any more.
  const isTold = occasion === 'arrival' || !resource.awaited.has(lock);
  if (lock.isConversion && mayQueue && isTold && isInConversionDeadlock(resource, lock)) {
    if (occasion === 'retry' && isKeptByPlace(turn, resource, lock)) return waitsForGate ? 'blocked' : 'granted';
    if (!lock.has(Flag.CONVDEADLK)) return 'deadlock';
    lock.granted = NL;
    lock.results |= Result.DEMOTED;
    return 'blocked';
  }

  return !waitsForGate && fitsInstead(resource, lock, occasion) ? 'granted' : 'blocked';
}

/** Does what its flags allow in the place of what it asks for? Then that is what it asks for. */
function fitsInstead(resource: Resource, lock: Lock, occasion: Occasion): boolean {
  const wanted = lock.requested;
  const alternative = alternativeOf(lock);
  if (alternative === null) return false;
  lock.requested = alternative;
  if (fits(resource, lock, occasion)) {
    lock.results |= Result.ALTMODE;
    return true;
  }
  lock.requested = wanted;
  return false;
}

/**
 * Is it in nobody's reach, but behind one that waits for it? It was queued before that one came to stand ahead of it, or
 * because applications were suspended. Whoever said what becomes of it in a deadlock (NODLCKWT, CONVDEADLK) is taken at his word.
 */
function isKeptByPlace({ law }: Turn, resource: Resource, lock: Lock): boolean {
  return law.placeIsNoDeadlock && !lock.has(Flag.NODLCKWT | Flag.CONVDEADLK) && !conflictsWithHolders(resource, lock, lock.requested);
}

/**
 * Are applications suspended, or others awaited, and is this neither what takes nothing, also for the sake of its value, nor what
 * the recovery process wants? Those who are awaited wait for the gate themselves then, and are not refused.
 */
export function isHeldUp(turn: Turn, lock: Lock): boolean {
  if (turn.isSuspended && lock.has(recoveryMark)) return false;
  const { awaited } = lock.resource;
  const waitsForOthers = awaited.size > 0 && lock.requested > CR && !awaited.has(lock);
  if (!turn.isSuspended && !waitsForOthers) return false;
  if (!lock.isConversion) return true;
  return lock.requested !== lock.granted && !isDown(lock.granted, lock.requested) && !hasBeenConverted(lock);
}

/** What its flags allow in the place of what it asks for. */
export function alternativeOf(lock: Lock): Mode | null {
  if (lock.has(Flag.ALTPR) && lock.requested !== PR) return PR;
  if (lock.has(Flag.ALTCW) && lock.requested !== CW) return CW;
  return null;
}

/** What it has for certain, be its conversion granted or not. */
export function certainMode(lock: Lock): ModeOrNone {
  const { granted, requested } = lock;
  if (granted === IV || requested === IV) return granted;
  return commonMode(commonMode(granted, requested), alternativeOf(lock) ?? granted);
}

/** It has less from now on, and no token of that. */
export function keepOnly(lock: Lock, mode: ModeOrNone): void {
  if (lock.granted !== mode) lock.flags |= oldTokenMark;
  lock.granted = mode;
}

export function isDemoted(lock: Lock): boolean {
  return (lock.results & Result.DEMOTED) !== 0;
}

/** Give the lock what it asks for and tell its owner. */
export function grant(turn: Turn, resource: Resource, lock: Lock): void {
  const value = moveValueOnGrant(resource, lock, turn.law);
  if (lock.granted !== lock.requested || (lock.place === 'converting' && turn.law.grantLeavesConvertQueue)) {
    lock.granted = lock.requested;
    resource.joinGranted(lock, turn.now);
  }
  lock.requested = IV;
  if (lock.granted !== IV) takeToken(resource, lock);
  const { blocking } = lock;
  if (blocking !== null) blocking.told = IV;
  turn.complete(lock, 'OK', value);
}

function takeToken(resource: Resource, lock: Lock): void {
  lock.flags &= ~oldTokenMark;
  lock.tokenSequence = resource.takeToken(lock.granted as Mode);
  const { earlierToken } = resource;
  if (earlierToken !== null) {
    const far = (lock.far ??= new FarEnd('local', null, null));
    far.generation = earlierToken.generation;
    far.mastership = earlierToken.mastership;
  } else if (lock.far !== null) {
    // A token from before the resource came to this master is over.
    lock.far.mastership = 0;
  }
}

/** The modes found blocked during a pass. */
class Blocked {
  highest: ModeOrNone = IV;
  includesCw = false;

  add(mode: ModeOrNone): void {
    if (mode > this.highest) this.highest = mode;
    if (mode === CW) this.includesCw = true;
  }

  /** A walk starts over; does it also forget a CW it has seen? */
  restart(forgetCw: boolean): void {
    this.highest = IV;
    if (forgetCw) this.includesCw = false;
  }
}

/** Who waits for the first grant comes in the order of the queue, but for these. */
const passingFlags = Flag.NOORDER | Flag.EXPEDITE | recoveryMark;

/** Something changed: grant whatever has become grantable, then tell who is in the way. */
export function grantPending(turn: Turn, resource: Resource, occasion: 'retry' | 'recovery' = 'retry'): void {
  if (resource.convertQueue.isEmpty && resource.waitQueue.isEmpty) return;

  const blocked = new Blocked();
  grantConversions(turn, resource, blocked, occasion);
  // Walked by hand, since a long queue is walked with every hand-off.
  for (let lock = resource.waitQueue.first; lock !== null; ) {
    const following: Lock | null = lock.next;
    const hasTurn = lock === resource.waitQueue.first || lock.has(passingFlags);
    if (hasTurn && judge(turn, resource, lock, 'retry') === 'granted') grant(turn, resource, lock);
    else blocked.add(lock.requested);
    lock = following;
  }

  const { highest, includesCw } = blocked;
  if (highest !== IV) tellHoldersAfterPass(turn, resource, { highest, includesCw });
}

/** Walk the conversions, again from the head whenever a walk has granted one. */
export function grantConversions(
  turn: Turn,
  resource: Resource,
  blocked = new Blocked(),
  occasion: 'retry' | 'recovery' = 'retry',
): void {
  if (resource.convertQueue.isEmpty) return;
  let mayWalkForDemoted = true;
  for (;;) {
    blocked.restart(turn.law.blockedCwIsFresh);
    const walk = walkConversions(turn, resource, blocked, occasion);
    if (walk === 'granted') continue;
    if (walk === 'demoted' && mayWalkForDemoted) {
      mayWalkForDemoted = false;
      continue;
    }
    return;
  }
}

/** One walk from head to tail: did it grant, or else demote, anybody? */
function walkConversions(turn: Turn, resource: Resource, blocked: Blocked, occasion: Occasion): 'granted' | 'demoted' | 'nothing' {
  let grantedSome = false;
  let demotedSome = false;
  for (const lock of resource.convertQueue) {
    const wasDemoted = isDemoted(lock);
    const verdict = judge(turn, resource, lock, occasion);

    if (verdict === 'granted') {
      grant(turn, resource, lock);
      grantedSome = true;
    } else if (!wasDemoted && isDemoted(lock)) {
      turn.demoted(lock);
      demotedSome = true;
    } else if (verdict === 'deadlock') {
      tellDeadlocked(turn, lock);
      if (turn.law.deadlockedIsTold) blocked.add(lock.requested);
    } else {
      blocked.add(lock.requested);
    }
  }
  return grantedSome ? 'granted' : demotedSome ? 'demoted' : 'nothing';
}

/** A conversion that waits in a deadlock of its own will (NODLCKWT) hears that it is stuck. */
function tellDeadlocked(turn: Turn, lock: Lock): void {
  if (lock.has(Flag.NODLCKWT) && lock.told < lock.requested && !isDeaf(lock)) turn.block(lock, lock.requested as Mode);
}

/**
 * What the departure of members means for the locks here, at once and without asking
 * anybody. It can be done again and again, and nothing is granted by it.
 *
 *   - Locks of the departed end. A value one of them may have been writing is no
 *     longer valid: it held PW or EX and had a value block with its last call, or may
 *     have been adopted.
 *   - Resources that a departed node was master of have lost their home; what is held
 *     here of them will be told to a new master.
 *   - Without a directory, a resource also moves when the shares do.
 *   - Whoever asked a departed node who is master asks again. An answer of a member
 *     that stays is still to come, and will be looked at with its age in mind.
 *
 * Kin: lock.c dlm_recover_purge(); recover.c set_lock_master(); dlm_clear_inactive().
 */
import type { NodeId } from '../base/ids.js';
import { FarEnd } from '../lock/far-end.js';
import { Flag, Result, againMark } from '../lock/flags.js';
import { certainMode, keepOnly } from '../lock/grant.js';
import type { Lock } from '../lock/lock.js';
import { ValueBlock, writeOf } from '../lock/lvb.js';
import { IV, NL, PW, areMiddlePair, commonMode, isDown, type Mode } from '../lock/mode.js';
import type { Queue } from '../lock/queue.js';
import type { Resource } from '../lock/resource.js';
import { convertSilently } from '../lockspace/request.js';
import type { Tables } from '../lockspace/tables.js';
import { isEnding } from './rebuild-locks.js';

/** Returns the resources here that have lost a lock and may have something to grant now. */
export function depart(tables: Tables, departed: ReadonlySet<NodeId>): Set<Resource> {
  const touched = new Set<Resource>();
  tables.directory.clear();
  tables.resources.each((resource) => {
    if (departed.size > 0 && tables.isMasterOf(resource)) purge(tables, resource, departed, touched);
    moveHome(tables, resource, departed);
    tables.retire(resource);
  });
  // Nobody holds them, and no directory will be told of them.
  tables.resources.forgetIdle();
  for (const resource of tables.lookups.keys()) lookAgain(tables, resource, departed);
  return touched;
}

function purge(tables: Tables, resource: Resource, departed: ReadonlySet<NodeId>, touched: Set<Resource>): void {
  resource.eachLock((lock) => {
    if (lock.copy !== 'master' || !departed.has(lock.far!.node!)) return;
    if (mayHaveWritten(tables, lock)) (resource.value ??= new ValueBlock()).isValid = false;
    resource.leave(lock);
    tables.locks.remove(lock);
    touched.add(resource);
  });
}

/** What outlives its owner may have been adopted by somebody who uses the value block, of whom its master is not told. */
function mayHaveWritten({ config }: Tables, lock: Lock): boolean {
  if (lock.granted < PW) return false;
  return lock.has(Flag.VALBLK) || (config.law.copiesAreKnown && lock.has(Flag.PERSISTENT));
}

function moveHome(tables: Tables, resource: Resource, departed: ReadonlySet<NodeId>): void {
  const { master } = resource.home;
  const moves = tables.config.nodir && master !== tables.members.directoryOf(resource.name);
  const isLost = master === null || departed.has(master) || moves || isUnaware(resource);
  if (isLost) {
    if (master === tables.self) {
      // No longer ours to put in order: what is given back of it from now on, its next master is told.
      const wasUnsettled = tables.unsettled.delete(resource);
      giveAway(tables, resource, !wasUnsettled);
    }
    tables.loseHome(resource);
  }
  resource.eachLock((lock) => {
    if (lock.copy !== 'process') return;
    const far = lock.far!;
    if (lock.place === 'asked') {
      // A member that stays will answer, whoever it takes for the master; unless it gave the resource away unread.
      if (far.pending !== 'lookup' && (moves || (far.node !== null && departed.has(far.node)))) far.node = null;
    } else if (isLost) {
      lock.flags &= ~againMark;
      if (far.pending === 'convert' && countsAsDone(tables, lock)) takeAsDone(tables, lock);
      else if (master !== tables.self) giveUp(tables, lock);
      // The next master awaits it, unless it has what it has whatever became of that.
      if (far.pending === 'convert' && far.overlap === null && certainMode(lock) !== lock.granted) lock.flags |= againMark;
      far.node = null;
      far.lkid = null;
      if (!tables.config.law.middleIsResent) queueMiddle(tables, lock);
    }
  });
}

/**
 * Nothing can have kept the old master from a conversion downward, and others may have what was given up. Nor from one
 * that writes, which is downward or to the mode the lock has: others may have seen what was written. To the kernel's
 * law the caller's buffer is a copy of the value anyway.
 */
function countsAsDone({ config }: Tables, lock: Lock): boolean {
  if (isDown(lock.granted, lock.requested)) return true;
  return config.law.copiesAreKnown && writeOf(lock, lock.requested as Mode, config.law) !== 'nothing';
}

/** Whatever its owner wants meanwhile comes after it: a cancel is too late. */
function takeAsDone(tables: Tables, lock: Lock): void {
  const far = lock.far!;
  const { overlap } = far;
  far.overlap = null;
  far.pending = overlap?.operation === 'unlock' ? 'unlock' : 'none';
  lock.flags &= ~Flag.CANCEL;
  convertSilently(tables, lock);
}

/**
 * What the old master has made of a conversion under way, nobody knows. Whoever offered to give up his mode (CONVDEADLK) has
 * given it up: others may have had what it excludes, and have written. Whoever takes a conversion back keeps what both modes
 * have: it may have been granted, and will not be asked again. Whoever would do with another mode may have had that one: should he
 * get what he asks for after all, he hears that he had less meanwhile, and that others may have written.
 */
function giveUp({ config }: Tables, lock: Lock): void {
  const { granted, requested } = lock;
  if (granted === IV || requested === IV || requested === granted) return;
  const { pending, overlap } = lock.far!;
  const isTakenBack = pending === 'cancel' || overlap?.operation === 'cancel';
  if (lock.has(Flag.CONVDEADLK)) {
    lock.granted = NL;
    if (!isTakenBack) lock.results |= Result.DEMOTED;
  } else if (isTakenBack && (config.law.middleIsResent || !areMiddlePair(granted, requested))) {
    keepOnly(lock, certainMode(lock));
  } else if (config.law.alternativeIsTold && certainMode(lock) !== commonMode(granted, requested)) {
    lock.results |= Result.DEMOTED;
  }
}

/** By the kernel's law a conversion between PR and CW counts as queued; from which mode, settle.ts will guess. */
function queueMiddle(tables: Tables, lock: Lock): void {
  const far = lock.far!;
  if (far.pending !== 'convert' || far.overlap !== null || !areMiddlePair(lock.granted, lock.requested)) return;
  far.pending = 'none';
  lock.granted = lock.requested;
  lock.resource.joinQueue(lock, 'converting', tables.turn.now);
}

/**
 * A recovery that was abandoned had found a new master, which has heard of no lock here: it may not know that it is the master.
 * One that has heard of some is told of the rest; what it was asked since, it will answer.
 */
function isUnaware(resource: Resource): boolean {
  return resource.findLock(isUntold) !== null && resource.findLock(isTold) === null;
}

const isTold = (lock: Lock): boolean => lock.copy === 'process' && lock.place !== 'asked' && lock.far!.lkid !== null;

const isUntold = (lock: Lock): boolean => lock.copy === 'process' && lock.place !== 'asked' && lock.far!.lkid === null && !isEnding(lock);

/**
 * Another node will be master: the locks of others go, for they tell it themselves; ours
 * become copies. Of a resource that has not been settled here they know what they knew
 * before it came.
 */
function giveAway(tables: Tables, resource: Resource, wasSettled: boolean): void {
  const { convertQueue, waitQueue, lastNumber } = resource;
  const numbers = new Map([...numbersOf(convertQueue, lastNumber), ...numbersOf(waitQueue, lastNumber)]);
  resource.eachLock((lock) => {
    if (lock.copy === 'master') {
      resource.leave(lock);
      tables.locks.remove(lock);
    } else {
      const far = (lock.far ??= new FarEnd('process', null, null));
      keepToken(lock, far);
      far.copy = 'process';
      if (wasSettled) keepKnown(lock, far, resource.value, numbers.get(lock) ?? 0);
    }
  });
  resource.value = null;
}

/**
 * Numbers for those of our own locks that stand in a queue, which have none yet: between
 * those of the locks of others that they stand between. Each of ours took a number when
 * it joined, so that there are enough. Of these it gets the greatest: who was granted
 * last may not have heard of it, and still goes by the smaller number he had.
 */
function* numbersOf(queue: Queue, lastNumber: number): Generator<[Lock, number]> {
  const ours: Lock[] = [];
  const before = (end: number): [Lock, number][] => ours.splice(0).map((lock, place, { length }) => [lock, end - length + place]);
  for (const lock of queue) {
    if (lock.copy === 'master') yield* before(lock.far!.queueNumber);
    else ours.push(lock);
  }
  yield* before(lastNumber + 1);
}

/** It was given here, maybe, and then it is its resource's. */
function keepToken({ generation, mastership }: Lock, far: FarEnd): void {
  far.generation = generation;
  far.mastership = mastership;
}

/** Who was granted anything where the value was kept is given what there is: nobody can have a newer one. */
function keepKnown(lock: Lock, far: FarEnd, value: ValueBlock | null, queueNumber: number): void {
  const isKnown = lock.granted !== IV && value !== null;
  far.valueCopy = isKnown ? value.bytes : null;
  far.valueSequence = isKnown ? value.sequence : 0;
  far.valueIsValid = !isKnown || value.isValid;
  far.queueNumber = queueNumber;
}

/** Has the one gone who was asked for the master? Then everybody who waits for the answer asks again. */
function lookAgain(tables: Tables, resource: Resource, departed: ReadonlySet<NodeId>): void {
  const first = resource.findLock(({ far }) => far?.pending === 'lookup');
  if (first !== null && first.far!.node !== null && !departed.has(first.far!.node)) return;
  if (first !== null) {
    first.far!.pending = 'parked';
    first.far!.node = null;
  }
  tables.lookups.delete(resource);
}

/**
 * All locks of a rebuilt resource are there: the queues get their order back, tokens go on, and
 * the value is made of the copies that the holders have.
 *
 * Whoever holds more than CR, and has read or written the value since, has the latest, and it is valid.
 * If nobody has, the newest copy is the best there is, and not valid. Without a copy
 * there is no value any more.
 *
 * Kin: recover.c dlm_recover_rsbs(), recover_lvb().
 */
import { Flag, againMark, oldTokenMark } from '../lock/flags.js';
import { certainMode, compareTokens, isExcludedLater } from '../lock/grant.js';
import type { Law } from '../lock/law.js';
import type { Lock } from '../lock/lock.js';
import { ValueBlock } from '../lock/lvb.js';
import { CR, CW, PR, type Mode } from '../lock/mode.js';
import type { Resource } from '../lock/resource.js';
import type { Tables } from '../lockspace/tables.js';
import { copyOf } from '../lockspace/value-copy.js';

export function settle(tables: Tables, resource: Resource): void {
  continueToken(resource);
  if (tables.config.law.orderSurvives) putInOrder(resource);
  if (tables.config.law.middleIsResent) awaitConversions(resource);
  else guessModes(resource);
  resource.value = valueOf(resource, tables.config.law);
}

/**
 * While somebody holds more than CR for certain, nobody was granted a mode with a greater token than his: that excludes him. So
 * it is the latest, and what can be held beside his mode can be held beside whatever else was granted under it.
 */
function continueToken(resource: Resource): void {
  let latest: Lock | null = null;
  resource.eachLock((lock) => {
    if (lock.granted > CR && !lock.has(oldTokenMark) && !isInDoubt(resource, lock) && (latest === null || compareTokens(lock, latest) > 0)) latest = lock;
  });
  if (latest === null) return;
  const { generation, mastership, tokenSequence, granted } = latest as Lock;
  resource.continueToken({ generation, mastership }, tokenSequence, granted as Mode);
}

/** Of conversions between PR and CW, and such as may have ended in less than they had, those which the old master may have granted. */
function awaitConversions(resource: Resource): void {
  resource.eachLock((lock) => {
    resource.awaitNoMore(lock);
    if (lock.granted > CR && isInDoubt(resource, lock)) resource.awaitLock(lock);
  });
}

/**
 * May the old master have granted its conversion, and could not say so? Another lock in the same mode shows that it has not; so
 * does one that excludes it and was there before it, for that one has been converted.
 */
function isInDoubt(resource: Resource, lock: Lock): boolean {
  const mayBeOther = lock.place === 'granted' ? lock.has(againMark) : certainMode(lock) !== lock.granted || lock.requested === lock.granted;
  const isShown = (other: Lock): boolean => other !== lock && (other.granted === lock.granted || isExcludedLater(other, lock));
  return mayBeOther && resource.findLock(isShown) === null;
}

/** Conversions between PR and CW of which nobody is sure: they held what somebody else still holds, or what they ask for. */
function guessModes(resource: Resource): void {
  const held = [...resource.grantedLocks()].find(({ granted }) => granted === PR || granted === CW);
  for (const lock of resource.convertQueue) {
    if (held !== undefined && lock.granted === lock.requested) lock.granted = held.granted;
  }
}

/** The places that the old master gave are kept. */
function putInOrder(resource: Resource): void {
  const numberOf = (lock: Lock): number => lock.far?.queueNumber ?? 0;
  if (resource.convertQueue.isEmpty && resource.waitQueue.isEmpty) return;
  for (const [queue, place] of [[resource.convertQueue, 'converting'], [resource.waitQueue, 'waiting']] as const) {
    const locks = [...queue].sort((one, other) => numberOf(one) - numberOf(other));
    for (const lock of locks) {
      const { since, flags } = lock;
      // A place at the head was taken long ago; it is in the number.
      lock.flags &= ~Flag.HEADQUE;
      resource.joinQueue(lock, place, since);
      lock.flags = flags;
    }
    resource.continueNumbers(locks.map(numberOf));
  }
}

function valueOf(resource: Resource, law: Law): ValueBlock | null {
  // Whoever waits for the first grant has read nothing yet.
  const hasCopy = (lock: Lock): boolean => lock.place !== 'waiting' && lock.has(Flag.VALBLK) && copyOf(lock, law) !== null;
  // Who has not looked when he was granted such a mode may have an old one; he does not spoil what others have.
  const isSure = ({ far }: Lock): boolean => !law.copiesAreKnown || far?.valueIsValid === true;
  const latest = newestOf(resource, (lock) => hasCopy(lock) && lock.granted > CR && isSure(lock));
  if (latest !== null) return blockOf(resource, copyOf(latest, law), true);
  const newest = newestOf(resource, hasCopy);
  return blockOf(resource, newest === null ? null : copyOf(newest, law), newest === null);
}

function newestOf(resource: Resource, test: (lock: Lock) => boolean): Lock | null {
  let newest: Lock | null = null;
  resource.eachLock((lock) => {
    if (test(lock) && (newest === null || sequenceOf(lock) >= sequenceOf(newest))) newest = lock;
  });
  return newest;
}

const sequenceOf = (lock: Lock): number => lock.far?.valueSequence ?? 0;

/** What is written next comes after all that anybody knows of, also if nobody has that. */
function blockOf(resource: Resource, bytes: Uint8Array | null, isValid: boolean): ValueBlock | null {
  const last = newestOf(resource, () => true);
  const sequence = last === null ? 0 : sequenceOf(last);
  if (bytes === null && sequence === 0) return null;
  const block = new ValueBlock();
  block.bytes = bytes;
  block.sequence = sequence;
  block.isValid = isValid;
  return block;
}

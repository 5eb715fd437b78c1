/**
 * All locks of a rebuilt resource are there: the queues get their order back, and
 * the value is made of the copies that the holders have.
 *
 * Whoever holds more than CR has read or written the latest value, and it is valid.
 * If nobody does, the newest copy is the best there is, and not valid. Without a copy
 * there is no value any more.
 *
 * Kin: recover.c dlm_recover_rsbs(), recover_lvb().
 */
import { Flag } from '../lock/flags.js';
import type { Law } from '../lock/law.js';
import type { Lock } from '../lock/lock.js';
import { ValueBlock } from '../lock/lvb.js';
import { CR, CW, PR } from '../lock/mode.js';
import type { Resource } from '../lock/resource.js';
import type { Tables } from '../lockspace/tables.js';
import { copyOf } from '../lockspace/value-copy.js';

export function settle(tables: Tables, resource: Resource): void {
  if (tables.config.law.orderSurvives) putInOrder(resource);
  if (!tables.config.law.middleIsResent) guessModes(resource);
  resource.value = valueOf(resource, tables.config.law);
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
  const latest = newestOf(resource, (lock) => hasCopy(lock) && lock.granted > CR);
  if (latest !== null) return blockOf(copyOf(latest, law)!, latest, latest.far?.valueIsValid === true || !law.copiesAreKnown);
  const newest = newestOf(resource, hasCopy);
  return newest === null ? null : blockOf(copyOf(newest, law)!, newest, false);
}

function newestOf(resource: Resource, test: (lock: Lock) => boolean): Lock | null {
  let newest: Lock | null = null;
  resource.eachLock((lock) => {
    if (test(lock) && (newest === null || sequenceOf(lock) >= sequenceOf(newest))) newest = lock;
  });
  return newest;
}

const sequenceOf = (lock: Lock): number => lock.far?.valueSequence ?? 0;

function blockOf(bytes: Uint8Array, lock: Lock, isValid: boolean): ValueBlock {
  const block = new ValueBlock();
  block.bytes = bytes;
  block.sequence = sequenceOf(lock);
  block.isValid = isValid;
  return block;
}

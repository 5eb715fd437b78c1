/**
 * What a lock that is mastered elsewhere knows of its resource's value: a copy, which
 * write it is of, and whether it can be trusted. Of these copies a new master makes
 * the value anew when the old one is lost.
 */
import { Result } from '../lock/flags.js';
import type { Law } from '../lock/law.js';
import type { Lock } from '../lock/lock.js';
import { writeOf } from '../lock/lvb.js';
import { CR, PW, type Mode } from '../lock/mode.js';
import type { Answer } from '../wire/message.js';

/** The bytes it knows; to the kernel, whatever its caller gave last. */
export function copyOf({ far, value }: Lock, { copiesAreKnown }: Law): Uint8Array | null {
  return copiesAreKnown ? (far?.valueCopy ?? null) : value;
}

/** The lock is about to be granted this mode: what it writes with that, it knows. Was there anything? */
export function noteWrite(lock: Lock, mode: Mode, sequence: number, law: Law): boolean {
  const far = lock.far!;
  const write = writeOf(lock, mode, law);
  if (write === 'notValid') far.valueIsValid = false;
  if (write === 'value') {
    far.valueCopy = lock.value;
    far.valueIsValid = true;
    far.valueSequence = sequence;
  }
  return write !== 'nothing';
}

/** The lock is about to be granted what its master says: what that has read or written, it knows. */
export function noteValue(lock: Lock, { mode, value, valueSequence, results }: Answer, law: Law): void {
  const far = lock.far!;
  if (value !== null) {
    far.valueCopy = lock.value = value;
    far.valueIsValid = (results & Result.VALNOTVALID) === 0;
    far.valueSequence = valueSequence;
  } else if (!noteWrite(lock, mode as Mode, valueSequence, law)) {
    // Whoever held less than a writer excludes, and does not look, may have missed a write.
    if (lock.granted <= CR) far.valueIsValid = false;
    if (mode >= PW && far.valueSequence < valueSequence) {
      // He has missed one. What he writes himself, unanswered perhaps, is the next after the latest.
      far.valueCopy = null;
      far.valueSequence = valueSequence;
    }
  }
}

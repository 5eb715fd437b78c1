/**
 * The value block (LVB): when it is read, when it is written, and when it stops
 * being valid.
 *
 * A value comes into being with the first write and is forgotten with the last
 * lock. "Not valid" is a mark on the resource, set when a writer gave up or died;
 * it may be there without a value, and the next write clears it. Stale bytes are
 * still handed out, together with VALNOTVALID: the reader decides.
 *
 * Bytes are never changed in place, so that a copy is a reference.
 *
 * Kin: lvb_table.h; lock.c set_lvb_lock(), set_lvb_unlock().
 */
import { Flag, Result, lostMark } from './flags.js';
import type { Law } from './law.js';
import type { Lock } from './lock.js';
import { EX, PW, type Mode, type ModeOrNone } from './mode.js';
import type { Resource } from './resource.js';

export class ValueBlock {
  bytes: Uint8Array | null = null;
  /** One more with each write. */
  sequence = 0;
  isValid = true;
}

/** What a reader can expect. */
export type ValueState = 'none' | 'valid' | 'invalid';

type Transfer = 'read' | 'write' | 'none';

/** Row: granted before (none, NL to EX); column: requested (NL to EX). R read, W write. */
const transfers: readonly string[] = [
  /* none */ 'RRRRRR',
  /* NL   */ 'RRRRRR',
  /* CR   */ '-RRRRR',
  /* CW   */ '--RRRR',
  /* PR   */ '---RRR',
  /* PW   */ 'WWWWWR',
  /* EX   */ 'WWWWWW',
];

/** What does a grant from one mode to another do with the value? */
export function transferOf(from: ModeOrNone, to: ModeOrNone): Transfer {
  const cell = transfers[from + 1]?.[to];
  return cell === 'R' ? 'read' : cell === 'W' ? 'write' : 'none';
}

/**
 * What does a grant of that mode do with the value of this lock? Who holds PW and asks for EX wants to read; if he is granted
 * an alternative mode, which would write, he has brought nothing to be written.
 */
function transferFor(lock: Lock, mode: Mode, { alternativeIsTold }: Law): Transfer {
  const asksToRead = lock.granted === PW && (lock.requested === EX || (lock.results & Result.ALTMODE) !== 0);
  return asksToRead && alternativeIsTold ? 'read' : transferOf(lock.granted, mode);
}

export function stateOf(value: ValueBlock | null): ValueState {
  if (value === null || value.bytes === null) return 'none';
  return value.isValid ? 'valid' : 'invalid';
}

/**
 * Move the value as a grant demands, before the lock takes its new mode.
 *
 * Returns what the caller is given, or null. VALNOTVALID is reported only to a
 * caller who could have read, or whose conversion moves nothing.
 */
export function moveValueOnGrant(resource: Resource, lock: Lock, law: Law): Uint8Array | null {
  const transfer = transferFor(lock, lock.requested as Mode, law);
  let given: Uint8Array | null = null;

  if (transfer === 'read') {
    if (!lock.has(Flag.VALBLK) || lock.value === null) return null;
    if (resource.value === null || resource.value.bytes === null) return null;
    given = lock.value = resource.value.bytes;
  } else if (transfer === 'write') {
    if (!write(resource, lock, isDeclaredNotValid(lock))) return null;
  }

  if (resource.value !== null && !resource.value.isValid) lock.results |= Result.VALNOTVALID;
  return given;
}

/** Does a grant of this mode write the caller's value, or declare the resource's not valid? */
export function writeOf(lock: Lock, mode: Mode, law: Law): 'value' | 'notValid' | 'nothing' {
  if (transferFor(lock, mode, law) !== 'write') return 'nothing';
  if (isDeclaredNotValid(lock)) return 'notValid';
  return lock.has(Flag.VALBLK) && lock.value !== null ? 'value' : 'nothing';
}

/** Does the conversion say so, or is what it brought lost? */
function isDeclaredNotValid(lock: Lock): boolean {
  return lock.has(Flag.IVVALBLK) || lock.has(lostMark);
}

/** Move the value as an unlock demands: only PW and EX write. */
export function moveValueOnUnlock(resource: Resource, lock: Lock): void {
  if (lock.granted >= PW) write(resource, lock, lock.has(Flag.IVVALBLK));
}

/** Write the caller's value, or declare the resource's not valid. Was it written? */
function write(resource: Resource, lock: Lock, isNotValid: boolean): boolean {
  if (isNotValid) {
    resource.value ??= new ValueBlock();
    resource.value.isValid = false;
    return false;
  }
  if (!lock.has(Flag.VALBLK) || lock.value === null) return false;

  const value = (resource.value ??= new ValueBlock());
  value.bytes = lock.value.slice();
  value.sequence += 1;
  value.isValid = true;
  return true;
}

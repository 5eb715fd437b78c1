/**
 * What was on its way to a master that is gone: finish it, or ask again.
 *
 *   a request, a lookup    asked again, wherever the master is now
 *   a conversion           the lock was rebuilt in its old mode; asked again
 *   an unlock              done: nobody has told the new master of the lock
 *   a cancel               done: a request has ended, a conversion fell back
 *
 * If the owner wanted to end it or to take it back meanwhile, that is done instead.
 *
 * Kin: lock.c dlm_recover_waiters_pre(), dlm_recover_waiters_post().
 */
import { Flag, againMark } from '../lock/flags.js';
import type { Lock } from '../lock/lock.js';
import { IV } from '../lock/mode.js';
import { convertNow } from '../lock/operations.js';
import type { Resource } from '../lock/resource.js';
import { endAsked, endHere, tell } from '../lockspace/delivery.js';
import { ask, sendConvert, sendUnlock } from '../lockspace/request.js';
import type { Tables } from '../lockspace/tables.js';
import { isEnding } from './rebuild-locks.js';

/** Adds to `touched` the resources here on which something may be granted now. */
export function resend(tables: Tables, touched: Set<Resource>): void {
  const adrift: Lock[] = [];
  tables.locks.each((lock) => {
    if (isAdrift(tables, lock)) adrift.push(lock);
  });
  adrift.sort((one, other) => one.id - other.id);
  for (const lock of adrift) {
    // What has been told to end since the new master heard of it (a purge that came meanwhile) ends there.
    if (isEnding(lock) && lock.far!.lkid === null) finish(tables, lock);
    else if (lock.place === 'asked') ask(tables, lock);
    else carryOn(tables, lock);
    if (tables.isMasterOf(lock.resource)) touched.add(lock.resource);
  }
}

/** Is it to hear from nobody, unless it asks again? */
function isAdrift(tables: Tables, { far, resource }: Lock): boolean {
  if (far === null || far.copy === 'master' || far.pending === 'none' || far.node !== null) return false;
  return far.pending !== 'parked' || !tables.lookups.has(resource);
}

/** It is over; the new master has never heard of it. */
function finish(tables: Tables, lock: Lock): void {
  const { pending, overlap, cancelStatus } = lock.far!;
  if (pending === 'unlock') endHere(tables, lock, 'EUNLOCK');
  else if (overlap !== null) endAsked(tables, lock, overlap);
  else endHere(tables, lock, cancelStatus);
}

/** A conversion, or the cancel of one. The lock has been rebuilt in the mode it had. */
function carryOn(tables: Tables, lock: Lock): void {
  const far = lock.far!;
  const { pending, overlap, cancelStatus } = far;
  far.pending = 'none';
  far.overlap = null;
  far.node = tables.isMasterOf(lock.resource) ? null : lock.resource.home.master;

  if (overlap?.operation === 'unlock') {
    sendUnlock(tables, lock, overlap.flags, overlap.value);
  } else if (pending === 'cancel' && lock.requested === IV) {
    lock.flags &= ~Flag.CANCEL;
  } else if (pending === 'cancel' || overlap?.operation === 'cancel') {
    lock.requested = IV;
    if (lock.place === 'converting') lock.resource.joinGranted(lock, tables.turn.now);
    tell(tables, lock, pending === 'cancel' ? cancelStatus : (overlap?.status ?? 'ECANCEL'), null);
  } else if (pending === 'convert') {
    lock.flags |= againMark;
    if (tables.isMasterOf(lock.resource)) convertNow(tables.turn, lock);
    else sendConvert(tables, lock);
  }
}

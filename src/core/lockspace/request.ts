/**
 * Asking a master on another node, for the locks that are held here.
 *
 * A lock has at most one question under way; what its owner wants meanwhile is
 * remembered and asked afterwards (reply.ts). Who the master is, the first lock of a
 * resource finds out for all: its request goes to the directory node, which answers it
 * if it is the master itself, and otherwise says who is.
 *
 * Kin: lock.c set_master(), send_request(), send_convert(), send_unlock(), send_cancel(),
 * add_to_waiters(), validate_unlock_args().
 */
import { Flag, brokenConvertRule, oldTokenMark } from '../lock/flags.js';
import { FarEnd, type Overlap } from '../lock/far-end.js';
import type { Law } from '../lock/law.js';
import type { Lock } from '../lock/lock.js';
import { CR, IV, isDown, isSilent, type Mode, type ModeOrNone } from '../lock/mode.js';
import { cancelTwiceRule, keptFlags, request, type CancelStatus, type Conversion, type Refused } from '../lock/operations.js';
import type { Resource } from '../lock/resource.js';
import { endHere, tell, tellWaits } from './delivery.js';
import type { Tables } from './tables.js';
import { noteWrite } from './value-copy.js';

/** A new lock, whose wishes are in it, is asked for wherever its resource is mastered. */
export function ask(tables: Tables, lock: Lock): void {
  const { resource } = lock;
  if (resource.home.master === null) tables.findHome(resource);
  if (tables.isMasterOf(resource)) {
    askHere(tables, lock);
    return;
  }
  const far = (lock.far ??= new FarEnd('process', null, null));
  far.copy = 'process';
  if (lock.place === 'nowhere') {
    resource.joinAsked(lock, tables.turn.now);
    tellWaits(tables, lock);
  }

  if (resource.home.master === null && tables.lookups.has(resource)) {
    park(tables, lock);
    return;
  }
  const isLookup = resource.home.master === null;
  if (isLookup) tables.lookups.set(resource, []);
  far.pending = isLookup ? 'lookup' : 'request';
  far.node = resource.home.master ?? tables.members.directoryOf(resource.name);
  const { id: lkid, flags, value } = lock;
  const mode = lock.requested as never;
  tables.send(far.node, { kind: 'request', lockspace: tables.id, seq: tables.seq, lkid, name: resource.name, mode, flags, value, isLookup });
}

/** It waits behind those that want to know the same, and asks after them. */
export function park(tables: Tables, lock: Lock): void {
  const far = lock.far!;
  far.pending = 'parked';
  far.node = null;
  const others = tables.lookups.get(lock.resource);
  if (others === undefined) tables.lookups.set(lock.resource, [lock]);
  else others.push(lock);
}

/** This node is the master after all. */
function askHere(tables: Tables, lock: Lock): void {
  lock.resource.leave(lock);
  const { far } = lock;
  if (far !== null) {
    far.copy = 'local';
    far.pending = 'none';
    far.node = null;
    far.lkid = null;
  }
  request(tables.turn, lock);
  if (far !== null && lock.place === 'nowhere') tables.forget(lock);
}

/** The question who is master is settled: those who waited to know go and ask. */
export function askParked(tables: Tables, resource: Resource): void {
  const parked = tables.lookups.get(resource);
  if (parked === undefined) return;
  tables.lookups.delete(resource);
  for (const lock of parked) if (lock.place === 'asked') ask(tables, lock);
}

/** Convert a lock that is mastered elsewhere. */
export function askConvert(tables: Tables, lock: Lock, wish: Conversion): Refused | null {
  if (lock.place !== 'granted' || lock.far!.pending !== 'none') return { code: 'EBUSY', rule: null };
  const broken = brokenConvertRule(wish.flags, lock.granted, wish.mode);
  if (broken !== null) return { code: 'EINVAL', rule: broken };

  lock.ask(wish.mode, wish.flags | keptFlags(tables.turn.law, lock), wish.value);
  if (!isUnanswered(tables.turn.law, lock.granted, wish.mode)) tellWaits(tables, lock);
  sendConvert(tables, lock);
  return null;
}

/** The conversion that the lock asks for, sent for the first time or again. */
export function sendConvert(tables: Tables, lock: Lock): void {
  const far = lock.far!;
  const { id: lkid, flags, value } = lock;
  const mode = lock.requested as never;
  far.node = lock.resource.home.master!;
  tables.send(far.node, { kind: 'convert', lockspace: tables.id, seq: tables.seq, lkid, masterLkid: far.lkid!, mode, flags, value });
  if (isUnanswered(tables.turn.law, lock.granted, mode)) convertSilently(tables, lock);
  else far.pending = 'convert';
}

/** Is a conversion done by its holder at once? By the kernel's law that is every one downward, whatever its master thinks. */
export function isUnanswered(law: Law, from: ModeOrNone, to: Mode): boolean {
  return law.alternativeIsTold ? isSilent(from, to) : isDown(from, to);
}

/** Nobody can be in the way of this one: it is done, here, as soon as it is on its way. */
export function convertSilently(tables: Tables, lock: Lock): void {
  noteWrite(lock, lock.requested as Mode, lock.far!.valueSequence + 1, tables.turn.law);
  lock.granted = lock.requested;
  // Its master has given it another token with that, and does not say so.
  if (lock.granted > CR) lock.flags |= oldTokenMark;
  lock.requested = IV;
  if (lock.blocking !== null) lock.blocking.told = IV;
  tell(tables, lock, 'OK', null);
}

const busy: Refused = { code: 'EBUSY', rule: null };

/** End a lock that is mastered elsewhere. */
export function askUnlock(tables: Tables, lock: Lock, flags: number, value: Uint8Array | null): Refused | null {
  const far = lock.far!;
  const isForced = (flags & Flag.FORCEUNLOCK) !== 0;
  if (far.pending !== 'none' && !isForced) return busy;
  // It ends already. What that brings counts, and not what somebody brings who ends it once more.
  if (far.pending === 'unlock' || far.overlap?.operation === 'unlock') return null;
  if (far.pending === 'parked') endHere(tables, lock, 'EUNLOCK');
  else if (far.pending !== 'none') far.overlap = { operation: 'unlock', flags, value, status: 'ECANCEL', isSent: false };
  else sendUnlock(tables, lock, flags, value);
  return null;
}

export function sendUnlock(tables: Tables, lock: Lock, flags: number, value: Uint8Array | null): void {
  const far = lock.far!;
  lock.flags |= flags;
  lock.results = 0;
  far.pending = 'unlock';
  far.node = lock.resource.home.master!;
  // What the last conversion said counts on, unless the lock was adopted since; its master does not learn that otherwise.
  const said = flags | (lock.flags & Flag.IVVALBLK);
  tables.send(far.node, { kind: 'unlock', lockspace: tables.id, seq: tables.seq, lkid: lock.id, masterLkid: far.lkid!, flags: said, value });
}

/** Take back what a lock waits for that is mastered elsewhere. */
export function askCancel(tables: Tables, lock: Lock, flags: number, status: CancelStatus): Refused | null {
  const far = lock.far!;
  const isQuiet = tables.turn.law.cancelAgainIsQuiet;
  if (lock.has(Flag.CANCEL) || far.pending === 'unlock' || far.pending === 'cancel' || far.overlap !== null) {
    return isQuiet ? null : { code: 'EINVAL', rule: cancelTwiceRule };
  }
  if (far.pending === 'none' && lock.place === 'granted') return null;
  lock.flags |= flags | Flag.CANCEL;
  if (far.pending === 'parked') endHere(tables, lock, status);
  else if (far.pending === 'none') {
    sendCancel(tables, lock, flags, status);
    awaitCancel(lock, status);
  } else {
    far.overlap = { operation: 'cancel', flags, value: null, status, isSent: false };
  }
  return null;
}

/** The same, and a conversion without an answer is taken back right behind it, before its master hears anything else from here. */
export function askCancelBehind(tables: Tables, lock: Lock): void {
  askCancel(tables, lock, 0, 'ECANCEL');
  const far = lock.far!;
  const { overlap } = far;
  if (far.pending !== 'convert' || overlap?.operation !== 'cancel') return;
  far.overlap = { ...overlap, isSent: true };
  sendCancel(tables, lock, overlap.flags, overlap.status);
}

function sendCancel(tables: Tables, lock: Lock, flags: number, status: CancelStatus): void {
  const far = lock.far!;
  far.node = lock.resource.home.master!;
  tables.send(far.node, { kind: 'cancel', lockspace: tables.id, seq: tables.seq, lkid: lock.id, masterLkid: far.lkid!, flags, status });
}

function awaitCancel(lock: Lock, status: CancelStatus): void {
  const far = lock.far!;
  lock.results = 0;
  far.pending = 'cancel';
  far.cancelStatus = status;
}

/** The question that was in the way is answered: now what the owner wanted meanwhile. */
export function askOverlapped(tables: Tables, lock: Lock, overlap: Overlap): void {
  const { operation, flags, value, status, isSent } = overlap;
  if (operation === 'unlock') {
    sendUnlock(tables, lock, flags, value);
  } else if (isSent || lock.place !== 'granted') {
    if (!isSent) sendCancel(tables, lock, flags, status);
    awaitCancel(lock, status);
  }
}

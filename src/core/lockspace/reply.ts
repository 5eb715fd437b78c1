/**
 * Answers that arrive at the holder: what a master on another node, or the
 * directory, says about a lock that is held here.
 *
 * An answer is heeded only if it comes from the node that was asked. An answer to a
 * question that has been asked again elsewhere since, is nothing.
 *
 * Kin: lock.c receive_request_reply(), receive_convert_reply(), receive_unlock_reply(),
 * receive_cancel_reply(), receive_grant(), receive_bast(), receive_lookup_reply().
 */
import type { NodeId } from '../base/ids.js';
import type { Status } from '../base/status.js';
import { Flag, Result, oldTokenMark } from '../lock/flags.js';
import { keepOnly } from '../lock/grant.js';
import type { Lock } from '../lock/lock.js';
import { IV, compatible } from '../lock/mode.js';
import type { Resource } from '../lock/resource.js';
import { Block } from '../lock/turn.js';
import type { Answer, Blocking, LookupReply } from '../wire/message.js';
import { endAsked, endHere, tell } from './delivery.js';
import { ask, askOverlapped, askParked, park } from './request.js';
import type { Tables } from './tables.js';
import { noteValue } from './value-copy.js';

export function receiveAnswer(tables: Tables, from: NodeId, answer: Answer): void {
  const lock = tables.locks.get(answer.lkid);
  if (lock === null || lock.copy !== 'process' || lock.far!.node !== from) tables.disregard(from, answer, 'over');
  else if (tables.hasMovedSince(answer.seq, lock.resource.name, from)) tables.disregard(from, answer, 'moved');
  else if (!heedAnswer(tables, lock, from, answer)) tables.disregard(from, answer, 'over');
}

/** False: nothing was asked that this would be an answer to. */
function heedAnswer(tables: Tables, lock: Lock, from: NodeId, answer: Answer): boolean {
  switch (answer.kind) {
    case 'requestReply':
      return requestAnswered(tables, lock, from, answer);
    case 'convertReply':
      if (!settles(lock, 'convert')) return false;
      convertAnswered(tables, lock, answer);
      return true;
    case 'unlockReply':
      if (!settles(lock, 'unlock')) return false;
      endHere(tables, lock, 'EUNLOCK');
      return true;
    case 'cancelReply':
      if (!settles(lock, 'cancel')) return false;
      cancelAnswered(tables, lock, answer);
      return true;
    case 'grant':
      if (lock.place !== 'waiting' && lock.place !== 'converting') return false;
      if (answer.standing === 'queued') noteDemotion(lock, answer);
      else grantHere(tables, lock, answer);
      return true;
  }
}

/** Was this the question? Then it is answered. */
function settles(lock: Lock, question: 'convert' | 'unlock' | 'cancel'): boolean {
  const far = lock.far!;
  if (far.pending !== question) return false;
  far.pending = 'none';
  return true;
}

function requestAnswered(tables: Tables, lock: Lock, from: NodeId, answer: Answer): boolean {
  const far = lock.far!;
  const { resource } = lock;
  const wasLookup = far.pending === 'lookup';
  if (!wasLookup && far.pending !== 'request') return false;
  far.pending = 'none';
  if (answer.standing === 'notMaster') {
    askElsewhere(tables, lock, from, wasLookup);
    return true;
  }
  far.lkid = answer.masterLkid;
  if (resource.home.master !== from && !isSure(resource)) resource.home = tables.homeAt(from);
  const { overlap } = far;
  far.overlap = null;
  const hadToWait = tables.detours.end(resource);

  if (answer.standing === 'EAGAIN') endHere(tables, lock, 'EAGAIN');
  else if (answer.standing === 'OK') grantHere(tables, lock, answer);
  else queueHere(tables, lock, 'waiting', answer);
  if (wasLookup || hadToWait) askParked(tables, resource);
  if (overlap !== null && answer.standing !== 'EAGAIN') askOverlapped(tables, lock, overlap);
  return true;
}

/** Does a master know a lock of ours? Then it is the master, whatever others have said before. */
function isSure(resource: Resource): boolean {
  return resource.findLock(({ place }) => place !== 'asked') !== null;
}

/** The node that was asked is not the master, or no longer: the directory knows better. */
function askElsewhere(tables: Tables, lock: Lock, from: NodeId, wasLookup: boolean): void {
  const { resource } = lock;
  const far = lock.far!;
  const wasSentThere = resource.home.master === from && !isSure(resource);
  if (wasSentThere) tables.loseHome(resource);
  if (wasSentThere && far.overlap === null && tables.detours.note(tables.turn.now, resource)) return park(tables, lock);
  const parked = wasLookup ? (tables.lookups.get(resource) ?? []) : [];
  if (wasLookup) tables.lookups.delete(resource);
  if (far.overlap === null) ask(tables, lock);
  else endAsked(tables, lock, far.overlap);
  for (const other of parked) if (other.place === 'asked') ask(tables, other);
}

export function receiveLookupReply(tables: Tables, from: NodeId, reply: LookupReply): void {
  const lock = tables.locks.get(reply.lkid);
  const isExpected = lock?.copy === 'process' && lock.far!.node === from && (lock.far!.pending === 'lookup' || lock.far!.pending === 'request');
  if (!isExpected) {
    tables.disregard(from, reply, 'over');
    return;
  }
  const { resource } = lock;
  const far = lock.far!;
  const wasLookup = far.pending === 'lookup';
  far.pending = 'none';
  // A directory from before the last recovery may have told others otherwise since.
  if (reply.seq < tables.members.seq) {
    askElsewhere(tables, lock, from, wasLookup);
    return;
  }
  if (!isSure(resource)) settleHome(tables, resource, reply);
  if (tables.isMasterOf(resource)) tables.detours.end(resource);
  const { overlap } = far;
  far.overlap = null;
  if (overlap === null) ask(tables, lock);
  else endAsked(tables, lock, overlap);
  askParked(tables, resource);
}

/** Another lock of ours may have been told before that this node is the master. */
function settleHome(tables: Tables, resource: Resource, { master, mastership }: LookupReply): void {
  if (master !== tables.self) resource.home = tables.homeAt(master);
  else if (!tables.isMasterOf(resource)) tables.becomeMaster(resource, mastership);
}

function convertAnswered(tables: Tables, lock: Lock, answer: Answer): void {
  const { overlap } = lock.far!;
  lock.far!.overlap = null;
  if (answer.standing === 'OK') grantHere(tables, lock, answer);
  else if (answer.standing === 'queued') queueHere(tables, lock, 'converting', answer);
  else {
    lock.requested = IV;
    tell(tables, lock, answer.standing as Status, answer);
  }
  if (overlap !== null) askOverlapped(tables, lock, overlap);
}

function cancelAnswered(tables: Tables, lock: Lock, answer: Answer): void {
  const { overlap } = lock.far!;
  lock.far!.overlap = null;
  if (answer.standing === 'nothing') {
    if (tables.turn.law.cancelAgainIsQuiet) lock.flags &= ~Flag.CANCEL;
  } else if (answer.mode === IV) {
    endHere(tables, lock, answer.standing as 'ECANCEL');
    return;
  } else {
    keepOnly(lock, answer.mode);
    lock.requested = IV;
    lock.resource.joinGranted(lock, tables.turn.now);
    tell(tables, lock, answer.standing as Status, answer);
  }
  if (overlap !== null) askOverlapped(tables, lock, overlap);
}

function queueHere(tables: Tables, lock: Lock, place: 'waiting' | 'converting', answer: Answer): void {
  lock.resource.joinQueue(lock, place, tables.turn.now);
  lock.far!.queueNumber = answer.queueNumber;
  noteDemotion(lock, answer);
}

/** It may have given up its mode when it was asked for, or since. */
function noteDemotion(lock: Lock, { mode, results }: Answer): void {
  if ((results & Result.DEMOTED) === 0) return;
  lock.granted = mode;
  lock.results = results;
}

function grantHere(tables: Tables, lock: Lock, answer: Answer): void {
  const far = lock.far!;
  noteValue(lock, answer, tables.turn.law);
  const knowsMode = answer.kind !== 'convertReply' || tables.turn.law.alternativeIsTold;
  lock.granted = knowsMode ? answer.mode : lock.requested;
  lock.requested = IV;
  lock.flags &= ~oldTokenMark;
  // What it has given up when its master was lost, the next one does not know.
  lock.results = answer.results | (lock.results & Result.DEMOTED);
  lock.tokenSequence = answer.sequence;
  far.generation = answer.generation;
  far.mastership = answer.mastership;
  if (lock.blocking !== null) lock.blocking.told = IV;
  lock.resource.joinGranted(lock, tables.turn.now);
  tell(tables, lock, 'OK', answer);
}

export function receiveBlocking(tables: Tables, from: NodeId, message: Blocking): void {
  const { lkid, mode } = message;
  const lock = tables.locks.get(lkid);
  // Whoever takes a conversion for done is told again, if what it has then is in the way.
  const isOver = lock !== null && (compatible(lock.granted, mode) || tables.turn.toldEarly.has(lock));
  // The master is the new one maybe, and what the lock wants has not been asked of that one yet.
  if (lock === null || lock.copy !== 'process' || lock.resource.home.master !== from || isOver) {
    tables.disregard(from, message, 'over');
    return;
  }
  // Should this node become the master, the holder knows already.
  lock.remember().told = mode;
  if (lock.owner === null) return;
  tables.outbox.push(new Block(lock.cookie, lock.id, mode));
}

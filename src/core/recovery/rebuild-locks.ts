/**
 * A new master hears of the locks on its resources: from itself first, then from
 * everybody who holds or wants one.
 *
 * A lock is told as its holder knows it. What was on its way to the old master is not
 * told: it will be sent again (resend.ts). A lock that is being ended is not told at
 * all. After an abandoned recovery a holder may tell the same lock again; then it is
 * given the number it has.
 *
 * Kin: recover.c dlm_recover_locks(); lock.c dlm_recover_master_copy().
 */
import type { Lkid, NodeId } from '../base/ids.js';
import { FarEnd } from '../lock/far-end.js';
import { Flag, Result, againMark } from '../lock/flags.js';
import { Lock } from '../lock/lock.js';
import { IV, type ModeOrNone } from '../lock/mode.js';
import type { Resource } from '../lock/resource.js';
import type { Law } from '../lock/law.js';
import type { Tables } from '../lockspace/tables.js';
import { copyOf } from '../lockspace/value-copy.js';
import type { LockRecord, RebuildLocks, RebuildLocksReply } from '../wire/message.js';
import { ByNode, type Errands } from './errands.js';

/** This node is the new master: its own locks are where they belong. What is still asked for is not one: its answer may be under way. */
export function keepOwnLocks(resource: Resource): void {
  resource.eachLock((lock) => {
    if (lock.place === 'asked') return;
    lock.far!.copy = 'local';
    if (lock.place === 'converting') lock.flags |= againMark;
    if (isEnding(lock)) resource.leave(lock);
  });
}

/** Tell the new masters. */
export function tellLocks(tables: Tables, errands: Errands): void {
  const untold = new ByNode<Lock>();
  tables.locks.each((lock) => {
    const { far } = lock;
    if (far === null || far.copy !== 'process' || far.lkid !== null || lock.place === 'asked' || isEnding(lock)) return;
    untold.add(lock.resource.home.master!, lock);
  });
  for (const [node, locks] of untold.batches()) {
    const send = (batch: number): void => {
      tables.send(node, { kind: 'rebuildLocks', lockspace: tables.id, seq: tables.seq, batch, locks: locks.map((lock) => recordOf(lock, tables.config.law)) });
    };
    errands.ask(node, send, ({ masterLkids }: RebuildLocksReply) => {
      for (const [place, lock] of locks.entries()) {
        lock.far!.lkid = masterLkids[place]!;
        // What is under way goes on under its old sender's name; see resend.ts.
        if (lock.far!.pending === 'none') lock.far!.node = node;
      }
    });
  }
}

/** Has it been asked to end, or a request that waits to be taken back? By now that is done. */
export function isEnding(lock: Lock): boolean {
  const { pending, overlap } = lock.far!;
  if (pending === 'unlock' || overlap?.operation === 'unlock') return true;
  return lock.granted === IV && (pending === 'cancel' || overlap?.operation === 'cancel');
}

/** A conversion that is being taken back is over. */
function wantsOf(lock: Lock): ModeOrNone {
  return lock.place === 'granted' || lock.far!.pending === 'cancel' ? IV : lock.requested;
}

function recordOf(lock: Lock, law: Law): LockRecord {
  const { id, resource, granted, flags, results, generation, mastership, tokenSequence } = lock;
  const far = lock.far!;
  const { valueSequence, queueNumber } = far;
  return {
    lkid: id,
    name: resource.name,
    granted,
    requested: wantsOf(lock),
    flags,
    results: far.valueIsValid ? results : results | Result.VALNOTVALID,
    value: copyOf(lock, law),
    valueSequence,
    generation,
    mastership,
    sequence: tokenSequence,
    queueNumber,
  };
}

/** The locks of a recovery by holder and number there, in case they are told again. */
export class Rebuilt {
  readonly #byHolder = new Map<NodeId, Map<Lkid, Lock>>();

  of(holder: NodeId): Map<Lkid, Lock> {
    let known = this.#byHolder.get(holder);
    if (known === undefined) this.#byHolder.set(holder, (known = new Map()));
    return known;
  }

  clear(): void {
    this.#byHolder.clear();
  }
}

export function receiveLocks(tables: Tables, from: NodeId, message: RebuildLocks, rebuilt: Rebuilt): void {
  const rebuiltOfHolder = rebuilt.of(from);
  const masterLkids = message.locks.map((record) => {
    const known = rebuiltOfHolder.get(record.lkid);
    if (known !== undefined && tables.locks.get(known.id) === known) {
      // Meanwhile it may have been given back, and with it what it had written.
      known.far!.valueIsValid = isValueValid(record);
      return known.id;
    }
    const lock = rebuild(tables, from, record);
    rebuiltOfHolder.set(record.lkid, lock);
    tables.unsettled.add(lock.resource);
    return lock.id;
  });
  tables.send(from, { kind: 'rebuildLocksReply', lockspace: tables.id, seq: tables.seq, batch: message.batch, masterLkids });
}

const isValueValid = ({ results }: LockRecord): boolean => (results & Result.VALNOTVALID) === 0;

/** In the place of what the owner of a lock brought, so that the lock is one that reads the value. */
const brought = new Uint8Array(0);

function rebuild(tables: Tables, from: NodeId, record: LockRecord): Lock {
  const resource = tables.resources.take(record.name);
  if (!tables.isMasterOf(resource)) tables.becomeMaster(resource, tables.numbers.nextMastership());
  const lock = new Lock(tables.numbers.nextLkid(tables.locks), resource, null, null, tables.turn.now);
  const far = new FarEnd('master', from, record.lkid);
  far.valueCopy = record.value;
  far.valueIsValid = isValueValid(record);
  far.valueSequence = record.valueSequence;
  far.queueNumber = record.queueNumber;
  far.generation = record.generation;
  far.mastership = record.mastership;
  lock.far = far;
  lock.flags = record.flags;
  // The mark in the record is of the copy; what the lock is told next is not known yet.
  lock.results = record.results & ~Result.VALNOTVALID;
  lock.granted = record.granted;
  lock.requested = record.requested;
  // What its owner brought stays with it: a value that the old master has not written is never written by another.
  lock.value = record.value ?? (lock.has(Flag.VALBLK) ? brought : null);
  lock.tokenSequence = record.sequence;
  if (record.requested === IV) resource.joinGranted(lock, tables.turn.now);
  else resource.joinQueue(lock, record.granted === IV ? 'waiting' : 'converting', tables.turn.now);
  if (lock.place === 'converting') lock.flags |= againMark;
  tables.locks.add(lock);
  return lock;
}

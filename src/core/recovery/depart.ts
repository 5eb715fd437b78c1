/**
 * What the departure of members means for the locks here, at once and without asking
 * anybody. It can be done again and again, and nothing is granted by it.
 *
 *   - Locks of the departed end. A value one of them may have been writing is no
 *     longer valid: it held PW or EX and had a value block with its last call.
 *   - Resources that a departed node was master of have lost their home; what is held
 *     here of them will be told to a new master.
 *   - Without a directory, a resource also moves when the shares do.
 *   - Whoever was looking for a master looks again.
 *
 * Kin: lock.c dlm_recover_purge(); recover.c set_lock_master(); dlm_clear_inactive().
 */
import type { NodeId } from '../base/ids.js';
import { FarEnd } from '../lock/far-end.js';
import { Flag } from '../lock/flags.js';
import type { Lock } from '../lock/lock.js';
import { PW } from '../lock/mode.js';
import type { Resource } from '../lock/resource.js';
import type { Tables } from '../lockspace/tables.js';

/** Returns the resources here that have lost a lock and may have something to grant now. */
export function depart(tables: Tables, departed: ReadonlySet<NodeId>): Set<Resource> {
  const touched = new Set<Resource>();
  tables.resources.forgetIdle();
  tables.directory.clear();
  for (const resource of [...tables.resources]) {
    if (tables.isMasterOf(resource)) purge(tables, resource, departed, touched);
    moveHome(tables, resource, departed);
  }
  for (const lock of tables.locks) lookAgain(lock);
  tables.lookups.clear();
  return touched;
}

function purge(tables: Tables, resource: Resource, departed: ReadonlySet<NodeId>, touched: Set<Resource>): void {
  if (departed.size === 0) return;
  for (const lock of resource.allLocks()) {
    if (lock.copy !== 'master' || !departed.has(lock.far!.node!)) continue;
    if (lock.granted >= PW && lock.has(Flag.VALBLK) && resource.value !== null && resource.value.bytes !== null) resource.value.isValid = false;
    resource.leave(lock);
    tables.locks.remove(lock);
    touched.add(resource);
  }
  if (resource.isIdle) tables.retire(resource);
}

function moveHome(tables: Tables, resource: Resource, departed: ReadonlySet<NodeId>): void {
  const { master } = resource.home;
  const isLost = master === null || departed.has(master);
  const moves = tables.config.nodir && master !== tables.members.directoryOf(resource.name);
  if (!isLost && !moves && !isHalfTold(resource)) return;
  if (master === tables.self) {
    if (!moves) return;
    giveAway(tables, resource);
  }
  tables.loseHome(resource);
  for (const lock of resource.allLocks()) {
    lock.far!.node = null;
    lock.far!.lkid = null;
  }
}

/** A recovery that was abandoned had found a new master, which has not heard of all the locks here. */
function isHalfTold(resource: Resource): boolean {
  for (const lock of resource.allLocks()) {
    if (lock.copy === 'process' && lock.place !== 'asked' && lock.far!.lkid === null) return true;
  }
  return false;
}

/** Another node will be master: the locks of others go, for they tell it themselves; ours become copies. */
function giveAway(tables: Tables, resource: Resource): void {
  const sequence = resource.value?.sequence ?? 0;
  for (const lock of resource.allLocks()) {
    if (lock.copy === 'master') {
      resource.leave(lock);
      tables.locks.remove(lock);
    } else {
      becomeProcessCopy(lock, sequence);
    }
  }
}

function becomeProcessCopy(lock: Lock, valueSequence: number): void {
  const { generation, mastership } = lock;
  const far = (lock.far ??= new FarEnd('process', null, null));
  far.copy = 'process';
  far.generation = generation;
  far.mastership = mastership;
  far.valueSequence = valueSequence;
}

/** The answer to a lookup may be out of date, or may never come. */
function lookAgain(lock: Lock): void {
  const { far } = lock;
  if (far === null || (far.pending !== 'lookup' && far.pending !== 'parked')) return;
  far.pending = 'parked';
  far.node = null;
}

/**
 * A node's own dump as an audit. A node without an engine is master of all it has,
 * and has no directory.
 */
import type { LockDump, LockspaceDump, ResourceDump } from '../node/snapshot.js';
import type { Audit, LockAudit } from './audit.js';
import type { Machine } from './machine.js';

/** How does this life stand in that lockspace? Null: it is not in it, or not in the view. */
export function auditDump(machine: Machine, lockspace: string): Audit | null {
  const dump = machine.dump(lockspace);
  return dump === null || machine.isOut ? null : auditOf(machine, dump);
}

function auditOf({ id, life }: Machine, { name, resources }: LockspaceDump): Audit {
  const own = resources.flatMap((resource) => locksOf(resource).map((lock): LockAudit => ({
    resource: resource.name,
    lkid: lock.lkid,
    holder: id,
    holderLkid: lock.lkid,
    owner: lock.owner,
    isOrphan: lock.isOrphan,
    granted: lock.granted,
    requested: lock.requested,
  })));
  return {
    life,
    node: id,
    lockspace: name,
    isOpen: true,
    resources: resources.map((resource) => ({ name: resource.name, master: id })),
    own,
    mastered: own,
    directory: null,
  };
}

function locksOf({ granted, converting, waiting }: ResourceDump): LockDump[] {
  return [...granted, ...converting, ...waiting];
}

/**
 * The nodes' own dumps as audits, the directory asked for every name that somebody
 * is master of.
 */
import type { NodeId } from '../base/ids.js';
import type { DlmNode } from '../node/node.js';
import type { LockDump, ResourceDump } from '../node/snapshot.js';
import type { Audit, LockAudit } from './audit.js';
import type { Life } from './event.js';

/** A node that is to be looked at. */
export interface Audited {
  readonly id: NodeId;
  readonly life: Life;
  readonly node: DlmNode;
}

/** How do these stand in that lockspace? Who has not joined it is left out. */
export function auditNodes(nodes: readonly Audited[], lockspace: string): Audit[] {
  const joined = nodes.filter(({ node }) => node.hasLockspace(lockspace));
  const names = new Set<string>();
  for (const { id, node } of joined) {
    for (const { name, master } of node.dump(lockspace)!.resources) if (master === id) names.add(name);
  }
  return joined.map((audited) => auditOf(audited, lockspace, names));
}

function auditOf({ id, life, node }: Audited, lockspace: string, names: ReadonlySet<string>): Audit {
  const { resources } = node.dump(lockspace)!;
  const { isRunning, lockspace: { tables }, aftermath: { gate, work, application } } = node.stack(lockspace)!;
  const locks = resources.flatMap((resource) => locksOf(resource).map((lock) => lockAudit(id, resource, lock)));
  return {
    life,
    node: id,
    lockspace,
    isOpen: isRunning,
    isSuspended: !gate.isOpen,
    hasApplication: application !== null,
    pendingSlots: work.pending.length,
    openCases: node.fencing.isSettled ? node.fencing.latestOpen().length : null,
    resources: resources.map(({ name, master }) => ({ name, master })),
    own: locks.filter(({ holder }) => holder === id),
    mastered: locks.filter(({ resource }) => resources.some(({ name, master }) => name === resource && master === id)),
    directory: new Map(directoryShare(node, lockspace, id, names)),
    entryCount: tables.directory.size,
  };
}

/** A name whose master is the directory node itself has no entry. */
function* directoryShare(node: DlmNode, lockspace: string, id: NodeId, names: ReadonlySet<string>): Generator<[string, NodeId]> {
  const { tables } = node.stack(lockspace)!.lockspace;
  for (const name of names) {
    if (tables.members.directoryOf(name) !== id) continue;
    const entry = tables.directory.get(name);
    const here = tables.resources.known(name);
    const master = entry?.master ?? (here !== null && tables.isMasterOf(here) ? id : null);
    if (master !== null) yield [name, master];
  }
}

function locksOf({ granted, converting, waiting }: ResourceDump): LockDump[] {
  return [...granted, ...converting, ...waiting];
}

function lockAudit(id: NodeId, resource: ResourceDump, lock: LockDump): LockAudit {
  return {
    resource: resource.name,
    lkid: lock.lkid,
    holder: lock.holder ?? id,
    holderLkid: lock.holderLkid ?? lock.lkid,
    owner: lock.holder === null ? lock.owner : null,
    isOrphan: lock.isOrphan,
    granted: lock.granted,
    requested: lock.requested,
  };
}

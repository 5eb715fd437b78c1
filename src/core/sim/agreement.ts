/**
 * Do the nodes of a lockspace agree, now that nothing is under way? On who is master
 * of what, on what the directory says, and on every lock: the holder's copy of it and
 * the master's are in the same place and in the same modes.
 */
import type { NodeId } from '../base/ids.js';
import type { DlmNode } from '../node/node.js';
import type { LockDump, ResourceDump } from '../node/snapshot.js';

interface Seen {
  readonly id: NodeId;
  readonly node: DlmNode;
}

const places = ['granted', 'converting', 'waiting'] as const;

/** Every disagreement in words; none: all agree. Who has not joined the lockspace has no say. */
export function disagreements(all: readonly Seen[], lockspace: string): string[] {
  const nodes = all.filter(({ node }) => node.hasLockspace(lockspace));
  const found: string[] = [];
  for (const { id, node } of nodes) {
    const { standing } = node.stack(lockspace)!;
    if (standing !== 'running') found.push(`n${id} is not running but ${standing}`);
    for (const resource of node.dump(lockspace)!.resources) found.push(...(resource.master === id ? ofMaster(nodes, id, resource, lockspace) : ofHolder(nodes, id, resource, lockspace)));
  }
  return found;
}

function resourceAt(nodes: readonly Seen[], id: number | null, lockspace: string, name: string): ResourceDump | undefined {
  return nodes.find((one) => one.id === id)?.node.dump(lockspace, name)?.resources[0];
}

/** What a holder believes, held against its master. */
function ofHolder(nodes: readonly Seen[], id: NodeId, resource: ResourceDump, lockspace: string): string[] {
  const { name, master } = resource;
  if (master === null) return [`n${id} knows no master of ${name}`];
  const there = resourceAt(nodes, master, lockspace, name);
  if (there?.master !== master) return [`n${id} takes n${master} for the master of ${name}`];
  return places.flatMap((place) => resource[place].flatMap((lock) => {
    const copy = there[place].find(({ holder, holderLkid }) => holder === id && holderLkid === lock.lkid);
    if (copy === undefined) return [`${name}: n${id}'s lock ${lock.lkid} is not ${place} at n${master}`];
    return copy.granted === lock.granted && copy.requested === lock.requested ? [] : [`${name}: n${id} and n${master} have lock ${lock.lkid} in different modes`];
  }));
}

/** What a master believes, held against the holders and the directory. */
function ofMaster(nodes: readonly Seen[], id: NodeId, resource: ResourceDump, lockspace: string): string[] {
  const { name, directory } = resource;
  const locks: LockDump[] = places.flatMap((place) => [...resource[place]]);
  const found = locks.flatMap(({ holder, holderLkid }) => {
    if (holder === null) return [];
    const there = resourceAt(nodes, holder, lockspace, name);
    const isThere = there !== undefined && places.some((place) => there[place].some(({ lkid }) => lkid === holderLkid));
    return isThere ? [] : [`${name}: n${id} has lock ${holderLkid} of n${holder} that is over`];
  });
  const stack = nodes.find((one) => one.id === directory)?.node.stack(lockspace);
  const entry = stack?.lockspace.tables.directory.get(name)?.master ?? null;
  const isUnknown = directory !== id && entry !== id && !(stack?.lockspace.config.nodir ?? true);
  return isUnknown ? [...found, `${name}: directory n${directory} takes ${entry === null ? 'nobody' : `n${entry}`} for the master, not n${id}`] : found;
}

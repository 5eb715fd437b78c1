/**
 * Keeping a value: a value block is forgotten with the last lock on its resource,
 * so the node itself holds one in NL, one a resource.
 */
import type { LockInfo, LockspaceClient, Name, NodeClient } from '../core/index.js';

/**
 * Let the node hold a lock on the resource, unless it does. Call it while holding the resource in EX, with the new value
 * written: in a cluster the lock keeps a copy, from which the value is made again, not valid, if its master is lost.
 */
export async function anchorValue(client: NodeClient, space: LockspaceClient, name: Name): Promise<void> {
  const { pid, cluster } = await client.status();
  const wantValue = cluster !== null;
  const [anchor] = await anchors(client, space.name, name, pid);
  if (anchor === undefined) await space.lock(name, { mode: 'NL', flags: ['EXPEDITE'], owner: { pid }, wantValue });
  else if (wantValue) await (await client.lockOf(anchor.id)).convert('NL', { wantValue });
}

/** Was there anything to take back? */
export async function dropAnchor(client: NodeClient, lockspace: string, name: Name): Promise<boolean> {
  const { pid } = await client.status();
  const found = await anchors(client, lockspace, name, pid);
  for (const { id } of found) await (await client.lockOf(id)).unlock();
  return found.length > 0;
}

async function anchors(client: NodeClient, lockspace: string, name: Name, nodePid: number): Promise<LockInfo[]> {
  const locks = await client.locks({ lockspace, name });
  return locks.filter(({ mode, owner }) => mode === 'NL' && owner.pid === nodePid && owner.kind !== 'orphan');
}

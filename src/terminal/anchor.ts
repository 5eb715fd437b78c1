/**
 * Keeping a value: a value block is forgotten with the last lock on its resource,
 * so the node itself holds one in NL, one a resource.
 */
import type { LockInfo, LockspaceClient, Name, NodeClient } from '../core/index.js';

/** Let the node hold a lock on the resource, unless it does. Call it while holding the resource in EX. */
export async function anchorValue(client: NodeClient, space: LockspaceClient, name: Name): Promise<void> {
  const { pid } = await client.status();
  if ((await anchors(client, space.name, name, pid)).length > 0) return;
  await space.lock(name, { mode: 'NL', flags: ['EXPEDITE'], owner: { pid } });
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

/**
 * Keeping a value: a value block is forgotten with the last lock on its resource,
 * so the node itself holds one in NL, one a resource. A node that ends with its command
 * cannot, and writes a value only where somebody else keeps it.
 */
import { DlmError, type LockInfo, type LockspaceClient, type Name, type NodeClient } from '../core/index.js';

/**
 * Let the node hold a lock on the resource, unless it does. Call it while holding the resource in EX, with the new value
 * written: in a cluster the lock keeps a copy, from which the value is made again, not valid, if its master is lost.
 */
export async function anchorValue(client: NodeClient, space: LockspaceClient, name: Name): Promise<void> {
  const { pid, cluster, start } = await client.status();
  if (start === 'in-process') return needOthers(client, space, name);
  const wantValue = cluster !== null;
  const [anchor] = await anchors(client, space.name, name, pid);
  if (anchor === undefined) await space.lock(name, { mode: 'NL', flags: ['EXPEDITE'], owner: { pid }, wantValue });
  else if (wantValue) await (await client.lockOf(anchor.id)).convert('NL', { wantValue });
}

/** Throws `DLM_NO_VALUE`. */
async function needOthers(client: NodeClient, space: LockspaceClient, name: Name): Promise<void> {
  const locks = await space.locks(name, { allNodes: true });
  if (locks.some(({ node, mode }) => node !== client.port.node && mode !== null)) return;
  throw new DlmError(
    'DLM_NO_VALUE',
    'nobody else holds a lock on that resource, so the value would be gone when the node inside this command ends',
    'write it the first time through a node that stays, which then keeps it: leave out --in-process',
  );
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

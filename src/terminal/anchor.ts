/**
 * Keeping a value: a value block is forgotten with the last lock on its resource,
 * so the node itself holds one in NL, one a resource. A node that ends with its command
 * cannot, and writes a value only where somebody else keeps it.
 *
 * Such a lock does not keep the node from leaving; whoever has it leave is told what becomes of the value.
 */
import { DlmError, defaultLockspace, escapeText, type LockInfo, type LockspaceClient, type Name, type NodeClient, type NodeStatus } from '../core/index.js';

/** So many values are named one by one. */
const namedMax = 20;

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

/** Does the node keep a value by this lock, and nothing else? */
function isAnchor({ state, mode, owner, node }: LockInfo, at: Pick<NodeStatus, 'node' | 'pid'>): boolean {
  return state === 'granted' && mode === 'NL' && node === at.node && owner.pid === at.pid && owner.kind !== 'orphan';
}

/** Of these locks those that keep the node from leaving: its own, and no value that it keeps. */
export function inTheWayOfLeaving(locks: readonly LockInfo[], at: Pick<NodeStatus, 'node' | 'pid'>): LockInfo[] {
  return locks.filter((lock) => lock.node === at.node && !isAnchor(lock, at));
}

/** What becomes of the values that the node keeps when it leaves, a sentence each; never in the way of leaving. */
export async function fateOfValues(client: NodeClient): Promise<string[]> {
  try {
    const status = await client.status();
    const anchors = (await client.locks()).filter((lock) => isAnchor(lock, status));
    if (anchors.length === 0) return [];
    const { locks, unlisted } = status.cluster === null ? { locks: [], unlisted: [] } : await client.locksOfAll();
    const others = locks.filter(({ node, mode }) => node !== status.node && mode !== null);
    const isOnSame = (one: LockInfo, other: LockInfo): boolean => one.lockspace === other.lockspace && one.resourceHex === other.resourceHex;
    const sentences = anchors.map((anchor) => fateOf(anchor, others.some((lock) => isOnSame(lock, anchor)), unlisted.map(({ node }) => node)));
    const more = sentences.length - namedMax;
    return more > 0 ? [...sentences.slice(0, namedMax), `and ${more} more values that the node kept`] : sentences;
  } catch {
    return [];
  }
}

function fateOf({ lockspace, resource, node, master }: LockInfo, isKeptElsewhere: boolean, unheard: readonly number[]): string {
  const which = `the value of ${resource}${lockspace === defaultLockspace ? '' : ` in lockspace ${escapeText(lockspace)}`}`;
  if (!isKeptElsewhere) return `${which} is gone with the node${unheard.length === 0 ? '' : `, unless somebody holds a lock there on node ${unheard.join(', ')}, which did not tell`}`;
  if (master !== node) return `${which} stays with the others who hold a lock there`;
  return `${which} stays with the others who hold a lock there, not valid until it is written again, for this node decided about it`;
}

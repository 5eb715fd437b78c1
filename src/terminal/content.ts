/**
 * What a lockspace holds, by the name that was typed.
 */
import { defaultLockspace, type LockspaceContent, type NodeClient } from '../core/index.js';
import { lockspaceName, needName } from './names.js';

/** `resource`: of that one only, if it is there. Throws `DLM_LOCKSPACE_UNKNOWN`; to look does not join. */
export async function contentOf(client: NodeClient, typed: string | undefined, resource?: string): Promise<LockspaceContent> {
  const all = await client.port.content(typed === undefined ? defaultLockspace : lockspaceName(typed));
  if (resource === undefined) return all;
  const wanted = Buffer.from(needName([resource], undefined).name as string).toString('hex');
  return { ...all, content: all.content.filter(({ resourceHex }) => resourceHex === wanted) };
}

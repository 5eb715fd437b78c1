/**
 * What a lockspace holds, by the name that was typed.
 */
import { defaultLockspace, type LockspaceContent, type NodeClient } from '../core/index.js';
import { lockspaceName } from './names.js';

/** Throws `DLM_LOCKSPACE_UNKNOWN`; to look does not join. */
export function contentOf(client: NodeClient, typed: string | undefined): Promise<LockspaceContent> {
  return client.port.content(typed === undefined ? defaultLockspace : lockspaceName(typed));
}

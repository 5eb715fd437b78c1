/**
 * A node in the hands of a program: what `openNode` and `attach` give.
 */
import { DlmError } from '../base/errors.js';
import { LockspaceClient } from './lockspace-client.js';
import type { LockHandle } from './lock-handle.js';
import { parseLockId } from './lock-id.js';
import type { Port } from './port.js';
import type { LockFilter, LockInfo, LocksOfAll, LockspaceOptions, LockspaceSummary, NodeStatus } from './types.js';

/** The lockspace of those who name none. */
export const defaultLockspace = 'default';

export class NodeClient {
  constructor(
    readonly port: Port,
    /** Did `attach` have to start the node? */
    readonly startedNode = false,
  ) {}

  /** Join a lockspace, making it if need be. Value blocks have 32 bytes unless said otherwise. */
  async lockspace(
    name: string = defaultLockspace,
    options: LockspaceOptions = {},
  ): Promise<LockspaceClient> {
    const { valueLength } = await this.port.joinLockspace(name, options);
    return new LockspaceClient(this.port, name, valueLength);
  }

  /** A lock by its printed id, whoever took it. Rejects with `DLM_LOCK_UNKNOWN` if it is of another life. */
  async lockOf(id: string): Promise<LockHandle> {
    const parsed = parseLockId(id);
    if (parsed.node !== this.port.node || parsed.incarnation !== this.port.incarnation) {
      throw new DlmError('DLM_LOCK_UNKNOWN', `lock ${id} belongs to an earlier life of the node, or to another one`);
    }
    const known = (await this.status(parsed.lockspace)).lockspaces[0];
    if (known === undefined) throw new DlmError('DLM_LOCK_UNKNOWN', `there is no lock ${id}`);
    return new LockspaceClient(this.port, known.name, known.valueLength).handleOf(parsed.lkid);
  }

  async lockspaces(): Promise<readonly LockspaceSummary[]> {
    return (await this.status()).lockspaces;
  }

  removeLockspace(name: string, options: { force?: boolean } = {}): Promise<void> {
    return this.port.removeLockspace(name, options.force ?? false);
  }

  locks(filter: LockFilter = {}): Promise<LockInfo[]> {
    return this.port.locks(filter);
  }

  /** The locks on all members of the cluster, and which members have not told theirs. */
  locksOfAll(filter: Omit<LockFilter, 'allNodes'> = {}): Promise<LocksOfAll> {
    return this.port.locksOfAll(filter);
  }

  /** `lockspace`: the only one of the node's that is to be told of; all if not given. */
  status(lockspace?: string): Promise<NodeStatus> {
    return this.port.status(lockspace);
  }

  /**
   * Stop the node. Rejects with `DLM_NODE_IN_USE` while it holds locks, unless
   * forced; with `drain` it takes no new ones and stops when the last has ended.
   */
  leave(options: { force?: boolean; drain?: boolean } = {}): Promise<void> {
    return this.port.leave({ force: options.force ?? false, drain: options.drain ?? false });
  }

  /** Let go of the node. Locks that this client owns end, persistent ones become orphans. */
  close(): Promise<void> {
    return this.port.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

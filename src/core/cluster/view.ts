/**
 * A view: who is in the cluster, as an engine has decided it for everybody.
 *
 * Every member is given every view from its first one on, in the same order, maybe
 * at another moment. A node that comes back is another incarnation. A lockspace that
 * is left and joined again has another join number.
 */
import type { Incarnation, NodeId, ViewId } from '../base/ids.js';

export interface Member {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  /** How people call it. */
  readonly name: string;
  /** Where its node link is to be reached; nothing to us. */
  readonly address: string;
  /** Its share of the directory; if all have 0, all count as 1. */
  readonly weight: number;
  /**
   * The lockspaces it has joined: name, and which of its joins this is, 1 or more. A negative number: it has left that
   * join as failed, and stays a member of the cluster.
   */
  readonly lockspaces: ReadonlyMap<string, number>;
}

export interface View {
  readonly id: ViewId;
  /** May those who are in it do anything? */
  readonly isQuorate: boolean;
  /** In the order of their numbers. */
  readonly members: readonly Member[];
  /** Who was in the view before and has left it in good order. */
  readonly leftCleanly: readonly NodeId[];
}

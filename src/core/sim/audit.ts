/**
 * How one life stands in one lockspace, as the checkers want to see it.
 *
 * Made of the node's own dump. What a dump does not say is null here, and then it
 * is not judged.
 */
import type { Lkid, NodeId, OwnerId } from '../base/ids.js';
import type { ModeOrNone } from '../lock/mode.js';
import type { Life } from './event.js';

export interface LockAudit {
  readonly resource: string;
  readonly lkid: Lkid;
  /** The node whose lock it is; its number there. */
  readonly holder: NodeId;
  readonly holderLkid: Lkid;
  readonly owner: OwnerId | null;
  readonly isOrphan: boolean;
  readonly granted: ModeOrNone;
  readonly requested: ModeOrNone;
}

export interface ResourceAudit {
  readonly name: string;
  /** Who is master, as this node sees it; null: it does not know. */
  readonly master: NodeId | null;
}

export interface Audit {
  readonly life: Life;
  readonly node: NodeId;
  readonly lockspace: string;
  /** Is it locked as usual, so that nothing is being recovered? */
  readonly isOpen: boolean;
  /** Is nothing granted to ordinary callers, until applications resume? */
  readonly isSuspended: boolean;
  readonly hasApplication: boolean;
  /** How many slots have to be put in order, as far as it knows. */
  readonly pendingSlots: number;
  /** How many failed nodes may still act, as far as it knows; null: it does not know of all. */
  readonly openCases: number | null;
  readonly resources: readonly ResourceAudit[];
  /** The locks of this node's own owners. */
  readonly own: readonly LockAudit[];
  /** The locks on the resources that it is master of, its own among them. */
  readonly mastered: readonly LockAudit[];
  /** Its share of the directory: the names somebody is master of; null: there is none. */
  readonly directory: ReadonlyMap<string, NodeId> | null;
  /** How many entries that share has, of whatever name. */
  readonly entryCount: number;
}

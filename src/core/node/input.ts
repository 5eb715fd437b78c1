/**
 * Everything that can happen to a node. One input is one turn.
 *
 * Inputs are plain data but for `cookie`, which the node only hands back: the
 * driver puts there whatever lets it find the caller again.
 */
import type { Incarnation, Lkid, NodeId, OwnerId, Slot, ViewId } from '../base/ids.js';
import type { View } from '../cluster/view.js';
import type { CancelStatus } from '../lock/operations.js';
import type { LockspaceConfig, LockWish, NewLock } from '../lockspace/lockspace.js';
import type { Message } from '../wire/message.js';
import type { ApplicationConfig } from './aftermath.js';

interface InLockspace {
  readonly lockspace: string;
}

/** Join a lockspace, making it if need be. */
export interface JoinLockspace extends InLockspace {
  readonly kind: 'joinLockspace';
  readonly config: LockspaceConfig;
  /** The application that is attached to it here; not given: none. */
  readonly application?: ApplicationConfig | null;
}

/** Leave a lockspace: only if it holds no lock, or whatever it holds. */
export interface LeaveLockspace extends InLockspace {
  readonly kind: 'leaveLockspace';
  readonly force: boolean;
  /** Its application has died and left its data in disorder: the others recover as if this node had failed. */
  readonly isFailed?: boolean;
}

export interface LockInput extends InLockspace, NewLock {
  readonly kind: 'lock';
}

export interface ConvertInput extends InLockspace, LockWish {
  readonly kind: 'convert';
  readonly lkid: Lkid;
}

export interface UnlockInput extends InLockspace {
  readonly kind: 'unlock';
  readonly lkid: Lkid;
  readonly flags: number;
  /** Written to the resource if the lock holds PW or EX and has VALBLK. */
  readonly value: Uint8Array | null;
}

export interface CancelInput extends InLockspace {
  readonly kind: 'cancel';
  readonly lkid: Lkid;
  /** VALBLK and IVVALBLK are accepted and mean nothing. */
  readonly flags: number;
  /** What the owner of the lock is told; EDEADLK when a deadlock is being resolved. */
  readonly status: CancelStatus;
}

/** An owner is gone, in whatever way: its locks end, persistent ones become orphans. */
export interface EndOwner {
  readonly kind: 'endOwner';
  readonly owner: OwnerId;
}

/** End all locks of an owner that lives on, without a callback. */
export interface PurgeOwner extends InLockspace {
  readonly kind: 'purgeOwner';
  readonly owner: OwnerId;
}

/** End the orphans that one owner left, or all of them. */
export interface PurgeOrphans extends InLockspace {
  readonly kind: 'purgeOrphans';
  /** Those on another node; that one is asked and nobody waits for it. */
  readonly node?: NodeId;
  readonly formerOwner: OwnerId | null;
}

/** The engine has a new view. */
export interface ViewInput {
  readonly kind: 'view';
  readonly view: View;
}

/** Nothing was heard from the engine for too long: others may count us as gone from now on. Ended by the next view. */
export interface EngineDeadline {
  readonly kind: 'engineDeadline';
}

/** What the effect `fence` asked for has ended. */
export interface FenceResult {
  readonly kind: 'fenceResult';
  readonly victim: NodeId;
  readonly incarnation: Incarnation;
  readonly isFenced: boolean;
  /** In what way, or why not; at most 400 characters are kept. */
  readonly words: string;
}

/** An operator has seen to it that a failed node is off. */
export interface FenceAck {
  readonly kind: 'fenceAck';
  readonly victim: NodeId;
  /** Who says so, and why. */
  readonly words: string;
}

/** The application has suspended, as the effect `suspend` asked it to, or could not. */
export interface Suspended extends InLockspace {
  readonly kind: 'suspended';
  readonly isDone: boolean;
}

/** A slot is in order, as the effect `recover` asked, or could not be put in order. */
export interface SlotRecovered extends InLockspace {
  readonly kind: 'slotRecovered';
  readonly slot: Slot | null;
  readonly since: ViewId;
  readonly isDone: boolean;
}

/** A member of the present view, in its present life, has said something. */
export interface Received {
  readonly kind: 'received';
  readonly from: NodeId;
  readonly message: Message;
}

/** A deadline that the node asked for has come. */
export interface Deadline {
  readonly kind: 'deadline';
}

/** What one lockspace carries out. */
export type Operation = LockInput | ConvertInput | UnlockInput | CancelInput | PurgeOwner | PurgeOrphans;

export type Input =
  | Operation
  | EndOwner
  | JoinLockspace
  | LeaveLockspace
  | ViewInput
  | EngineDeadline
  | FenceResult
  | FenceAck
  | Suspended
  | SlotRecovered
  | Received
  | Deadline;

/**
 * Everything that can happen to a node. One input is one turn.
 *
 * Inputs are plain data but for `cookie`, which the node only hands back: the
 * driver puts there whatever lets it find the caller again.
 */
import type { Lkid, NodeId, OwnerId } from '../base/ids.js';
import type { View } from '../cluster/view.js';
import type { CancelStatus } from '../lock/operations.js';
import type { LockspaceConfig, LockWish, NewLock } from '../lockspace/lockspace.js';
import type { Message } from '../wire/message.js';

interface InLockspace {
  readonly lockspace: string;
}

/** Join a lockspace, making it if need be. */
export interface JoinLockspace extends InLockspace {
  readonly kind: 'joinLockspace';
  readonly config: LockspaceConfig;
}

/** Leave a lockspace: only if it holds no lock, or whatever it holds. */
export interface LeaveLockspace extends InLockspace {
  readonly kind: 'leaveLockspace';
  readonly force: boolean;
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
  | Received
  | Deadline;

/**
 * The numbers everybody passes around, each with a type of its own.
 *
 * A branded integer costs nothing at run time and stops a lock id from being
 * handed over where an owner was meant. Every one of them is a safe integer.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** A member of the cluster, 1 or more. Never 0, never a stand-in for "us". */
export type NodeId = Branded<'NodeId'>;

/** A lock on one node and in one lockspace (lkid), 1 to 2^31-1. */
export type Lkid = Branded<'Lkid'>;

/** A party whose end ends its locks: a session, a watched process, the node. */
export type OwnerId = Branded<'OwnerId'>;

/** Milliseconds on a monotonic clock that started with the node. */
export type Millis = Branded<'Millis'>;

/** One life of a node; later lives have greater numbers, also after a crash. */
export type Incarnation = Branded<'Incarnation'>;

/** A view of the membership; every member sees the same views in the same order. Greater ones are later. */
export type ViewId = Branded<'ViewId'>;

/** A completed recovery, the first part of a token; rises in the whole cluster and never repeats. */
export type Generation = Branded<'Generation'>;

/** A small number that a member of a lockspace keeps as long as it is one, 1 or more; say, of its journal. */
export type Slot = Branded<'Slot'>;

/** A lockspace in a message: a number made of its name. */
export type LockspaceId = Branded<'LockspaceId'>;

export const nodeId = (value: number): NodeId => value as NodeId;
export const lkid = (value: number): Lkid => value as Lkid;
export const ownerId = (value: number): OwnerId => value as OwnerId;
export const millis = (value: number): Millis => value as Millis;
export const incarnation = (value: number): Incarnation => value as Incarnation;
export const viewId = (value: number): ViewId => value as ViewId;
export const generation = (value: number): Generation => value as Generation;
export const slot = (value: number): Slot => value as Slot;
export const lockspaceId = (value: number): LockspaceId => value as LockspaceId;

/** The earlier of two moments, of which either may be none. Asked after most turns, so nothing is made for it. */
export const earlier = (one: Millis | null, other: Millis | null): Millis | null => (one === null || (other !== null && other < one) ? other : one);

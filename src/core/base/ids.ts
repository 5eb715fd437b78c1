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

export const nodeId = (value: number): NodeId => value as NodeId;
export const lkid = (value: number): Lkid => value as Lkid;
export const ownerId = (value: number): OwnerId => value as OwnerId;
export const millis = (value: number): Millis => value as Millis;
export const incarnation = (value: number): Incarnation => value as Incarnation;

/**
 * An engine says who is in the cluster, and this is all that a host knows of one.
 *
 *     join ──▶ our number ──▶ follow ──▶ view, view, view, …  ──▶ leave, or lost
 *
 * What every engine promises, and test/engine/suite.ts holds each of them to:
 *
 * - Everybody gets the same views in the same order. Nobody gets two views of one
 *   number, and numbers rise for ever: when whoever makes them dies, and when
 *   everybody is started anew. It is above the incarnation of every member: the first
 *   part of a token is made of it, and must rise also past lives without a cluster.
 * - A member gets every view from the first that contains it, none left out, and
 *   none that does not contain it.
 * - A node that comes back is another incarnation. The view without the earlier one
 *   comes before the view with the later one.
 * - Whoever is without quorum may be given a view that says so and that others are not
 *   given; its members are those of the last one, since nobody without quorum can know
 *   who has failed.
 * - Who has left in good order is named as such in the view without it, and in no other.
 *   Whoever is missing and not named has failed.
 *
 * An engine knows nothing of locks, and never calls a member that may still act
 * gone: how it makes sure of that is its own affair, and its page in docs/decisions.
 */
import type { Incarnation, NodeId } from '../../base/ids.js';
import type { ViewInput } from '../../node/input.js';
import type { NodeProcess } from '../fence-process.js';

export type View = ViewInput['view'];
export type Member = View['members'][number];

/** What a node says of itself when it joins. */
export interface Candidate {
  /** The number it wants; `auto`: the lowest that is free, and not that of one that is gone and may still act, unless it had this name. */
  readonly node: NodeId | 'auto';
  /** How people call it, 1 to 64 printable characters; no two members have the same. */
  readonly name: string;
  readonly incarnation: Incarnation;
  /** Where its node link is to be reached; nothing to the engine. */
  readonly address: string;
  /** Its share of the directory, 0 to 2^31-1. */
  readonly weight: number;
}

/** Who hears from an engine. Each call returns before the next is made. */
export interface Follower {
  /** Feed it to the node as `{ kind: 'view', view }`. */
  view(view: View): void;
  /**
   * The moment on `performance.now()` from which on this node must treat itself as
   * out if nothing else is heard before; Infinity: no such moment.
   */
  deadline(at: number): void;
  /** We are out, for this reason in words, and nothing more will be heard. Never after `leave` was called. */
  lost(reason: string): void;
}

/** How the end of a member and the start of others who follow it are kept apart, in milliseconds. */
export interface StopBudget {
  /** From the last that a member has heard on, it may act this long: until its deadline. */
  readonly stopMillis: number;
  /** And no view is without it before this long. What a member needs to stop must fit in between. */
  readonly regrantMillis: number;
}

export interface Engine {
  /**
   * Become a member. Resolves with our number once a view contains us. Called once.
   *
   * Rejects with `DLM_NODE_EXISTS` (number or name are taken), `DLM_NOT_PERMITTED`, `DLM_NAME_INVALID`,
   * `DLM_TOO_MANY`, `DLM_STATE_UNUSABLE`, `DLM_PROTOCOL`, `DLM_START_FAILED` (what the engine stands on is not there),
   * `DLM_USAGE` (the number is not to be had on this machine), or `DLM_NO_NODE` if the others do not answer in time.
   */
  join(candidate: Candidate): Promise<NodeId>;

  /** Hear of every view, from the first that contains us on. To be called once, soon after `join` has resolved. */
  follow(follower: Follower): void;

  /**
   * These are the lockspaces we have joined from now on: name, and which of our joins it is, negative if it has
   * ended as failed. Answered by a view
   * that says so, unless the present one does, or another call comes before it.
   */
  announce(lockspaces: ReadonlyMap<string, number>): void;

  /**
   * Leave in good order. Resolves when a view without us stands; at once if we are out already. Rejects with
   * `DLM_NO_NODE` if the others do not answer in time: they then learn of it by the end of this process.
   */
  leave(): Promise<void>;

  /** Known once we are a member; none for engines that have no deadline. */
  readonly budget?: StopBudget;

  /**
   * An operator declares a member failed. Resolves when a view without it stands, in which it has not left in good order; at
   * once if it is no member. It may still act: whoever calls this sees to its being fenced before anything of it is used.
   * Rejects with `DLM_USAGE` for ourselves, `DLM_NOT_QUORATE`, or `DLM_NO_NODE` if the others do not answer in time.
   */
  expel?(node: NodeId, reason: string): Promise<void>;

  /** Is it certain that this life of a node has passed the end of its `budget`? Only where the engine has waited for that itself. */
  hasRunOut?(node: NodeId, incarnation: Incarnation): boolean;

  /** Which process of this machine a member is, or was, in that life; null: not known. Only where all members are on one machine. */
  processOf?(node: NodeId, incarnation: Incarnation): NodeProcess | null;
}

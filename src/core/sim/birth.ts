/**
 * What a world needs of a node, and what a node is told when it comes to life.
 *
 * A machine brings it to life and moves it; most of these are really nodes (run.ts).
 */
import type { Generation, Incarnation, Lkid, LockspaceId, Millis, NodeId } from '../base/ids.js';
import type { ModeOrNone } from '../lock/mode.js';
import type { Effect } from '../node/effect.js';
import type { Input } from '../node/input.js';
import type { FencingConfig } from '../node/snapshot.js';

/** What a world needs of a node. */
export interface SimNode {
  step(now: Millis, input: Input): Effect[];
  nextDeadline(): Millis | null;
  /** How a lockspace is called that it has joined; null: it has not. */
  nameOf(lockspace: LockspaceId): string | null;
  /** Does this lock stand in the wait queue of its master, as far as the node knows? */
  isQueued(lockspace: string, lkid: Lkid): boolean;
  /** In which mode is this lock here? Null: there is none of that number, or it is about to end. */
  modeOf(lockspace: string, lkid: Lkid): ModeOrNone | null;
}

/** What a node is told when it comes to life. */
export interface Birth {
  readonly self: NodeId;
  readonly incarnation: Incarnation;
  readonly hasEngine: boolean;
  /** The highest generation it was told to keep, in all its lives. */
  readonly generation: Generation;
  /** Not given: nobody is fenced. */
  readonly fencing?: FencingConfig;
}

/**
 * A node that serves others, as those see it who speak to them on its behalf:
 * sessions and the control server.
 */
import type { Host } from './host.js';
import type { NodeStatus } from './types.js';
import type { ProcessWatch } from './watch.js';

export interface LeaveOptions {
  /** Leave also while locks are held. */
  readonly force: boolean;
  /** Take no new locks and wait until those that are held have ended. */
  readonly drain: boolean;
}

/** Whoever asks the node to leave. */
export interface Leaver {
  /** The node will leave: the last moment to be told. */
  agreed(): void;
  /** Aborted when nobody wants the answer any more; a drain is then called off. */
  readonly gone: AbortSignal;
}

export interface Served {
  readonly host: Host;
  readonly watch: ProcessWatch;
  /** The node is about to leave and takes no new locks. */
  readonly isLeaving: boolean;
  /** See `statusOf`. */
  status(lockspace: string | null): NodeStatus;
  /** A folder with pipes for a shell. Rejects with `DLM_PROTOCOL`, `DLM_TOO_MANY`, `DLM_STATE_UNUSABLE`. */
  openShell(lockspace: string, recovery: string | null): Promise<string>;
  /** Rejects with `DLM_NODE_IN_USE` while locks are held, unless forced or drained. */
  leave(options: LeaveOptions, leaver: Leaver): Promise<void>;
  /** A line for the node's log. */
  log(line: string): void;
}

/**
 * Processes that the node watches: owners without a connection, and children that
 * must be gone before their owner's locks are let go.
 *
 * A process is a pid and the time it started, so that a number used again is
 * never mistaken for it.
 */
import type { Host, Owner } from './host.js';

export interface Watch {
  /** The owner that stands for this process. Throws `DLM_OWNER_INVALID`. */
  ownerFor(pid: number): Owner;
  /** Keep what `owner` holds until this process is gone. Throws `DLM_OWNER_INVALID`. */
  protect(owner: Owner, pid: number): void;
}

export type { Host };

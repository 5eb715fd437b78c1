/**
 * The other end of a lock that is held on one node and mastered on another.
 *
 * Such a lock exists twice: its holder has the `process` copy, which belongs to an
 * owner and gets the callbacks; its master has the `master` copy, which stands in the
 * queues that decide. A lock held where it is mastered exists once (`local`). One
 * that was mastered elsewhere when it was granted still carries that token.
 *
 * Kin: dlm_internal.h lkb_nodeid, lkb_remid, lkb_wait_type, DLM_IFL_MSTCPY, DLM_IFL_OVERLAP_*.
 */
import { generation, type Generation, type Lkid, type NodeId } from '../base/ids.js';

export type Copy = 'local' | 'process' | 'master';

/**
 * What a process copy has asked for and not been answered.
 *
 * `lookup` and `request` have been sent, the one to the directory, the other to the
 * master; `parked` waits for the answer to another lock's lookup.
 */
export type Pending = 'none' | 'parked' | 'lookup' | 'request' | 'convert' | 'unlock' | 'cancel';

/** What its owner wants as soon as the answer is there: to end it, or to take it back. */
export interface Overlap {
  readonly operation: 'unlock' | 'cancel';
  readonly flags: number;
  readonly value: Uint8Array | null;
  readonly status: 'ECANCEL' | 'EDEADLK';
  /** Has its master been asked already, right behind the conversion that is to be taken back? */
  readonly isSent: boolean;
}

export class FarEnd {
  pending: Pending = 'none';
  overlap: Overlap | null = null;
  /** While a cancel is under way: how the answer is told. */
  cancelStatus: Overlap['status'] = 'ECANCEL';
  /** The resource's value, as this lock has read or written it last; null: it has done neither. */
  valueCopy: Uint8Array | null = null;
  /** Was it valid then, and has nobody been able to write since? Means something only above CR. */
  valueIsValid = true;
  /** Which write of the resource's value that is. */
  valueSequence = 0;
  /** The place in the master's queue: smaller ones are before it. */
  queueNumber = 0;
  /** The first two parts of the lock's token, if they are not its resource's. */
  generation: Generation = generation(0);
  mastership = 0;

  constructor(
    public copy: Copy,
    /** The node of the other copy. Null: it is gone, or not known yet. */
    public node: NodeId | null,
    /** The lock's number there. Null: none yet, or no longer. */
    public lkid: Lkid | null,
  ) {}
}

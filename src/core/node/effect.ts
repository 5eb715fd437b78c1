/**
 * Everything a node can ask for. The driver carries effects out in order.
 *
 * A call that is accepted ends in one `complete`, now or after a `wait`. The
 * exceptions complete nothing: a cancel of a granted lock, and an adoption.
 */
import type { Generation, Lkid, NodeId, Slot, ViewId } from '../base/ids.js';
import type { CancelFence, Fence } from '../cluster/fencing.js';
import type { Step } from '../cluster/order.js';
import type { Rule } from '../lock/flags.js';
import type { Mode } from '../lock/mode.js';
import type { Refusal } from '../base/status.js';
import type { Block, Complete, Wait } from '../lock/turn.js';
import type { MemberSlot, Send, Unheeded, Verdict } from '../wire/message.js';
import type { Input } from './input.js';

/** The call was not accepted and has changed nothing. */
export interface Refuse {
  readonly kind: 'refuse';
  readonly call: Input;
  readonly code: Refusal;
  /** The rule it breaks, where there is one. */
  readonly rule: Rule | null;
}

/** An orphan has a new owner. */
export interface Adopt {
  readonly kind: 'adopt';
  readonly cookie: unknown;
  readonly lkid: Lkid;
  readonly mode: Mode;
  readonly generation: Generation;
  readonly mastership: number;
  readonly sequence: number;
}

/** Tell the engine which lockspaces this node has joined from now on; it answers with a view. */
export interface Announce {
  readonly kind: 'announce';
  /** Name, and which join of this node it is. */
  readonly lockspaces: ReadonlyMap<string, number>;
}

/** Keep this number for the lives to come, before any later effect is carried out. */
export interface Persist {
  readonly kind: 'persist';
  readonly generation: Generation;
}

/** A recovery of a lockspace has ended, and it may be locked again. */
export interface Recovered {
  readonly kind: 'recovered';
  readonly lockspace: string;
  readonly generation: Generation;
  readonly slots: readonly MemberSlot[];
}

/** Tell the application to stop touching its data; answered by `suspended`. */
export interface Suspend {
  readonly kind: 'suspend';
  readonly lockspace: string;
  /** The view that shows the failure. */
  readonly seq: ViewId;
}

/** Put in order what a failed member has left behind; answered by `slotRecovered`. */
export interface RecoverSlot {
  readonly kind: 'recover';
  readonly lockspace: string;
  /** Null: all that there are; nobody knows who used them last. */
  readonly slot: Slot | null;
  readonly victim: NodeId | null;
  readonly since: ViewId;
  readonly generation: Generation;
}

/** Tell the application that it may touch its data. */
export interface Resume {
  readonly kind: 'resume';
  readonly lockspace: string;
  readonly generation: Generation;
}

/** A step of what follows a failure has begun or ended. For records; nothing is to be done. */
export interface StepTaken {
  readonly kind: 'step';
  /** Null: it concerns all that the victim had joined. */
  readonly lockspace: string | null;
  readonly view: ViewId;
  readonly step: Step;
  readonly state: 'begun' | 'ended' | 'failed';
  /** Where it was done. */
  readonly node: NodeId;
  /** About whom, of fencing and of what an application does; null: about all. */
  readonly victim: NodeId | null;
  readonly words: string;
  /** How a case of fencing has ended; null: it has not, or the step is another. */
  readonly verdict: Verdict | null;
}

/** This node must end, without saying goodbye: others will count it as failed. */
export interface GiveUp {
  readonly kind: 'giveUp';
  readonly reason: string;
}

/** This node has left a lockspace, because the others take it to be otherwise. Its calls have been refused. */
export interface Misfit {
  readonly kind: 'misfit';
  readonly lockspace: string;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** What concerns what follows a failure. */
export type AftermathEffect = Fence | CancelFence | Suspend | RecoverSlot | Resume | StepTaken | GiveUp;

export type Effect = Complete | Block | Wait | Refuse | Adopt | Send | Announce | Persist | Recovered | Unheeded | Misfit | AftermathEffect;

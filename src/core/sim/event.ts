/**
 * What can be seen of a world from outside, as plain data: what owners asked for
 * and were told, who died, and which views there were.
 *
 * Checkers consume nothing else, so that each can be tried with a made-up story.
 * A claim is one lock call and the lock that came of it; its number is never used
 * again. A life is one incarnation of one node, also with a number of its own.
 */
import type { Generation, Lkid, Millis, NodeId, OwnerId, Slot, ViewId } from '../base/ids.js';
import type { Refusal, Status } from '../base/status.js';
import type { Mode, ModeOrNone } from '../lock/mode.js';
import type { CancelStatus } from '../lock/operations.js';
import type { StepTaken } from '../node/effect.js';
import type { Audit } from './audit.js';

export type ClaimId = number;
export type Life = number;

interface OfClaim {
  readonly at: Millis;
  readonly life: Life;
  readonly claim: ClaimId;
}

/** An owner has asked for something. */
export interface Submitted extends OfClaim {
  readonly kind: 'submitted';
  readonly operation: 'lock' | 'convert' | 'unlock' | 'cancel' | 'adopt';
  readonly lockspace: string;
  readonly resource: string;
  readonly owner: OwnerId;
  /** The mode asked for; of an unlock or a cancel the mode held. */
  readonly mode: ModeOrNone;
  readonly flags: number;
  /** The number that the value it brings stands for. */
  readonly value: number | null;
  /** What a cancel shall be called to the owner; not given: ECANCEL. */
  readonly status?: CancelStatus;
}

export interface Refused extends OfClaim {
  readonly kind: 'refused';
  readonly operation: Submitted['operation'];
  readonly code: Refusal;
}

export interface Waits extends OfClaim {
  readonly kind: 'waits';
  readonly lkid: Lkid;
}

/** The request, or the conversion, is known to stand in the queue of its master. Nobody is told of this; the world has looked. */
export interface Queued extends OfClaim {
  readonly kind: 'queued';
}

export interface Completed extends OfClaim {
  readonly kind: 'completed';
  readonly lkid: Lkid;
  readonly status: Status;
  readonly mode: ModeOrNone;
  readonly results: number;
  readonly value: number | null;
  readonly generation: Generation;
  readonly mastership: number;
  readonly sequence: number;
}

export interface Blocked extends OfClaim {
  readonly kind: 'blocked';
  readonly mode: Mode;
}

/** An orphan has become this claim's lock. */
export interface Adopted extends OfClaim {
  readonly kind: 'adopted';
  /** Whose lock it was. */
  readonly orphan: ClaimId;
  readonly mode: Mode;
}

/** In which mode a lock is whose owner has just ended. Nobody is told of this; the world has looked. */
export interface LeftBehind extends OfClaim {
  readonly kind: 'leftBehind';
  readonly mode: ModeOrNone;
}

/** These locks are no longer anybody's: orphans, or gone without a word. */
export interface Abandoned {
  readonly kind: 'abandoned';
  readonly at: Millis;
  readonly life: Life;
  readonly why: 'ownerEnded' | 'purged' | 'left';
  readonly orphans: readonly ClaimId[];
  readonly ended: readonly ClaimId[];
}

export interface Started {
  readonly kind: 'started';
  readonly at: Millis;
  readonly life: Life;
  readonly node: NodeId;
}

export interface Crashed {
  readonly kind: 'crashed';
  readonly at: Millis;
  readonly life: Life;
}

/** A life has asked to be in a lockspace, or out of it. */
export interface Joined {
  readonly kind: 'joined' | 'left';
  readonly at: Millis;
  readonly life: Life;
  readonly lockspace: string;
  /** It has left because its application has died there. */
  readonly isFailed?: boolean;
}

/** The engine has a new view, which nobody has been told yet. */
export interface Decided {
  readonly kind: 'decided';
  readonly at: Millis;
  readonly view: ViewId;
  readonly members: readonly Life[];
  /** The lockspaces of each member, and which of its joins it is. */
  readonly joins: ReadonlyMap<Life, ReadonlyMap<string, number>>;
  /** Who was in the view before and is not in this one; and of them, who left in good order. */
  readonly gone: readonly Life[];
  readonly left: readonly Life[];
}

/** A member has been told of a view. */
export interface Viewed {
  readonly kind: 'viewed';
  readonly at: Millis;
  readonly life: Life;
  readonly view: ViewId;
  readonly isQuorate: boolean;
}

export interface Recovered {
  readonly kind: 'recovered';
  readonly at: Millis;
  readonly life: Life;
  readonly lockspace: string;
  readonly generation: Generation;
}

/** A message was given to a node. The world has looked; nobody is told of this. */
export interface Heard {
  readonly kind: 'heard';
  readonly at: Millis;
  readonly life: Life;
  /** Who sent it. */
  readonly sender: Life;
  /** Null: one that the node has not joined. */
  readonly lockspace: string | null;
  /** The view in which it was sent. */
  readonly view: ViewId;
  readonly isOfRecovery: boolean;
  /** Did the node ask for anything because of it? */
  readonly hasEffect: boolean;
}

/** Nothing is in flight and nobody asks for anything: how does everybody stand? */
export interface Quiet {
  readonly kind: 'quiet';
  readonly at: Millis;
  readonly audits: readonly Audit[];
  /** Has everything been given back, so that nothing should be left? */
  readonly isDrained: boolean;
  /** Lives that go on although the latest view has left them out, or has never had them. */
  readonly outsiders: readonly Life[];
}

/** An agent has begun to switch a machine off, or has ended: in truth, in vain, called off, or with a lie. */
export interface Fenced {
  readonly kind: 'fenced';
  readonly at: Millis;
  /** Who has it done. */
  readonly life: Life;
  readonly victim: NodeId;
  /** Which life of it has failed; 0 of one that was not there at the beginning. */
  readonly victimLife: Life;
  readonly isStartup: boolean;
  readonly state: 'begun' | 'off' | 'lie' | 'failed' | 'cancelled';
}

/** What an application does about its data has changed. */
export interface ApplicationChanged {
  readonly kind: 'application';
  readonly at: Millis;
  readonly life: Life;
  readonly lockspace: string;
  /** `resuming` may touch the data already; `gone` may not any more. */
  readonly state: 'suspended' | 'resuming' | 'running' | 'suspending' | 'gone';
}

/** An application puts in order what a failed one has left behind. */
export interface Replay {
  readonly kind: 'replay';
  readonly at: Millis;
  readonly life: Life;
  readonly lockspace: string;
  readonly slot: Slot | null;
  readonly victim: NodeId | null;
  readonly since: ViewId;
  readonly state: 'begun' | 'done' | 'failed';
}

/** A node says that a step has begun or ended. */
export interface StepTold extends Omit<StepTaken, 'words' | 'verdict'> {
  readonly at: Millis;
  readonly life: Life;
}

/** An owner has written to the shared disk, under a lock that it holds as far as it knows. */
export interface Wrote extends OfClaim {
  readonly kind: 'wrote';
  readonly lockspace: string;
  readonly resource: string;
  /** The token of that lock. */
  readonly generation: Generation;
  readonly mastership: number;
  readonly sequence: number;
  /** Has the checking disk taken it? */
  readonly isTaken: boolean;
}

/** A life has heard nothing of the engine for so long that others may soon count it as gone. */
export interface Silent {
  readonly kind: 'silent';
  readonly at: Millis;
  readonly life: Life;
}

/** All machines have lost their power at once, and some of them what they had kept. */
export interface Blackout {
  readonly kind: 'blackout';
  readonly at: Millis;
  readonly lost: readonly NodeId[];
}

export type SimEvent =
  | Submitted
  | Refused
  | Waits
  | Queued
  | Completed
  | Blocked
  | Adopted
  | Abandoned
  | LeftBehind
  | Started
  | Crashed
  | Joined
  | Decided
  | Viewed
  | Recovered
  | Heard
  | Quiet
  | Fenced
  | ApplicationChanged
  | Replay
  | StepTold
  | Wrote
  | Silent
  | Blackout;

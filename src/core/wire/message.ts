/**
 * Everything nodes say to one another: one union, in families that each have one
 * addressee.
 *
 *   lock        between the holder of a lock and its master, or the directory → lockspace
 *   recovery    between the members while nobody may lock                     → recovery
 *   group       between all nodes: who failed, and what has been done about it → cluster
 *   application whose data has been put in order                              → application
 *   inspection  what people want to see; no lock depends on it                → host
 *
 * A message belongs to one lockspace (those of the family `group` to the lockspace 0,
 * which nobody can join) and carries `seq`, the view in which its sender
 * stood when it sent it. From one node to another messages arrive in the order in
 * which they were sent, each once, or the view changes (session.ts sees to that).
 * A lock has a number on its holder (`lkid`) and another on its master
 * (`masterLkid`). Names have one character a byte.
 *
 * Kin: dlm_internal.h struct dlm_message, dlm_rcom.
 */
import type { Generation, Incarnation, LockspaceId, Lkid, NodeId, OwnerId, Slot, ViewId } from '../base/ids.js';
import type { Status } from '../base/status.js';
import type { ValueState } from '../lock/lvb.js';
import type { Mode, ModeOrNone } from '../lock/mode.js';

interface Envelope {
  readonly lockspace: LockspaceId;
  readonly seq: ViewId;
}

/** Holder → master: a new lock. Holder → directory: the same, to the node that is master or knows it. */
export interface Request extends Envelope {
  readonly kind: 'request';
  readonly lkid: Lkid;
  readonly name: string;
  readonly mode: Mode;
  readonly flags: number;
  readonly value: Uint8Array | null;
  /** Is the addressee asked as the directory? */
  readonly isLookup: boolean;
}

/** Holder → master. If it is silent (`isSilent` in lock/mode.ts) nobody waits for a reply, and none is sent. */
export interface Convert extends Envelope {
  readonly kind: 'convert';
  readonly lkid: Lkid;
  readonly masterLkid: Lkid;
  readonly mode: Mode;
  readonly flags: number;
  readonly value: Uint8Array | null;
}

/** Holder → master. */
export interface Unlock extends Envelope {
  readonly kind: 'unlock';
  readonly lkid: Lkid;
  readonly masterLkid: Lkid;
  readonly flags: number;
  readonly value: Uint8Array | null;
}

/** Holder → master: take back what the lock waits for, and end with this status. */
export interface Cancel extends Envelope {
  readonly kind: 'cancel';
  readonly lkid: Lkid;
  readonly masterLkid: Lkid;
  readonly flags: number;
  readonly status: 'ECANCEL' | 'EDEADLK';
}

/**
 * How an operation stands: it has ended; it waits; there was nothing to cancel; or the
 * addressee is not the master, or knows no such lock.
 */
export type Standing = Status | 'queued' | 'nothing' | 'notMaster';

/** Master → holder: the answer to an operation, or later the end of one that was queued (`grant`; while that is queued still, it has given up its mode). */
export interface Answer extends Envelope {
  readonly kind: 'requestReply' | 'convertReply' | 'unlockReply' | 'cancelReply' | 'grant';
  readonly lkid: Lkid;
  readonly masterLkid: Lkid;
  readonly standing: Standing;
  /** The mode held from now on; IV: none. */
  readonly mode: ModeOrNone;
  /** `Result` flags. */
  readonly results: number;
  /** The resource's value, if the grant read it. */
  readonly value: Uint8Array | null;
  readonly valueState: ValueState;
  /** Which write the value is of. */
  readonly valueSequence: number;
  /** The token. */
  readonly generation: Generation;
  readonly mastership: number;
  readonly sequence: number;
  /** The place in the queue: smaller ones are before it. */
  readonly queueNumber: number;
}

/** Master → holder: this lock keeps somebody from `mode`. */
export interface Blocking extends Envelope {
  readonly kind: 'blocking';
  readonly lkid: Lkid;
  readonly mode: Mode;
}

/** Directory → holder: who is master of the resource of that lock; it may be the holder's node, from now on. */
export interface LookupReply extends Envelope {
  readonly kind: 'lookupReply';
  readonly lkid: Lkid;
  readonly master: NodeId;
  readonly mastership: number;
}

/** Master → directory: the resource is forgotten, whoever asks next may be master. */
export interface Remove extends Envelope {
  readonly kind: 'remove';
  readonly name: string;
  readonly mastership: number;
}

/** Any → any: end the orphans on your node, of one former owner or all of them. */
export interface Purge extends Envelope {
  readonly kind: 'purge';
  readonly formerOwner: OwnerId | null;
}

export type LockMessage = Request | Convert | Unlock | Cancel | Answer | Blocking | LookupReply | Remove | Purge;

/** The steps of a recovery; nobody begins one before everybody has ended the one before it. */
export type PhaseName = 'members' | 'ready' | 'directory' | 'masters' | 'locks' | 'done' | 'resume';

/** A slot whose data has to be put in order before applications may go on. */
export interface PendingSlot {
  /** Null: all there are, because nobody knows who used them last. */
  readonly slot: Slot | null;
  /** Who had it when it failed; null with all. */
  readonly victim: NodeId | null;
  /** The view that lacks the victim. With the slot it names the failure. */
  readonly since: ViewId;
  /** Who is to do it; null: nobody can. */
  readonly by: NodeId | null;
  /** How often it has been tried in vain. */
  readonly tries: number;
}

/** What a member tells of itself when it has stopped. */
export interface MemberReport {
  /** Null: it has none yet. */
  readonly slot: Slot | null;
  /** The highest generation it has ever heard of. */
  readonly generation: Generation;
  /** How it takes the lockspace to be, in words that two members can compare: all must be the same. */
  readonly terms: readonly string[];
  /** Is an application attached to the lockspace there? */
  readonly hasApplication: boolean;
  /** Has that been told to resume since it came, so that it may have touched its data? */
  readonly hasResumed: boolean;
  /** Does it know that the slots of this lockspace have been looked at since it began? */
  readonly isInitialized: boolean;
  readonly pending: readonly PendingSlot[];
  /** Those that it knows to be done. */
  readonly recovered: readonly PendingSlot[];
}

/** Member → coordinator (the lowest member): I have ended this phase. */
export interface Reached extends Envelope {
  readonly kind: 'reached';
  readonly phase: PhaseName;
  /** With the phase `members` only. */
  readonly report: MemberReport | null;
}

export interface MemberSlot {
  readonly node: NodeId;
  readonly slot: Slot;
  readonly hasApplication: boolean;
  readonly hasResumed: boolean;
}

/** Coordinator → member: everybody has ended this phase. */
export interface Proceed extends Envelope {
  readonly kind: 'proceed';
  readonly phase: PhaseName;
  /** Who was the last to end it. */
  readonly last: NodeId;
  readonly generation: Generation;
  /** With the phase `members` only, else empty. */
  readonly slots: readonly MemberSlot[];
  /** The same. */
  readonly pending: readonly PendingSlot[];
  /** The same: how the lockspace is. Whoever takes it to be otherwise leaves it. */
  readonly terms: readonly string[];
}

/** Master → directory: I am master of these. */
export interface Names extends Envelope {
  readonly kind: 'names';
  readonly batch: number;
  readonly names: readonly string[];
  readonly masterships: readonly number[];
}

/** Holder → directory: the master of these is gone; who shall it be? The first who asks. */
export interface MasterLookup extends Envelope {
  readonly kind: 'masterLookup';
  readonly batch: number;
  readonly names: readonly string[];
}

export interface MasterLookupReply extends Envelope {
  readonly kind: 'masterLookupReply';
  readonly batch: number;
  readonly masters: readonly NodeId[];
  readonly masterships: readonly number[];
}

/** A lock as its holder knows it. */
export interface LockRecord {
  readonly lkid: Lkid;
  readonly name: string;
  readonly granted: ModeOrNone;
  /** IV: it waits for nothing. */
  readonly requested: ModeOrNone;
  readonly flags: number;
  readonly results: number;
  readonly value: Uint8Array | null;
  readonly valueSequence: number;
  readonly generation: Generation;
  readonly mastership: number;
  readonly sequence: number;
  readonly queueNumber: number;
}

/** Holder → new master: my locks on your resources. */
export interface RebuildLocks extends Envelope {
  readonly kind: 'rebuildLocks';
  readonly batch: number;
  readonly locks: readonly LockRecord[];
}

/** New master → holder: their numbers here, in the same order. */
export interface RebuildLocksReply extends Envelope {
  readonly kind: 'rebuildLocksReply';
  readonly batch: number;
  readonly masterLkids: readonly Lkid[];
}

/** Directory → master: the names of that batch are known. */
export interface NamesReply extends Envelope {
  readonly kind: 'namesReply';
  readonly batch: number;
}

export type RecoveryMessage =
  | Reached
  | Proceed
  | Names
  | NamesReply
  | MasterLookup
  | MasterLookupReply
  | RebuildLocks
  | RebuildLocksReply;

/** What has been found about a failed node; `open`: nothing yet, it may still act. */
export type Verdict = 'open' | 'fenced' | 'acknowledged' | 'returned';

/** A node that was a member and is not, without having left in good order. */
export interface FailureCase {
  readonly victim: NodeId;
  /** The life of it that failed; 0: whichever, it was not here when the cluster began. */
  readonly incarnation: Incarnation;
  /** How people call it. */
  readonly name: string;
  /** The view that lacks it. */
  readonly since: ViewId;
  /** The lockspaces it had joined. */
  readonly lockspaces: readonly string[];
  /** Who was in the view before, and since. */
  readonly witnesses: readonly NodeId[];
  readonly verdict: Verdict;
  /** Who had it fenced, or told so. */
  readonly by: NodeId | null;
  /** In what way, or why the last attempt failed. */
  readonly words: string;
  /** How often it was tried in vain. */
  readonly attempts: number;
}

/** Any → any, when the members have changed: the cases I know. */
export interface Census extends Envelope {
  readonly kind: 'census';
  /** Is this the sender's first view? Then what it knows is only whom it misses. */
  readonly isNew: boolean;
  readonly cases: readonly FailureCase[];
}

/** Whoever acted → any: how it ended. An `open` one is an attempt that failed. */
export interface CaseVerdict extends Envelope {
  readonly kind: 'verdict';
  readonly victim: NodeId;
  readonly incarnation: Incarnation;
  readonly verdict: Verdict;
  readonly words: string;
  readonly attempts: number;
}

export type GroupMessage = Census | CaseVerdict;

/** Whoever recovered a slot → any: it is done; or I could not, and it is somebody else's turn. */
export interface SlotResult extends Envelope {
  readonly kind: 'slotResult';
  readonly isDone: boolean;
  /** As it is from now on. */
  readonly work: PendingSlot;
}

/** Any → any: which locks of this lockspace do you know? */
export interface Inspect extends Envelope {
  readonly kind: 'inspect';
  readonly question: number;
  /** Only those on the resource of that name; null: all. */
  readonly name: string | null;
}

/** The answer, as JSON in UTF-8; empty: not joined, or too many to tell. */
export interface InspectReply extends Envelope {
  readonly kind: 'inspectReply';
  readonly question: number;
  readonly text: Uint8Array;
}

export type InspectionMessage = Inspect | InspectReply;

export type Message = LockMessage | RecoveryMessage | GroupMessage | SlotResult | InspectionMessage;

/** Say this to another member. From one node to another messages arrive in this order, each once, or the view changes. */
export interface Send {
  readonly kind: 'send';
  readonly to: NodeId;
  readonly message: Message;
}

/** Why a message led to nothing. */
export type Unheeding =
  /** It has to wait until this node has come as far. */
  | 'kept'
  /** It belongs to a recovery that was abandoned. */
  | 'oldRecovery'
  /** One of the two has joined since. */
  | 'oldLife'
  /** The directory has been made anew since, or the name taken up again. */
  | 'oldDirectory'
  /** The resource has been another node's since. */
  | 'moved'
  /** This node is not in that lockspace. */
  | 'notJoined'
  /** The lock, or the question, is over. */
  | 'over';

/** For people: a message of a member was not heeded. Nothing follows from it. */
export interface Unheeded {
  readonly kind: 'unheeded';
  readonly from: NodeId;
  readonly message: Message;
  readonly why: Unheeding;
}

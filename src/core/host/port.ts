/**
 * One way to reach a node: in this process, or through its socket.
 *
 * Handles speak to a port and do not know which it is. A lock's callbacks arrive
 * at its listener in the order in which the node gave them, and no callback
 * follows `lost`.
 */
import type { DlmError } from '../base/errors.js';
import type { Lkid, OwnerId } from '../base/ids.js';
import type { Block, Complete, Wait } from '../lock/turn.js';
import type { Adopt, Refuse } from '../node/effect.js';
import type { LockInput, ConvertInput, UnlockInput } from '../node/input.js';
import type {
  LockFilter,
  LockInfo, LocksOfAll,
  LockspaceContent,
  LockspaceOptions,
  LockspaceSummary,
  NodeStatus,
  ShellDoor,
  WatchedProcess,
} from './types.js';

/** What a refused call is told. */
export type Refusal = Pick<Refuse, 'code' | 'rule' | 'call'>;

/** Whoever asked for a lock and hears what becomes of it. */
export interface Listener {
  complete(effect: Complete): void;
  wait(effect: Wait): void;
  block(effect: Block): void;
  adopt(effect: Adopt): void;
  refuse(refusal: Refusal | DlmError): void;
  /** The lock is gone, or must be treated so. */
  lost(reason: DlmError): void;
}

/** What is asked of an application. */
export type ApplicationEvent = SuspendEvent | RecoverEvent | ResumeEvent;

interface OfApplication {
  readonly lockspace: string;
  /** How often the members of the lockspace have changed, by the last number that all have agreed on. */
  readonly generation: number;
  /** The slot of this node: its journal, say. Null: it has none yet. */
  readonly slot: number | null;
}

/** Touch the data no more. */
export interface SuspendEvent extends OfApplication {
  readonly do: 'suspend';
}

/** Put in order what a failed member has left behind. */
export interface RecoverEvent extends OfApplication {
  readonly do: 'recover';
  /** Null: all that there are; nobody knows who used them last. */
  readonly failedSlot: number | null;
  readonly failedNode: number | null;
  /** The view that shows the failure; it and the slot name the work. */
  readonly since: number;
  /** Whoever shows it is granted locks while applications are suspended. A secret. */
  readonly recovery: string;
}

/** The data may be touched. */
export interface ResumeEvent extends OfApplication {
  readonly do: 'resume';
}

/** An application, as its node hears of it. */
export interface ApplicationTerms {
  /** How long it may take to suspend. */
  readonly suspendMillis: number;
  /** What follows a failure, and in which order; what the lockspace has if not given, or `gfs`. */
  readonly order?: string;
  /** The client's process is the application: it is ended should it go away without having detached. */
  readonly isClient: boolean;
}

/** The answer of an application. */
export type ApplicationAnswer =
  | { readonly to: 'suspend'; readonly isDone: boolean }
  | { readonly to: 'recover'; readonly slot: number | null; readonly since: number; readonly isDone: boolean };

/** Whoever speaks for an application. */
export interface ApplicationListener {
  hear(event: ApplicationEvent): void;
  /** It is attached no more, and must have ended. */
  lost(reason: DlmError): void;
}

/** A lock input whose owner the port will put in; its cookie is the listener. */
export interface LockCall extends Omit<LockInput, 'owner' | 'cookie'> {
  owner: OwnerId;
  readonly cookie: Listener;
  /** The identity of a recovery process. */
  readonly recovery?: string | undefined;
}

export interface ConvertCall extends ConvertInput {
  readonly recovery?: string | undefined;
}

/** What becomes of a request that is cancelled too late. */
export type CancelWord = 'forGood' | 'forNobody';

export interface Port {
  readonly node: number;
  readonly incarnation: number;

  /** Answers come to the listener, possibly before this returns. Owner null: this client. */
  lock(call: LockCall, owner: WatchedProcess | null): void;
  convert(call: ConvertCall, listener: Listener): void;
  unlock(call: UnlockInput, listener: Listener): void;
  /** Also hear the completions of a lock that somebody else asked for. */
  attend(lkid: Lkid, listener: Listener): void;
  /**
   * Was there anything to cancel? The listener hears the rest; it stands for a lock whose id is not known yet. `forGood`: the
   * node answers by itself, however silent others are, and undoes what they grant later. `forNobody`: a lock that is granted
   * all the same, or was before, is given back.
   */
  cancel(lockspace: string, lkid: Lkid, listener: Listener, how?: CancelWord): Promise<boolean>;
  /** Keep what this client holds until that process is gone, even if the client dies first. */
  protect(pid: number): Promise<void>;

  /** Join a lockspace, making it if need be. `isNew`: fail if this node has joined it. */
  joinLockspace(name: string, options: LockspaceOptions): Promise<LockspaceSummary>;
  removeLockspace(name: string, force: boolean): Promise<void>;
  /** Join with an application, which hears from now on what it has to do. Rejects with `DLM_NO_CLUSTER`, `DLM_LOCKSPACE_IN_USE`. */
  attachApplication(lockspace: string, terms: ApplicationTerms, listener: ApplicationListener): Promise<LockspaceSummary>;
  answerApplication(lockspace: string, answer: ApplicationAnswer): Promise<void>;
  /** The application has suspended and goes away, and the node leaves the lockspace in good order. Rejects with `DLM_LOCKSPACE_IN_USE`. */
  detachApplication(lockspace: string): Promise<void>;
  content(lockspace: string): Promise<LockspaceContent>;
  locks(filter: LockFilter): Promise<LockInfo[]>;
  /** With `allNodes`, whether given or not, and who has not told. */
  locksOfAll(filter: LockFilter): Promise<LocksOfAll>;
  /** How many orphans were ended. `formerPid`: only those that process left. */
  purgeOrphans(lockspace: string, formerPid: number | null): Promise<number>;
  /** Of its lockspaces only this one, if one is named: others may be many. */
  status(lockspace?: string): Promise<NodeStatus>;
  /** How often the members, or how far lockspaces have come, have changed: when that is more than `seen`; at once if none is given. */
  awaitChange(seen: number | null): Promise<number>;
  /** Pipes between the node and a shell that will own locks. */
  openShell(lockspace: string): Promise<ShellDoor>;
  /** Ask the node to leave: refused while locks are held, unless forced; with `drain` once they have ended. */
  leave(options: { force: boolean; drain: boolean }): Promise<void>;
  /** Let go of the node; what this client holds ends. */
  close(): Promise<void>;
}

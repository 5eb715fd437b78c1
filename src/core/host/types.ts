/**
 * What a program sees of a node: plain data about it, and the shapes of its verbs.
 *
 * `openNode` (a node in this process) and `attach` (a node reached through its
 * socket) give the same `NodeClient`; nothing here tells which it is. Names are
 * text in UTF-8, or bytes where text will not do. Durations are milliseconds.
 */
import type { FlagName, ResultName } from '../lock/flags.js';
import type { ValueState } from '../lock/lvb.js';
import type { ModeName } from '../lock/mode.js';
import type { EngineName } from './engine/engines.js';

export type { FlagName, ModeName, ResultName, ValueState };

/** A resource name: text, or bytes (0 to 64 of them). */
export type Name = string | Uint8Array;

/** A process that owns locks without keeping a connection: it is watched instead. */
export interface WatchedProcess {
  readonly pid: number;
}

/** Who holds a lock, as people want to see it. */
export interface HolderInfo {
  readonly pid: number;
  /** The command line, shortened; empty if unknown. */
  readonly command: string;
}

export interface LockOptions {
  /** EX if not given. */
  readonly mode?: ModeName;
  readonly flags?: readonly FlagName[];
  /** Written by a conversion down or an unlock from PW or EX; at most the lockspace's length. Sets VALBLK. */
  readonly value?: Uint8Array;
  /** Fetch the value with the grant. Sets VALBLK. */
  readonly wantValue?: boolean;
  /**
   * False: nobody is going to listen to 'blocking', and it need not be told, which spares a message in each contest
   * where another node is master. Locks with PERSISTENT are told all the same, for the sake of who adopts them.
   */
  readonly blocking?: boolean;
  /**
   * Give up after so many milliseconds of waiting: `DLM_TIMED_OUT`. What a member that does not answer at that time grants
   * later is undone.
   */
  readonly timeout?: number;
  /** Give up when it is aborted: `DLM_CANCELLED`. */
  readonly signal?: AbortSignal;
  /** Whose end ends the lock: this client if not given. */
  readonly owner?: WatchedProcess;
}

/** A lock as anybody may see it. */
export interface LockInfo {
  /** `LOCKSPACE:NODE.INCARNATION.LKID`, good for convert, unlock and cancel. */
  readonly id: string;
  readonly lockspace: string;
  /** As text, with anything unprintable escaped. */
  readonly resource: string;
  /** The name's bytes. */
  readonly resourceHex: string;
  readonly state: 'granted' | 'converting' | 'waiting';
  /** Null for a request that was never granted. */
  readonly mode: ModeName | null;
  /** What it waits for, if it waits. */
  readonly requested: ModeName | null;
  /** Its place in its queue, from 1; null if granted, or where another node has the queue. */
  readonly position: number | null;
  /** The node that decides about the resource; null while that is not known. */
  readonly master: number | null;
  readonly flags: readonly FlagName[];
  /** Since when it has been in that state. */
  readonly ageMillis: number;
  /** `GENERATION.MASTERSHIP.SEQUENCE` in hex; null if never granted. */
  readonly token: string | null;
  readonly node: number;
  readonly owner: OwnerInfo;
}

export interface OwnerInfo {
  /**
   * A connection, a watched process, the node itself, nobody any more, or somebody on another node. `ended`: somebody who
   * has ended; the lock is given back, and the node that decides about it has not answered yet.
   */
  readonly kind: 'session' | 'process' | 'node' | 'orphan' | 'ended' | 'elsewhere';
  readonly pid: number | null;
  readonly command: string;
}

export interface ResourceInfo {
  readonly resource: string;
  readonly resourceHex: string;
  /** The node that decides about it; null while that is not known. */
  readonly master: number | null;
  /** The node that knows which one that is. */
  readonly directory: number;
  readonly valueState: ValueState;
  /** The value's bytes, valid or not; null if there is none. */
  readonly valueHex: string | null;
  readonly granted: readonly LockInfo[];
  readonly converting: readonly LockInfo[];
  readonly waiting: readonly LockInfo[];
}

/** How to join a lockspace. */
export interface LockspaceOptions {
  /** The length of its value blocks in bytes; 32 if not given. */
  readonly valueLength?: number;
  /** What is done in which order when a member has failed: `gfs`, `fence-first`, `none`, or written out. */
  readonly order?: string;
  /** The member that a name belongs to is always its master: nobody looks a master up, and every change of members moves some. */
  readonly nodir?: boolean;
  /** Fail if this node has joined it. */
  readonly isNew?: boolean;
}

export interface LockspaceSummary {
  readonly name: string;
  /** In bytes. */
  readonly valueLength: number;
  readonly resources: number;
  readonly locks: number;
  readonly orphans: number;
  /** What is done in which order when a member has failed: its name, or written out. */
  readonly order: string;
  /** See `LockspaceOptions`. */
  readonly nodir: boolean;
  /** `running`; or what keeps it from being locked: `joining`, `no quorum`, or the step of a recovery. */
  readonly standing: string;
  /** The members whose report a recovery waits for. */
  readonly waitsFor: readonly number[];
  /** What else is waited for, as a sentence without a full stop: a fence, an application; empty: nothing. */
  readonly reason: string;
  /** The first part of the tokens that are given out now. */
  readonly generation: number;
  /** The nodes that have joined it. */
  readonly members: readonly number[];
  readonly slots: readonly { readonly node: number; readonly slot: number }[];
}

export interface LockspaceContent extends LockspaceSummary {
  readonly content: readonly ResourceInfo[];
}

/** A member of the cluster, as this node knows it. */
export interface MemberInfo {
  readonly node: number;
  readonly name: string;
  readonly address: string;
  readonly incarnation: number;
  readonly lockspaces: readonly string[];
  /**
   * How we are linked with it. `overfull`: it took no messages for so long that they were dropped, and must come back as
   * another life. `other key`: we are not, since the two have no key in common.
   */
  readonly link: 'self' | 'down' | 'other key' | 'overfull' | 'plain' | 'encrypted';
}

export interface NodeStatus {
  readonly node: number;
  readonly incarnation: number;
  readonly engine: EngineName;
  /** Started by `node join`, by a command that found none, or inside a program. */
  readonly start: 'joined' | 'automatic' | 'in-process';
  readonly pid: number;
  readonly version: string;
  /** Null for a node that no other process can reach. */
  readonly socket: string | null;
  readonly uptimeMillis: number;
  readonly quorate: boolean;
  readonly members: readonly number[];
  /** Null: this node is alone, and no cluster. */
  readonly cluster: ClusterStatus | null;
  readonly sessions: number;
  /** Protected commands of the node's earlier life that still run: nothing is granted before they have ended. */
  readonly waitingFor: readonly HolderInfo[];
  /** It was told to leave and grants no new locks; it drains as long as there are `locks`. Null: it stays. */
  readonly leaving: { readonly locks: number } | null;
  readonly lockspaces: readonly LockspaceSummary[];
}

/** The cluster a node is in. */
export interface ClusterStatus {
  readonly name: string;
  /** The number of the present view. */
  readonly view: number;
  readonly members: readonly MemberInfo[];
  /** The last ones that this node has heard of, the newest last. */
  readonly changes: readonly MemberChange[];
  /** How failed nodes are fenced, in a few words. */
  readonly fencing: string;
  /** Are they? */
  readonly isFencing: boolean;
  /** Links leave this machine unencrypted. */
  readonly insecure: boolean;
}

/** A change of the members, as this node heard of it. */
export interface MemberChange {
  /** When, in ISO 8601. */
  readonly at: string;
  /** The number of the view that says so. */
  readonly view: number;
  readonly node: number;
  readonly name: string;
  readonly change: 'here' | 'left' | 'failed';
}

/** Where a shell meets its node. */
export interface ShellDoor {
  /** It holds two named pipes, `requests` and `answers`. */
  readonly folder: string;
  /** The node's process. */
  readonly pid: number;
}

/** The locks on all members, as far as these have told. */
export interface LocksOfAll {
  readonly locks: LockInfo[];
  /** Members of whose locks only those are listed that others know of. */
  readonly unlisted: readonly Unlisted[];
}

export interface Unlisted {
  readonly node: number;
  /** It did not answer within a second; or it had nothing that could be told: there are too many, or it is just leaving. */
  readonly why: 'silent' | 'untold';
}

/** Which locks to list. */
export interface LockFilter {
  readonly lockspace?: string;
  readonly name?: Name;
  readonly orphansOnly?: boolean;
  /** Ask all members of the cluster, not only this node. Who does not answer within a second is left out; `locksOfAll` says who. */
  readonly allNodes?: boolean;
}

export interface ConvertOptions {
  readonly flags?: readonly FlagName[];
  readonly value?: Uint8Array;
  readonly wantValue?: boolean;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface UnlockOptions {
  readonly flags?: readonly FlagName[];
  readonly value?: Uint8Array;
}

/** How a lock stands after an operation on it by its id. */
export interface LockState {
  readonly id: string;
  readonly mode: ModeName | null;
  readonly results: readonly ResultName[];
  readonly value: Uint8Array | null;
  readonly valueState: ValueState;
  readonly token: string;
}

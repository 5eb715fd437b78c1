/**
 * A lockspace as plain data, for people and for checkers: every resource with its
 * three queues, its value and its orphans. Nothing in it is shared with the
 * lockspace.
 *
 * Kin: debug_fs.c.
 */
import type { Lkid, Millis, NodeId, OwnerId } from '../base/ids.js';
import type { Lock } from '../lock/lock.js';
import { stateOf, type ValueState } from '../lock/lvb.js';
import type { ModeOrNone } from '../lock/mode.js';
import type { Resource } from '../lock/resource.js';
import type { Lockspace } from './lockspace.js';

export interface LockDump {
  readonly lkid: Lkid;
  /** The owner; of an orphan, the one it had. */
  readonly owner: OwnerId;
  readonly isOrphan: boolean;
  /** Its owner has ended, and its master has not said yet that it is given back. */
  readonly isEnding: boolean;
  readonly granted: ModeOrNone;
  readonly requested: ModeOrNone;
  /** `Flag` numbers of its last call. */
  readonly flags: number;
  /** When it took its place in its queue. */
  readonly since: Millis;
  readonly generation: number;
  readonly mastership: number;
  readonly sequence: number;
  /** The node that holds it, of a lock of another node that is mastered here; else null. */
  readonly holder: NodeId | null;
  /** Its number there. */
  readonly holderLkid: Lkid | null;
}

export interface ResourceDump {
  /** One character a byte. */
  readonly name: string;
  /** The node that decides; null: not known at the moment. */
  readonly master: NodeId | null;
  /** The node that knows which one that is. */
  readonly directory: NodeId;
  readonly granted: readonly LockDump[];
  readonly converting: readonly LockDump[];
  readonly waiting: readonly LockDump[];
  readonly valueState: ValueState;
  /** The bytes, valid or not. */
  readonly value: Uint8Array | null;
  /** Was the value declared not valid? Also known when there is none. */
  readonly isInvalid: boolean;
}

export interface LockspaceDump {
  readonly name: string;
  readonly valueLength: number;
  readonly lockCount: number;
  readonly resources: readonly ResourceDump[];
}

/** How much a lockspace holds. */
export interface LockspaceCounts {
  /** May it be locked, or what is it waiting for? */
  readonly standing: string;
  /** Whose report a recovery waits for; none if none is going on, or if it is our turn. */
  readonly waitsFor: readonly NodeId[];
  /** Of the last recovery that has ended, or of this life of a node that is alone. */
  readonly generation: number;
  readonly members: readonly NodeId[];
  readonly slots: readonly { readonly node: NodeId; readonly slot: number }[];
  readonly valueLength: number;
  readonly resources: number;
  readonly locks: number;
  readonly orphans: number;
}

/** What only whoever runs the recovery knows. */
export type Progress = Pick<LockspaceCounts, 'standing' | 'waitsFor' | 'slots'>;

export function counts(lockspace: Lockspace, progress: Progress): LockspaceCounts {
  return {
    ...progress,
    generation: lockspace.tables.generation,
    members: lockspace.tables.members.nodes,
    valueLength: lockspace.config.valueLength,
    resources: lockspace.resources.size,
    locks: lockspace.lockCount,
    orphans: lockspace.owners.orphans.size,
  };
}

/** Everything, or one resource only. */
export function dump(lockspace: Lockspace, only: string | null = null): LockspaceDump {
  const former = lockspace.owners.orphans;
  const one = only === null ? null : lockspace.resources.named(only);
  const chosen = only === null ? lockspace.resources.inUse() : one === null ? [] : [one];
  return {
    name: lockspace.name,
    valueLength: lockspace.config.valueLength,
    lockCount: lockspace.lockCount,
    resources: chosen.map((resource) => dumpResource(resource, lockspace.tables.members.directoryOf(resource.name), former)),
  };
}

function dumpResource(resource: Resource, directory: NodeId, former: ReadonlyMap<Lock, OwnerId>): ResourceDump {
  const dumpLocks = (locks: Iterable<Lock>): LockDump[] =>
    Array.from(locks, (lock) => dumpLock(lock, former.get(lock)));
  return {
    name: resource.name,
    master: resource.home.master,
    directory,
    granted: dumpLocks([...resource.grantedLocks()].filter(({ place }) => place === 'granted')),
    converting: dumpLocks(resource.convertQueue),
    waiting: dumpLocks(resource.waitQueue),
    valueState: stateOf(resource.value),
    value: resource.value?.bytes?.slice() ?? null,
    isInvalid: resource.value !== null && !resource.value.isValid,
  };
}

function dumpLock(lock: Lock, formerOwner: OwnerId | undefined): LockDump {
  return {
    lkid: lock.id,
    owner: (lock.owner ?? formerOwner) as OwnerId,
    isOrphan: formerOwner !== undefined,
    isEnding: lock.owner === null && lock.copy !== 'master' && formerOwner === undefined,
    granted: lock.granted,
    requested: lock.requested,
    flags: lock.flags,
    since: lock.since,
    generation: lock.generation,
    mastership: lock.mastership,
    sequence: lock.tokenSequence,
    holder: lock.copy === 'master' ? lock.far!.node : null,
    holderLkid: lock.copy === 'master' ? lock.far!.lkid : null,
  };
}

/**
 * A node: one input in, routed to the room it concerns, effects out.
 *
 * It is the only room that knows the others. It keeps no time and draws no luck:
 * both come in with the input. Two nodes given the same inputs at the same times
 * ask for the same effects.
 */
import type { Incarnation, Lkid, Millis, NodeId, OwnerId } from '../base/ids.js';
import { unreachable } from '../base/assert.js';
import { Outbox } from '../base/outbox.js';
import type { Refusal } from '../base/status.js';
import { Flag, type Rule } from '../lock/flags.js';
import { Lock } from '../lock/lock.js';
import { IV, type Mode } from '../lock/mode.js';
import type { Refused } from '../lock/operations.js';
import { counts, dump, type LockspaceCounts, type LockspaceDump } from '../lockspace/dump.js';
import { Lockspace } from '../lockspace/lockspace.js';
import { Numbers } from '../lockspace/numbers.js';
import type { Effect } from './effect.js';
import type { Input, LeaveLockspace, LockInput, Operation } from './input.js';

export interface NodeConfig {
  readonly self: NodeId;
  /** Greater than that of every earlier life of this node. */
  readonly incarnation: Incarnation;
}

/** A lock and what its owner gave to be handed back. */
export interface HeldLock {
  readonly lkid: Lkid;
  /** Or does it still wait for its first grant? */
  readonly isGranted: boolean;
  readonly cookie: unknown;
}

const notJoined: Rule = { name: 'lockspace-joined', text: 'this node has not joined that lockspace' };
const stillLocked: Rule = { name: 'lockspace-empty', text: 'the lockspace still has locks' };

export class DlmNode {
  readonly #outbox = new Outbox<Effect>();
  readonly #lockspaces = new Map<string, Lockspace>();
  /** The same, in the order of their names. */
  #sorted: readonly Lockspace[] = [];
  readonly #numbers = new Numbers();

  constructor(readonly config: NodeConfig) {}

  /** One thing has happened: what is to be done? */
  step(now: Millis, input: Input): Effect[] {
    switch (input.kind) {
      case 'joinLockspace':
        this.#join(input.lockspace, input.config);
        break;
      case 'leaveLockspace':
        this.#leave(input);
        break;
      case 'endOwner':
        for (const lockspace of this.#sorted) lockspace.endOwner(now, input.owner);
        break;
      case 'deadline':
        for (const lockspace of this.#sorted) lockspace.tick(now);
        break;
      default: {
        const lockspace = this.#lockspaces.get(input.lockspace);
        if (lockspace === undefined) this.#refuse(input, 'ENOENT', notJoined);
        else this.#operate(now, lockspace, input);
      }
    }
    return this.#outbox.take();
  }

  /** When the node wants to be given a `deadline`, if nothing happens before. */
  nextDeadline(): Millis | null {
    let next: Millis | null = null;
    for (const lockspace of this.#sorted) {
      const deadline = lockspace.nextDeadline();
      if (deadline !== null && (next === null || deadline < next)) next = deadline;
    }
    return next;
  }

  /** The names of the joined lockspaces, in order. */
  lockspaceNames(): string[] {
    return [...this.#lockspaces.keys()].sort();
  }

  hasLockspace(name: string): boolean {
    return this.#lockspaces.has(name);
  }

  /** How many locks there are, in all lockspaces. */
  get lockCount(): number {
    let count = 0;
    for (const lockspace of this.#sorted) count += lockspace.lockCount;
    return count;
  }

  /** A lockspace, or one resource of it, as plain data. Null: not joined. */
  dump(lockspace: string, resource: string | null = null): LockspaceDump | null {
    const found = this.#lockspaces.get(lockspace);
    return found === undefined ? null : dump(found, resource);
  }

  /** How much a lockspace holds. Null: not joined. */
  counts(lockspace: string): LockspaceCounts | null {
    const found = this.#lockspaces.get(lockspace);
    return found === undefined ? null : counts(found);
  }

  /** The locks that somebody would miss: of one owner, of one lockspace, or both. Orphans have nobody. */
  held(owner: OwnerId | null, lockspace: string | null): HeldLock[] {
    const held: HeldLock[] = [];
    for (const { name, locks } of this.#sorted) {
      if (lockspace !== null && name !== lockspace) continue;
      for (const lock of locks) {
        if (lock.owner !== null && (owner === null || lock.owner === owner)) held.push(heldLock(lock));
      }
    }
    return held;
  }

  /** Does this owner hold or want anything? */
  hasLocksOf(owner: OwnerId): boolean {
    return this.#sorted.some(({ owners }) => owners.hasLocksOf(owner));
  }

  /** Has this owner, who has ended, left orphans? */
  hasOrphansOf(owner: OwnerId): boolean {
    return this.#sorted.some(({ owners }) => [...owners.orphans.values()].includes(owner));
  }

  #operate(now: Millis, lockspace: Lockspace, input: Operation): void {
    switch (input.kind) {
      case 'lock':
        this.#answerLock(input, lockspace.lock(now, input));
        break;
      case 'convert':
        this.#answer(input, lockspace.convert(now, input.lkid, input));
        break;
      case 'unlock':
        this.#answer(input, lockspace.unlock(now, input.lkid, input.flags, input.value));
        break;
      case 'cancel':
        this.#answer(input, lockspace.cancel(now, input.lkid, input.flags, input.status));
        break;
      case 'purgeOwner':
        lockspace.purgeOwner(now, input.owner);
        break;
      case 'purgeOrphans':
        lockspace.purgeOrphans(now, input.formerOwner);
        break;
      default:
        unreachable(input);
    }
  }

  #answer(input: Input, refused: Refused | null): void {
    if (refused !== null) this.#refuse(input, refused.code, refused.rule);
  }

  #answerLock(input: LockInput, outcome: Refused | Lock): void {
    if (!(outcome instanceof Lock)) this.#answer(input, outcome);
    else if ((input.flags & Flag.ORPHAN) !== 0) this.#outbox.push(adoption(outcome));
  }

  #refuse(call: Input, code: Refusal, rule: Rule | null): void {
    this.#outbox.push({ kind: 'refuse', call, code, rule });
  }

  #join(name: string, config: Lockspace['config']): void {
    if (this.#lockspaces.has(name)) return;
    this.#lockspaces.set(name, new Lockspace(name, config, this.#numbers, this.#outbox));
    this.#sort();
  }

  #leave(input: LeaveLockspace): void {
    const lockspace = this.#lockspaces.get(input.lockspace);
    if (lockspace === undefined) this.#refuse(input, 'ENOENT', notJoined);
    else if (lockspace.lockCount > 0 && !input.force) this.#refuse(input, 'EBUSY', stillLocked);
    else {
      this.#lockspaces.delete(input.lockspace);
      this.#sort();
    }
  }

  /** Nothing may depend on the order of joining. */
  #sort(): void {
    this.#sorted = this.lockspaceNames().map((name) => this.#lockspaces.get(name)!);
  }
}

function heldLock({ id, granted, cookie }: Lock): HeldLock {
  return { lkid: id, isGranted: granted !== IV, cookie };
}

function adoption(lock: Lock): Effect {
  return {
    kind: 'adopt',
    cookie: lock.cookie,
    lkid: lock.id,
    mode: lock.granted as Mode,
    mastership: lock.resource.mastership,
    sequence: lock.tokenSequence,
  };
}

/**
 * A node: one input in, routed to the room it concerns, effects out.
 *
 * It is the only room that knows the others. It keeps no time and draws no luck:
 * both come in with the input. Two nodes given the same inputs at the same times
 * ask for the same effects.
 */
import { earlier, type Incarnation, type Lkid, type LockspaceId, type Millis, type NodeId, type OwnerId } from '../base/ids.js';
import { unreachable } from '../base/assert.js';
import { Outbox } from '../base/outbox.js';
import type { Refusal } from '../base/status.js';
import { Flag, type Rule } from '../lock/flags.js';
import { Lock } from '../lock/lock.js';
import { IV, type Mode } from '../lock/mode.js';
import type { Refused } from '../lock/operations.js';
import { counts, dump, type LockspaceCounts, type LockspaceDump } from '../lockspace/dump.js';
import { Fencing, noFencing, type CaseEvent, type FencingConfig } from '../cluster/fencing.js';
import { parseOrder } from '../cluster/order.js';
import type { View } from '../cluster/view.js';
import type { Lockspace } from '../lockspace/lockspace.js';
import { Numbers } from '../lockspace/numbers.js';
import { lockspaceIdOf } from '../lockspace/tables.js';
import { isGroupMessage } from '../wire/concern.js';
import type { GroupMessage } from '../wire/message.js';
import type { Effect } from './effect.js';
import type { FenceAck, Input, JoinLockspace, LeaveLockspace, LockInput, Operation, Received, SlotRecovered, Suspended } from './input.js';
import { stepOf } from './case-step.js';
import { standstillOf, type Standstill } from './ladder.js';
import { brokenOrderRule, misfitRule, noCase, notJoined, sameNumberRule, stillLeaving, stillLocked, stillMember } from './refusals.js';
import { Stack, type Call, type StackOrigin } from './stack.js';

export interface NodeConfig {
  readonly self: NodeId;
  /** Greater than that of every earlier life of this node. */
  readonly incarnation: Incarnation;
  /** Does an engine say who is in the cluster? If not, this node is all of it. */
  readonly hasEngine?: boolean;
  /** The highest generation that an earlier life of this node has kept. */
  readonly generation?: number;
  /** Not given: failed nodes are not fenced. */
  readonly fencing?: FencingConfig;
}

/** A lock and what its owner gave to be handed back. */
export interface HeldLock {
  readonly lkid: Lkid;
  /** Or does it still wait for its first grant? */
  readonly isGranted: boolean;
  readonly cookie: unknown;
}

export class DlmNode {
  readonly #outbox = new Outbox<Effect>();
  readonly #stacks = new Map<string, Stack>();
  /** The same, in the order of their names. */
  #sorted: readonly Stack[] = [];
  readonly #byId = new Map<LockspaceId, Stack>();
  readonly #numbers = new Numbers();
  /** Who has failed, and what has been done about it; the same for all lockspaces. */
  readonly fencing: Fencing;
  /** Lockspaces that were left as failed, and which join that was, until a view shows it. */
  readonly #failed = new Map<string, number>();
  /** What members have said of views that are not ours yet. */
  #letters: { readonly from: NodeId; readonly message: GroupMessage }[] = [];
  #view: View | null = null;
  #joins = 0;
  #heard: number;

  constructor(readonly config: NodeConfig) {
    this.#heard = config.generation ?? 0;
    this.fencing = new Fencing(config.self, config.fencing ?? noFencing, this.#outbox);
  }

  /** One thing has happened: what is to be done? */
  step(now: Millis, input: Input): Effect[] {
    switch (input.kind) {
      case 'joinLockspace':
        this.#join(now, input);
        break;
      case 'leaveLockspace':
        this.#leave(input);
        break;
      case 'endOwner':
        for (const stack of this.#sorted) this.#call(now, stack, input);
        break;
      case 'deadline':
        this.#tick(now);
        break;
      case 'view':
        this.#follow(now, input.view);
        break;
      case 'received':
        this.#receive(now, input);
        break;
      case 'engineDeadline':
        this.fencing.cut();
        for (const stack of this.#sorted) stack.cut();
        break;
      case 'fenceResult':
        this.#heed(now, this.fencing.result(now, input.victim, input.incarnation, input.isFenced, input.words));
        break;
      case 'fenceAck':
        this.#acknowledge(now, input);
        break;
      default: {
        const stack = this.#stacks.get(input.lockspace);
        if (stack === undefined) this.#refuse(input, 'ENOENT', notJoined);
        else this.#concern(now, stack, input);
      }
    }
    const effects = this.#outbox.take();
    if (this.config.hasEngine === true) this.#remember(effects);
    return effects;
  }

  get view(): View | null {
    return this.#view;
  }

  /** Where a lockspace stands, for people. Null: not joined. */
  stack(lockspace: string): Stack | null {
    return this.#stacks.get(lockspace) ?? null;
  }

  /** What a lockspace waits for, for people. Null: nothing, or it is not joined. */
  standstill(lockspace: string): Standstill | null {
    const stack = this.#stacks.get(lockspace);
    return stack === undefined || this.config.hasEngine !== true ? null : standstillOf(stack, this.fencing, this.config.self);
  }

  /** When the node wants to be given a `deadline`, if nothing happens before. */
  nextDeadline(): Millis | null {
    let next = this.fencing.nextDeadline();
    for (const { isRunning, lockspace, aftermath } of this.#sorted) {
      if (isRunning) next = earlier(next, lockspace.nextDeadline());
      next = earlier(next, aftermath.deadline);
    }
    return next;
  }

  /** The names of the joined lockspaces, in order. */
  lockspaceNames(): string[] {
    return [...this.#stacks.keys()].sort();
  }

  hasLockspace(name: string): boolean {
    return this.#stacks.has(name);
  }

  /** Does this lock wait for its first grant, or for a conversion? */
  isWaiting(lockspace: string, id: Lkid): boolean {
    const lock = this.#stacks.get(lockspace)?.lockspace.locks.get(id) ?? null;
    return lock !== null && lock.copy !== 'master' && (lock.place !== 'granted' || (lock.far !== null && lock.far.pending === 'convert'));
  }

  /** How many locks are held and wanted here, in all lockspaces. */
  get lockCount(): number {
    let count = 0;
    for (const { lockspace } of this.#sorted) count += lockspace.lockCount;
    return count;
  }

  /** A lockspace, or one resource of it, as plain data. Null: not joined. */
  dump(lockspace: string, resource: string | null = null): LockspaceDump | null {
    const found = this.#stacks.get(lockspace);
    return found === undefined ? null : dump(found.lockspace, resource);
  }

  /** How much a lockspace holds. Null: not joined. */
  counts(lockspace: string): LockspaceCounts | null {
    const found = this.#stacks.get(lockspace);
    if (found === undefined) return null;
    const { standing, recovery, lockspace: counted } = found;
    return counts(counted, { standing, waitsFor: recovery.waitsFor(), slots: recovery.slots });
  }

  /** The locks that somebody would miss: of one owner, of one lockspace, or both. Orphans have nobody. */
  held(owner: OwnerId | null, lockspace: string | null): HeldLock[] {
    const held: HeldLock[] = [];
    for (const { name, lockspace: { locks } } of this.#sorted) {
      if (lockspace !== null && name !== lockspace) continue;
      for (const lock of locks) {
        if (lock.owner !== null && (owner === null || lock.owner === owner)) held.push(heldLock(lock));
      }
    }
    return held;
  }

  /** Does this owner hold or want anything? */
  hasLocksOf(owner: OwnerId): boolean {
    return this.#sorted.some(({ lockspace }) => lockspace.owners.hasLocksOf(owner));
  }

  /** Has this owner, who has ended, left orphans? */
  hasOrphansOf(owner: OwnerId): boolean {
    return this.#sorted.some(({ lockspace }) => [...lockspace.owners.orphans.values()].includes(owner));
  }

  /** Carry a call out, or let it wait until locking goes on. */
  #call(now: Millis, stack: Stack, call: Call): void {
    if (stack.mustWait(call)) stack.park(now, call);
    else if (call.kind === 'endOwner') stack.endOwner(now, call.owner);
    else this.#operate(now, stack.lockspace, call);
  }

  #callAll(now: Millis, stack: Stack, calls: readonly Call[]): void {
    for (const call of calls) this.#call(now, stack, call);
    if (stack.misfit !== null) this.#part(stack, stack.misfit);
  }

  /** The others take the lockspace to be otherwise: this node has no place in it, and what has been asked for ends. */
  #part(stack: Stack, theirs: readonly string[]): void {
    stack.misfit = null;
    this.#remove(stack);
    this.#refuseParked(stack, 'EINVAL', misfitRule(stack.terms, theirs));
    this.#outbox.push({ kind: 'misfit', lockspace: stack.name, ours: stack.terms, theirs });
  }

  /** What one lockspace is told. */
  #concern(now: Millis, stack: Stack, input: Call | Suspended | SlotRecovered): void {
    if (input.kind === 'suspended') {
      stack.aftermath.suspended(input.isDone);
      this.#callAll(now, stack, stack.progress(now));
    } else if (input.kind === 'slotRecovered') this.#callAll(now, stack, stack.slotRecovered(now, input));
    else this.#call(now, stack, input);
  }

  #follow(now: Millis, view: View): void {
    this.#view = view;
    const own = view.members.find(({ node }) => node === this.config.self)?.lockspaces;
    for (const [name, join] of this.#failed) if (own?.get(name) === -join) this.#failed.delete(name);
    const events = this.fencing.follow(now, view);
    for (const stack of this.#sorted) this.#callAll(now, stack, stack.follow(now, view));
    // Who has gone is not asked any more, and to a lockspace in which nothing has changed that may be what it waits for.
    this.#heed(now, events, true);
    const letters = this.#letters;
    this.#letters = [];
    for (const { from, message } of letters) this.#heedGroup(now, from, message);
  }

  #receive(now: Millis, { from, message }: Received): void {
    if (isGroupMessage(message)) {
      this.#heedGroup(now, from, message);
      return;
    }
    const stack = this.#byId.get(message.lockspace);
    if (stack === undefined) this.#outbox.push({ kind: 'unheeded', from, message, why: 'notJoined' });
    else this.#callAll(now, stack, stack.receive(now, from, message));
  }

  #heedGroup(now: Millis, from: NodeId, message: GroupMessage): void {
    if (this.#view === null || message.seq > this.#view.id) this.#letters.push({ from, message });
    else this.#heed(now, this.fencing.receive(now, from, message), true);
  }

  /** What became of a case, and of the census: lockspaces may have waited for it. */
  #heed(now: Millis, events: readonly CaseEvent[], mayHaveSettled = events.length > 0): void {
    for (const event of events) {
      const step = stepOf(event, this.#view!.id, this.config.self);
      if (step !== null) this.#outbox.push(step);
    }
    if (mayHaveSettled) for (const stack of this.#sorted) this.#callAll(now, stack, stack.progress(now));
  }

  #acknowledge(now: Millis, input: FenceAck): void {
    const { victim, words } = input;
    if (this.#view?.members.some(({ node }) => node === victim) === true) this.#refuse(input, 'EBUSY', stillMember);
    else {
      const events = this.fencing.acknowledge(victim, words);
      if (events === null) this.#refuse(input, 'ENOENT', noCase);
      else this.#heed(now, events);
    }
  }

  #tick(now: Millis): void {
    for (const stack of this.#sorted) {
      if (stack.isRunning) stack.lockspace.tick(now);
      if (stack.aftermath.tick(now)) this.#callAll(now, stack, stack.progress(now));
    }
    this.#heed(now, this.fencing.tick(now));
  }

  /** What was kept once is known to the lives of every lockspace. */
  #remember(effects: readonly Effect[]): void {
    for (const effect of effects) if (effect.kind === 'persist') this.#heard = Math.max(this.#heard, effect.generation);
  }

  #operate(now: Millis, lockspace: Lockspace, input: Operation): void {
    switch (input.kind) {
      case 'lock':
        this.#answerLock(lockspace, input, lockspace.lock(now, input));
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
        if (input.node === undefined || input.node === this.config.self) lockspace.purgeOrphans(now, input.formerOwner);
        else lockspace.purgeOrphansOn(input.node, input.formerOwner);
        break;
      default:
        unreachable(input);
    }
  }

  #answer(input: Input, refused: Refused | null): void {
    if (refused !== null) this.#refuse(input, refused.code, refused.rule);
  }

  #answerLock(lockspace: Lockspace, input: LockInput, outcome: Refused | Lock): void {
    if (!(outcome instanceof Lock)) this.#answer(input, outcome);
    else if ((input.flags & Flag.ORPHAN) !== 0) {
      this.#outbox.push(adoption(outcome));
      lockspace.tellAdopter(outcome);
    }
  }

  #refuse(call: Input, code: Refusal, rule: Rule | null): void {
    this.#outbox.push({ kind: 'refuse', call, code, rule });
  }

  #join(now: Millis, input: JoinLockspace): void {
    const { lockspace: name, config, application = null } = input;
    if (this.#stacks.has(name)) return;
    const order = parseOrder(config.order ?? 'none');
    const isMember = this.config.hasEngine === true;
    const taken = this.#failed.has(name) ? stillLeaving : sameNumberRule(isMember ? this.#byId.get(lockspaceIdOf(name)) : undefined);
    const broken = taken ?? brokenOrderRule(order, this.fencing.config.isOn || !isMember);
    if ('problem' in order || broken !== null) return this.#refuse(input, 'EINVAL', broken);
    this.#joins += 1;
    const origin: StackOrigin = { name, config, order, application, join: this.#joins, heard: this.#heard };
    const stack = new Stack(origin, this.#numbers, this.#outbox, this.config, this.fencing);
    this.#stacks.set(name, stack);
    this.#byId.set(stack.lockspace.tables.id, stack);
    this.#sort();
    this.#announce();
    if (this.#view !== null) stack.follow(now, this.#view);
  }

  #leave(input: LeaveLockspace): void {
    const stack = this.#stacks.get(input.lockspace);
    if (stack === undefined) this.#refuse(input, 'ENOENT', notJoined);
    else if (stack.lockspace.lockCount > 0 && !input.force) this.#refuse(input, 'EBUSY', stillLocked);
    else {
      if (input.isFailed === true) this.#failed.set(stack.name, stack.join);
      this.#remove(stack);
      this.#refuseParked(stack, 'ENOENT', notJoined);
    }
  }

  /** What had to wait in a lockspace that is left hears so; an owner that has ended hears nothing. */
  #refuseParked({ parkedCalls }: Stack, code: Refusal, rule: Rule): void {
    for (const call of parkedCalls) if (call.kind !== 'endOwner') this.#refuse(call, code, rule);
  }

  #remove(stack: Stack): void {
    this.#stacks.delete(stack.name);
    this.#byId.delete(stack.lockspace.tables.id);
    this.#sort();
    this.#announce();
  }

  #announce(): void {
    if (this.config.hasEngine !== true) return;
    const joined = this.#sorted.map(({ name, join }): [string, number] => [name, join]);
    const failed = [...this.#failed].map(([name, join]): [string, number] => [name, -join]);
    const all = [...joined, ...failed].sort(([one], [other]) => (one < other ? -1 : 1));
    this.#outbox.push({ kind: 'announce', lockspaces: new Map(all) });
  }

  /** Nothing may depend on the order of joining. */
  #sort(): void {
    this.#sorted = this.lockspaceNames().map((name) => this.#stacks.get(name)!);
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
    generation: lock.generation,
    mastership: lock.mastership,
    sequence: lock.tokenSequence,
  };
}

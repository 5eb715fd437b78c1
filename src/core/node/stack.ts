/**
 * One lockspace on one node, with its group, its recovery and its application: when it
 * may lock, and what waits until then.
 *
 * Locking stops when the group changes or the view is not quorate, and goes on when
 * the recovery of the latest change has ended. Meanwhile calls wait in their order,
 * and so do messages. A message of a view that is not ours yet waits for that view.
 * Whether recovery may begin, and what applications do around it, is the aftermath's
 * affair; it is asked after everything that happens here.
 *
 * Kin: member.c dlm_ls_stop(), dlm_ls_start(); requestqueue.c.
 */
import type { Millis, NodeId, OwnerId, ViewId } from '../base/ids.js';
import { generation } from '../base/ids.js';
import type { Outlet } from '../base/outbox.js';
import type { Fencing } from '../cluster/fencing.js';
import { Group } from '../cluster/group.js';
import type { Order } from '../cluster/order.js';
import type { View } from '../cluster/view.js';
import { Flag } from '../lock/flags.js';
import { lawWithGate } from '../lock/law.js';
import { isDown } from '../lock/mode.js';
import { Lockspace, type GiveBack, type LockspaceConfig } from '../lockspace/lockspace.js';
import { Members, alone } from '../lockspace/members.js';
import type { Numbers } from '../lockspace/numbers.js';
import { Recovery, type RecoveryEvent } from '../recovery/recovery.js';
import { isLockMessage, isRecoveryMessage } from '../wire/concern.js';
import type { GroupMessage, LockMessage, Message, PhaseName, Unheeding } from '../wire/message.js';
import { Aftermath, type ApplicationConfig, type Progress } from './aftermath.js';
import type { NodeConfig } from './node.js';
import type { Effect } from './effect.js';
import type { EndOwner, Operation, SlotRecovered } from './input.js';

/** What may have to wait while locking is stopped. */
export type Call = Operation | EndOwner;

/** What is said about one lockspace. */
export type LockspaceMessage = Exclude<Message, GroupMessage>;

interface Letter {
  readonly from: NodeId;
  readonly message: LockspaceMessage;
}

/** Where a lockspace stands. */
export type Standing = 'running' | 'joining' | 'no quorum' | PhaseName;

/** What a stack is made for. */
export interface StackOrigin {
  readonly name: string;
  readonly config: LockspaceConfig;
  readonly order: Order;
  readonly application: ApplicationConfig | null;
  /** Which join of this node it is. */
  readonly join: number;
  /** The highest generation this node has heard of. */
  readonly heard: number;
}

export class Stack {
  readonly name: string;
  readonly join: number;
  readonly lockspace: Lockspace;
  readonly aftermath: Aftermath;
  /** How this node takes the lockspace to be. */
  readonly terms: readonly string[];
  /** How it is, if that is not the same: then this node has no place in it. */
  misfit: readonly string[] | null = null;
  readonly #group: Group;
  readonly #recovery: Recovery;
  readonly #fencing: Fencing;
  readonly #outbox: Outlet<Effect>;
  #isRunning: boolean;
  #isQuorate = true;
  /** Have all members passed the start barrier of the latest recovery? */
  #hasBegun = false;
  /** Where it stood when the engine fell silent; null: the engine is heard. */
  #beforeSilence: { readonly isRunning: boolean; readonly isQuorate: boolean; readonly hasBegun: boolean } | null = null;
  /** Whoever departed since the last recovery began. */
  #departed = new Set<NodeId>();
  #calls: Call[] = [];
  #letters: Letter[] = [];

  constructor(
    { name, config, order, application, join, heard }: StackOrigin,
    numbers: Numbers,
    outbox: Outlet<Effect>,
    { self, incarnation, hasEngine = false }: NodeConfig,
    fencing: Fencing,
  ) {
    this.name = name;
    this.join = join;
    this.#outbox = outbox;
    this.#fencing = fencing;
    this.aftermath = new Aftermath(name, self, order, application, outbox);
    const law = this.aftermath.gate.hasGate ? lawWithGate(config.law) : config.law;
    this.lockspace = new Lockspace(name, { ...config, law }, numbers, outbox, alone(self));
    this.terms = [`values of ${config.valueLength} bytes`, config.nodir ? 'no directory' : 'a directory', ...order.text.split(' ')];
    this.#group = new Group(name, self, join);
    this.#recovery = new Recovery(this.lockspace.tables, order.steps.has('resume'));
    this.#isRunning = !hasEngine;
    this.lockspace.tables.enter(generation(Math.max(incarnation, heard)));
    if (hasEngine) this.lockspace.tables.turn.isSuspended = !this.aftermath.gate.isOpen;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get standing(): Standing {
    if (this.#isRunning) return 'running';
    if (!this.#group.hasUs) return 'joining';
    return this.#isQuorate ? (this.#recovery.phase ?? 'members') : 'no quorum';
  }

  get recovery(): Recovery {
    return this.#recovery;
  }

  get group(): Group {
    return this.#group;
  }

  get parkedCalls(): readonly Call[] {
    return this.#calls;
  }

  /** Has a call to wait? */
  mustWait(call: Call): boolean {
    return !this.#isRunning || ('lkid' in call && this.lockspace.isToldEarly(call.lkid)) || (call.kind === 'endOwner' && this.#hasCallsOf(call.owner));
  }

  /** Has something to wait that he asked for before he ended, and that counts all the same? */
  #hasCallsOf(owner: OwnerId): boolean {
    return this.#calls.some((call) => 'lkid' in call && this.lockspace.locks.get(call.lkid)?.owner === owner && !this.#wantsFor(owner, call));
  }

  /** Outside a quorate view what is given back is given back at once, as far as its owner is concerned. */
  mayGiveBack(call: Call): call is Extract<Call, { readonly kind: GiveBack['kind'] }> {
    return (call.kind === 'unlock' || call.kind === 'convert') && this.standing === 'no quorum' && !this.#isInterrupted && this.lockspace.mayGiveBack(call);
  }

  /** Did the engine fall silent in a recovery that may go on where it was? It would know nothing of what is given back meanwhile. */
  get #isInterrupted(): boolean {
    return this.#beforeSilence !== null && this.#beforeSilence.isQuorate && !this.#beforeSilence.isRunning;
  }

  /** It has to wait, unless it can be given back. */
  park(now: Millis, call: Call): void {
    if (this.mayGiveBack(call)) this.lockspace.giveBack(now, call);
    else {
      if (call.kind === 'endOwner') this.#dropWishes(call.owner);
      this.#calls.push(call);
    }
  }

  /** An owner has ended, and locking goes on. Of what he has asked for something may wait all the same. */
  endOwner(now: Millis, owner: OwnerId): void {
    this.#dropWishes(owner);
    this.lockspace.endOwner(now, owner);
  }

  #dropWishes(owner: OwnerId): void {
    if (this.#calls.length > 0) this.#calls = this.#calls.filter((call) => !this.#wantsFor(owner, call));
  }

  /** Does it ask for something more for that owner? He has ended: nobody would know that it was granted. */
  #wantsFor(owner: OwnerId, call: Call): boolean {
    if (call.kind === 'lock') return call.owner === owner && (call.flags & Flag.ORPHAN) === 0;
    const lock = call.kind === 'convert' ? this.lockspace.locks.get(call.lkid) : null;
    if (call.kind !== 'convert' || lock?.owner !== owner) return false;
    // What he takes for done, he has.
    const has = this.lockspace.isToldEarly(lock.id) ? lock.requested : lock.granted;
    if (isDown(has, call.mode) || has === call.mode) return false;
    // By the kernel's law it also says whether the lock outlives its owner.
    return this.lockspace.config.law.persistentStays || lock.has(Flag.PERSISTENT) === ((call.flags & Flag.PERSISTENT) !== 0);
  }

  /** A new view. Returns the calls that may be carried out now, if locking goes on. */
  follow(now: Millis, view: View): Call[] {
    const change = this.#group.follow(view);
    const wasSilent = this.#endSilence();
    const becameQuorate = view.isQuorate && !this.#isQuorate;
    this.#isQuorate = view.isQuorate;
    if (change !== null) {
      for (const node of change.departed) this.#departed.add(node);
      this.aftermath.follow(now, view.id, change.departed, change.failed);
      this.#closeGate(now);
    }
    if (!this.#group.hasUs) return [];
    if (change === null && view.isQuorate && !becameQuorate) return wasSilent ? this.#catchUp(now) : [];

    this.#isRunning = false;
    this.#hasBegun = false;
    if (!view.isQuorate) return [];
    return this.#recover(now, view.id);
  }

  /** Nothing was heard from the engine: as outside a quorate view, until the next one. */
  cut(): void {
    this.#beforeSilence ??= { isRunning: this.#isRunning, isQuorate: this.#isQuorate, hasBegun: this.#hasBegun };
    this.#isQuorate = false;
    this.#isRunning = false;
    this.#hasBegun = false;
  }

  /** The others may have noticed nothing, and then go on in the view in which they were: so does this node. */
  #endSilence(): boolean {
    const before = this.#beforeSilence;
    if (before === null) return false;
    this.#beforeSilence = null;
    this.#isRunning = before.isRunning;
    this.#isQuorate = before.isQuorate;
    this.#hasBegun = before.hasBegun;
    return true;
  }

  /** Nothing has changed while the engine was silent: what had to wait comes now, in its order. */
  #catchUp(now: Millis): Call[] {
    const wasRunning = this.#isRunning;
    const letters = this.#letters;
    this.#letters = [];
    for (const letter of letters) {
      const hasBegun = this.#isRunning && !wasRunning;
      if (hasBegun || !this.#heedLetter(now, letter.from, letter.message)) this.#letters.push(letter);
    }
    if (this.#isRunning && wasRunning) this.lockspace.settleGivenBack(now);
    const calls = this.#isRunning && wasRunning ? this.#calls.splice(0) : this.#isRunning ? this.#goOn(now) : [];
    return [...calls, ...this.progress(now)];
  }

  /** Something that others wait for has happened elsewhere on this node: is there anything to begin? */
  progress(now: Millis): Call[] {
    if (!this.#group.hasUs || !this.#isQuorate) return [];
    const wasRunning = this.#isRunning;
    if (this.#recovery.asks === 'ready' && this.misfit === null && this.aftermath.isReady(this.#progress)) this.#heed(now, this.#recovery.pass(now));
    const calls = this.#isRunning && !wasRunning ? this.#goOn(now) : [];
    this.aftermath.advance(this.#progress);
    if (this.#recovery.asks === 'resume' && this.aftermath.mayResume(this.#progress)) {
      // The others may hear of it before this node does.
      this.aftermath.work.mayHaveResumed();
      this.#heed(now, this.#recovery.pass(now));
    }
    return calls;
  }

  /** The application here has put a slot in order, or could not: everybody has to know. */
  slotRecovered(now: Millis, { slot, since, isDone }: SlotRecovered): Call[] {
    const work = this.aftermath.recovered(now, { slot, since }, isDone);
    if (work === null) return [];
    const { tables } = this.lockspace;
    for (const node of tables.members.nodes) {
      if (node === tables.self) continue;
      const message = { kind: 'slotResult', lockspace: tables.id, seq: tables.seq, isDone, work } as const;
      this.#outbox.push({ kind: 'send', to: node, message });
    }
    return this.progress(now);
  }

  get #progress(): Progress {
    return {
      hasBegun: this.#hasBegun,
      isDone: this.#isRunning,
      isQuorate: this.#isQuorate,
      generation: this.lockspace.tables.generation,
      isSettled: this.#fencing.isSettled,
      openCases: this.#fencing.openCases(this.name),
    };
  }

  #closeGate(now: Millis): void {
    if (!this.aftermath.gate.isOpen) this.lockspace.setSuspended(now, true);
  }

  #recover(now: Millis, seq: ViewId): Call[] {
    const { self } = this.lockspace.tables;
    const departed = this.#departed;
    this.#departed = new Set();
    const members = new Members(self, seq, this.#group.members, this.lockspace.config.placement);
    this.#heed(now, this.#recovery.begin(now, members, departed, { ...this.aftermath.report, terms: this.terms }));
    return [...this.#readLetters(now), ...this.progress(now)];
  }

  /** A member has said something. Returns the calls that may be carried out now. */
  receive(now: Millis, from: NodeId, message: LockspaceMessage): Call[] {
    const wasRunning = this.#isRunning;
    if (!this.#heedLetter(now, from, message)) {
      this.#letters.push({ from, message });
      this.#disregard(from, message, 'kept');
    }
    // Here a call waits only for the answer to an earlier one; this may be it.
    if (wasRunning && this.#isRunning && this.#calls.length > 0) return [...this.#calls.splice(0), ...this.progress(now)];
    // Most of what is said is about locks, and begins nothing.
    if (wasRunning && this.aftermath.gate.isOpen && !this.aftermath.isDisturbed) return [];
    return [...(this.#isRunning && !wasRunning ? this.#goOn(now) : []), ...this.progress(now)];
  }

  /** A new recovery has begun: some of what had to wait may be about it. */
  #readLetters(now: Millis): Call[] {
    const letters = this.#letters;
    this.#letters = [];
    for (const letter of letters) {
      // As soon as locking goes on, everything comes in its order, from the first.
      if (this.#isRunning || !this.#heedLetter(now, letter.from, letter.message)) this.#letters.push(letter);
    }
    return this.#isRunning ? this.#goOn(now) : [];
  }

  /** Locking begins: first what had arrived, then what was under way, then what was called. */
  #goOn(now: Millis): Call[] {
    const letters = this.#letters;
    this.#letters = [];
    for (const letter of letters) if (!this.#heedLetter(now, letter.from, letter.message)) this.#letters.push(letter);
    this.#recovery.resume(now);
    this.lockspace.settleGivenBack(now);
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  /** False: it has to wait. */
  #heedLetter(now: Millis, from: NodeId, message: LockspaceMessage): boolean {
    const { members } = this.lockspace.tables;
    if (message.seq > members.seq || !this.#isQuorate) return false;
    if (!members.isOfNow(from, message.seq)) return this.#disregard(from, message, 'oldLife');
    if (isLockMessage(message)) return this.#heedLockMessage(now, from, message);
    if (isRecoveryMessage(message)) {
      if (message.seq < members.seq) return this.#disregard(from, message, 'oldRecovery');
      this.#heed(now, this.#recovery.receive(now, from, message));
      return true;
    }
    if (message.kind === 'slotResult') this.aftermath.noteResult(message.work, from, message.isDone);
    return true;
  }

  #heedLockMessage(now: Millis, from: NodeId, message: LockMessage): boolean {
    const { members } = this.lockspace.tables;
    if (!this.#isRunning) return false;
    // The directory has been made anew since, of what there was.
    if (message.seq < members.seq && message.kind === 'remove') return this.#disregard(from, message, 'oldDirectory');
    this.lockspace.receive(now, from, message);
    return true;
  }

  /** Say that it was not heeded; it is done with. */
  #disregard(from: NodeId, message: Message, why: Unheeding): true {
    this.#outbox.push({ kind: 'unheeded', from, message, why });
    return true;
  }

  #heed(now: Millis, events: readonly RecoveryEvent[]): void {
    for (const { kind, generation: number, slots, pending, terms } of events) {
      const { seq, members } = this.lockspace.tables;
      if (kind === 'numbered') {
        this.#outbox.push({ kind: 'persist', generation: number });
        if (terms.join() !== this.terms.join()) this.misfit = terms;
        this.aftermath.agree(now, slots, pending);
        this.#closeGate(now);
      } else if (kind === 'ready') {
        this.#hasBegun = true;
        this.aftermath.begun(members.nodes);
        this.#tell(seq, 'begun', members.self);
      } else if (kind === 'resume') {
        this.aftermath.resume(number);
        this.lockspace.setSuspended(now, false);
      } else {
        this.#isRunning = true;
        for (const node of members.nodes) this.#tell(seq, 'ended', node);
        this.#outbox.push({ kind: 'recovered', lockspace: this.name, generation: number, slots });
      }
    }
  }

  #tell(view: ViewId, state: 'begun' | 'ended', node: NodeId): void {
    this.#outbox.push({ kind: 'step', lockspace: this.name, view, step: 'dlm', state, node, victim: null, words: '', verdict: null });
  }
}

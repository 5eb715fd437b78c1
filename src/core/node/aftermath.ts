/**
 * What follows a failure in one lockspace beside the recovery of its locks, in the order
 * that the lockspace wants: the application suspends, slots are put in order, it resumes.
 *
 * Here the order is followed: before a step begins, the order is asked what must have
 * ended. What has ended is read off those who know: recovery, the cases of the failed,
 * the gate, the list of pending slots. Nothing is remembered twice.
 *
 * Whether a step about everybody has ended is known by a barrier: `ready` is reached by
 * a member only when all that `dlm` waits for has ended there, `resume` likewise.
 */
import { earlier, type Generation, type Millis, type NodeId, type ViewId } from '../base/ids.js';
import type { Outlet } from '../base/outbox.js';
import { Gate, type GateEvent } from '../application/gate.js';
import { RecoveryWork, type Failure } from '../application/recovery-work.js';
import { waitsFor, type Order, type Step } from '../cluster/order.js';
import type { ApplicationReport } from '../recovery/recovery.js';
import type { FailureCase, MemberSlot, PendingSlot } from '../wire/message.js';
import type { GiveUp, RecoverSlot, Resume, StepTaken, Suspend } from './effect.js';

/** An application, as the node knows it. */
export interface ApplicationConfig {
  /** How long it may take to suspend. */
  readonly suspendMillis: number;
}

/** How far the others have come. */
export interface Progress {
  /** Have all members passed the start barrier of the latest recovery? */
  readonly hasBegun: boolean;
  /** Has it ended? */
  readonly isDone: boolean;
  readonly isQuorate: boolean;
  readonly generation: Generation;
  /** Does everybody know which cases there are? */
  readonly isSettled: boolean;
  /** Of the lockspace, those that are open. */
  readonly openCases: readonly FailureCase[];
}

export class Aftermath {
  readonly gate: Gate;
  readonly work = new RecoveryWork();
  readonly #hasApp: boolean;
  #view: ViewId | null = null;
  /** Since when a failure has not been done with. */
  #isDisturbed = false;

  constructor(
    readonly lockspace: string,
    readonly self: NodeId,
    readonly order: Order,
    readonly application: ApplicationConfig | null,
    readonly outbox: Outlet<Suspend | RecoverSlot | Resume | StepTaken | GiveUp>,
  ) {
    this.gate = new Gate(order.steps.has('suspend'), application !== null, application?.suspendMillis ?? 0);
    this.#hasApp = order.steps.has('app');
  }

  get report(): Omit<ApplicationReport, 'terms'> {
    const { report } = this.work;
    return { ...report, hasApplication: this.application !== null, hasResumed: this.gate.hasResumed, isInitialized: report.isInitialized || !this.#hasApp };
  }

  /** Is a failure not done with? */
  get isDisturbed(): boolean {
    return this.#isDisturbed;
  }

  /** A view shows that these have gone, and of them these have failed; none: only that the members are others. */
  follow(now: Millis, view: ViewId, departed: ReadonlySet<NodeId>, failed: ReadonlySet<NodeId>): void {
    this.#view = view;
    if (this.#hasApp) this.work.follow(departed, failed, view);
    if (failed.size === 0) return;
    this.#isDisturbed = true;
    this.#carryOut(this.gate.close(now));
  }

  /** All members have agreed on what is pending. */
  agree(now: Millis, slots: readonly MemberSlot[], pending: readonly PendingSlot[]): void {
    if (!this.#hasApp) return;
    this.work.agree(slots, pending);
    if (pending.length === 0) return;
    this.#isDisturbed = true;
    this.#carryOut(this.gate.close(now));
  }

  /** All members have passed the start barrier: so all of them have suspended. */
  begun(members: readonly NodeId[]): void {
    this.work.allKnow();
    // Nobody is granted anything before all have come here.
    this.gate.begun();
    if (!this.gate.hasGate) this.work.mayHaveResumed();
    if (this.#isDisturbed && this.order.steps.has('suspend')) for (const node of members) this.#tell('suspend', 'ended', node, null);
  }

  /** May dlm recovery begin, as far as this node is concerned? */
  isReady(progress: Progress): boolean {
    const { order } = this;
    if (waitsFor(order, 'dlm', 'fence') && !isFenced(progress)) return false;
    if (waitsFor(order, 'dlm', 'suspend') && !this.gate.isOpen && !this.gate.isSuspended) return false;
    return !waitsFor(order, 'dlm', 'app') || this.work.pending.length === 0;
  }

  /** Begin what may begin now. */
  advance(progress: Progress): void {
    if (!progress.isQuorate) return;
    if (this.#mayRecover(progress)) this.#beginNext(progress.generation);
    if (!this.gate.hasGate && progress.isDone && this.work.pending.length === 0) this.#isDisturbed = false;
  }

  /** Has all ended here that comes before applications resume? */
  mayResume(progress: Progress): boolean {
    return progress.isDone && this.work.pending.length === 0 && (!waitsFor(this.order, 'resume', 'fence') || isFenced(progress));
  }

  /** It has ended everywhere: nobody will do any of it again. */
  resume(generation: Generation): void {
    this.#isDisturbed = false;
    if (this.gate.isOpen) return;
    for (const event of this.gate.open()) {
      this.outbox.push({ kind: event as 'resume', lockspace: this.lockspace, generation });
    }
    this.#tell('resume', 'ended', this.self, null);
  }

  /** The application has suspended, or could not. */
  suspended(isDone: boolean): void {
    if (!isDone) this.#giveUp('could not be suspended');
    else this.gate.suspended();
  }

  /** This node has put a slot in order, or could not. Returns what others are to be told; null: nobody had asked for it. */
  recovered(now: Millis, failure: Failure, isDone: boolean): PendingSlot | null {
    const ended = this.work.end(failure);
    if (ended === null) return null;
    const work = isDone ? ended : this.work.fail(now, ended, this.self);
    this.noteResult(work, this.self, isDone);
    return work;
  }

  /** Somebody has put a slot in order, or could not. */
  noteResult(work: PendingSlot, from: NodeId, isDone: boolean): void {
    if (this.work.note(work, isDone)) this.#tell('app', isDone ? 'ended' : 'failed', from, work.victim);
  }

  /** Time has passed. True: there may be something to begin. */
  tick(now: Millis): boolean {
    if (this.gate.isOverdue(now)) this.#giveUp(`did not suspend within ${this.application!.suspendMillis} ms`);
    return this.work.pauses.tick(now);
  }

  get deadline(): Millis | null {
    return earlier(this.gate.deadline, this.work.pauses.deadline);
  }

  #mayRecover(progress: Progress): boolean {
    if (!this.#hasApp || !isFenced(progress)) return false;
    if (waitsFor(this.order, 'app', 'dlm')) return progress.isDone;
    return !waitsFor(this.order, 'app', 'suspend') || progress.hasBegun;
  }

  #beginNext(generation: Generation): void {
    const next = this.work.next(this.self);
    if (next === null || this.application === null) return;
    this.work.begin(next);
    const { slot, victim, since } = next;
    this.#tell('app', 'begun', this.self, victim);
    this.outbox.push({ kind: 'recover', lockspace: this.lockspace, slot, victim, since, generation });
  }

  #carryOut(events: readonly GateEvent[]): void {
    for (const event of events) {
      if (event !== 'suspend') continue;
      this.#tell('suspend', 'begun', this.self, null);
      this.outbox.push({ kind: 'suspend', lockspace: this.lockspace, seq: this.#view! });
    }
  }

  #giveUp(what: string): void {
    this.gate.failed();
    this.#tell('suspend', 'failed', this.self, null);
    this.outbox.push({ kind: 'giveUp', reason: `the application of lockspace ${this.lockspace} ${what}` });
  }

  #tell(step: Step, state: StepTaken['state'], node: NodeId, victim: NodeId | null): void {
    this.outbox.push({ kind: 'step', lockspace: this.lockspace, view: this.#view!, step, state, node, victim, words: '', verdict: null });
  }
}

/** Nobody who had the lockspace may still act, and everybody knows who that might be. */
const isFenced = ({ isSettled, openCases }: Progress): boolean => isSettled && openCases.length === 0;

/**
 * S3: what follows a failure happens in the order that the lockspace asks for.
 *
 * Slots are put in order only when whoever wrote there is dealt with; locks are recovered
 * only when all members have suspended, if they must; applications resume only when
 * every failure that is known is done with; and no slot is put in order by two at once. An
 * application that dies while its node goes on is a failure, too, from the view on that shows it.
 * Judged are members of the latest view: whoever is out may go on in an earlier one. Where
 * fencing and the recovery of locks need not wait for each other, both are to be seen first
 * at times.
 */
import type { NodeId, ViewId } from '../../base/ids.js';
import type { Order, Step } from '../../node/snapshot.js';
import type { ApplicationChanged, Decided, Joined, Life, Replay, SimEvent, StepTold } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Failure, Failures } from './failures.js';

/** What may touch the data, or has not yet said that it does not. */
const atWork: readonly ApplicationChanged['state'][] = ['running', 'resuming', 'suspending'];

export class OrderKept implements Checker {
  readonly property = 'order';
  readonly says = 'S3 replay after fencing, recovery after suspension, resumption after all of it';
  readonly counts = { replays: 0, suspended: 0, fencedBefore: 0, resumed: 0, diedAlone: 0, fenceFirst: 0, dlmFirst: 0 };
  /** By life and lockspace. */
  readonly #states = new Map<string, ApplicationChanged['state']>();
  /** Where data was touched, so that it has to be put in order: by failed life and lockspace. */
  readonly #hasRun = new Set<string>();
  /** Applications that have died and had touched data, their nodes go on, and no view shows it. */
  #untold: { readonly life: Life; readonly lockspace: string }[] = [];
  /** Those that views have shown; there is nobody to fence. */
  readonly #diedAlone: Failure[] = [];
  #lastView = 0 as ViewId;
  readonly #replayed: Replay[] = [];
  /** Who is at it, by lockspace, slot and failure. */
  readonly #atSlot = new Map<string, Life>();
  /** The latest view in which somebody resumed, of each lockspace. */
  readonly #resumed = new Map<string, ViewId>();
  /** Since which view who has recovered a lockspace together with whom, and so knows whose data would be left behind. */
  readonly #knew = new Map<string, ViewId>();
  /** Which of fencing and recovery has ended, of each failure. */
  readonly #first = new Map<Failure, 'fence' | 'dlm' | 'both'>();

  /** Shown each event after `failures` is. */
  constructor(
    readonly failures: Failures,
    readonly order: Order,
  ) {}

  see(event: SimEvent): void {
    if (this.order.steps.size === 1) return;
    if (event.kind === 'application') this.#become(event);
    else if (event.kind === 'replay') this.#replay(event);
    else if (event.kind === 'step') this.#step(event);
    else if (event.kind === 'recovered') this.#recovered(event.life, event.lockspace);
    else if (event.kind === 'left') this.#leave(event);
    if (event.kind === 'decided') this.#follow(event);
    if (event.kind === 'fenced' || event.kind === 'decided') this.#noteFenced();
  }

  #waits(later: Step, earlier: Step): boolean {
    return this.order.before.get(later)?.has(earlier) === true;
  }

  #become({ life, lockspace, state }: ApplicationChanged): void {
    this.#states.set(`${life}/${lockspace}`, state);
    if (state === 'running' || state === 'resuming') this.#hasRun.add(`${life}/${lockspace}`);
  }

  /** What it has left behind there is another failure than that of its life; and if it joins again it knows nobody. */
  #leave({ life, lockspace, isFailed = false }: Joined): void {
    const isShown = this.failures.isMember(life) && this.failures.joinsOf(this.#lastView).get(life)?.has(lockspace) === true;
    // Should its node go before a view shows it, it has left its data as that node's failure.
    if (isFailed && isShown && this.#hasRun.has(`${life}/${lockspace}`)) this.#untold.push({ life, lockspace });
    else this.#hasRun.delete(`${life}/${lockspace}`);
    this.#states.delete(`${life}/${lockspace}`);
    for (const [key, one] of this.#atSlot) if (one === life && key.startsWith(`${lockspace}/`)) this.#atSlot.delete(key);
    for (const known of this.#knew.keys()) if (known.startsWith(`${life}>`) && known.endsWith(`/${lockspace}`)) this.#knew.delete(known);
  }

  #follow({ view, members, joins, gone }: Decided): void {
    const lastIn = this.#lastView;
    this.#lastView = view;
    const before = this.failures.membersOf(lastIn);
    this.#untold = this.#untold.filter(({ life, lockspace }) => {
      if (gone.includes(life) || joins.get(life)?.has(lockspace) === true) return !gone.includes(life);
      this.#hasRun.delete(`${life}/${lockspace}`);
      const witnesses = new Set(members.filter((one) => before.includes(one)));
      this.#diedAlone.push({ life, node: this.failures.nodeOf(life), view, lastIn, lockspaces: new Set([lockspace]), witnesses, isHandled: true });
      return false;
    });
  }

  /** Whose application may have left something that this life must know of. */
  *#leavers(life: Life, lockspace: string): Generator<Failure> {
    for (const failure of this.failures.knownTo(life, lockspace)) if (this.#hasRun.has(`${failure.life}/${lockspace}`)) yield failure;
    const view = this.failures.viewOf(life);
    for (const failure of this.#diedAlone) if (failure.view <= view && failure.lockspaces.has(lockspace)) yield failure;
  }

  #replay(event: Replay): void {
    if (event.state === 'done') this.#replayed.push(event);
    this.#mustBeAlone(event);
    if (event.state !== 'begun' || !this.failures.isMember(event.life)) return;
    this.counts.replays += 1;
    const { life, lockspace } = event;
    this.#mustBeFenced('app', life, lockspace);
    if (this.#waits('app', 'suspend')) this.#mustBeSuspended('an application puts data in order', life, lockspace);
  }

  #mustBeAlone({ life, lockspace, slot, since, state }: Replay): void {
    const key = `${lockspace}/${slot}/${since}`;
    const other = this.#atSlot.get(key);
    if (state === 'begun' && this.failures.isMember(life)) {
      const isAtIt = other !== undefined && this.failures.isMember(other) && !this.failures.hasCrashed(other);
      if (isAtIt) this.#complain('an application puts data in order', life, lockspace, `life ${other} is at slot ${slot} already`, this.failures.nodeOf(other));
      this.#atSlot.set(key, life);
    } else if (other === life) this.#atSlot.delete(key);
  }

  #step({ life, lockspace, step, state }: StepTold): void {
    if (lockspace === null || !this.failures.isMember(life)) return;
    if (step === 'dlm' && state === 'begun') {
      if (this.#waits('dlm', 'fence')) this.#mustBeFenced('dlm', life, lockspace);
      if (this.#waits('dlm', 'suspend') && this.#isPending(life, lockspace)) {
        this.counts.suspended += 1;
        this.#mustBeSuspended('the recovery of locks begins', life, lockspace);
      }
      if (this.#waits('dlm', 'app')) this.#mustBeReplayed('dlm', life, lockspace);
    } else if (step === 'resume' && state === 'ended') this.#resume(life, lockspace);
  }

  #resume(life: Life, lockspace: string): void {
    this.counts.resumed += 1;
    if (this.#waits('resume', 'fence')) this.#mustBeFenced('resume', life, lockspace);
    if (this.order.steps.has('app')) this.#mustBeReplayed('resume', life, lockspace);
    this.#resumed.set(lockspace, Math.max(this.failures.viewOf(life), this.#resumed.get(lockspace) ?? 0) as ViewId);
  }

  /** Has somebody failed since applications resumed last? */
  #isPending(life: Life, lockspace: string): boolean {
    const since = this.#resumed.get(lockspace) ?? 0;
    const hasDied = [...this.#leavers(life, lockspace)].some((failure) => failure.view > since && this.#isKnown(lockspace, failure, life));
    return hasDied || this.failures.knownTo(life, lockspace).some(({ view }) => view > since);
  }

  #mustBeFenced(step: Step, life: Life, lockspace: string): void {
    for (const failure of this.failures.knownTo(life, lockspace)) {
      this.counts.fencedBefore += 1;
      if (!failure.isHandled) this.#complain(`${step} began`, life, lockspace, `life ${failure.life} of node ${failure.node} has not been fenced`, failure.node);
    }
  }

  #mustBeSuspended(what: string, life: Life, lockspace: string): void {
    for (const [other, joined] of this.failures.joinsOf(this.failures.viewOf(life))) {
      const state = this.#states.get(`${other}/${lockspace}`);
      if (!joined.has(lockspace) || state === undefined || this.failures.hasCrashed(other)) continue;
      if (atWork.includes(state)) this.#complain(what, life, lockspace, `the application of life ${other} is ${state}`, this.failures.nodeOf(other));
    }
  }

  #mustBeReplayed(step: Step, life: Life, lockspace: string): void {
    for (const failure of this.#leavers(life, lockspace)) {
      if (!this.#isKnown(lockspace, failure, life)) continue;
      if (this.#diedAlone.includes(failure)) this.counts.diedAlone += 1;
      const isDone = this.#replayed.some(
        (one) => one.lockspace === lockspace && (one.slot === null ? one.since >= failure.view : one.since === failure.view && one.victim === failure.node),
      );
      if (!isDone) this.#complain(`${step} began`, life, lockspace, `what life ${failure.life} of node ${failure.node} left has not been put in order`, failure.node);
    }
  }

  /** Whoever comes when nobody is left who knew it before it failed, learns that everything has to be put in order. */
  #isKnown(lockspace: string, failure: Failure, life: Life): boolean {
    const since = (one: Life): number => this.#knew.get(`${one}>${failure.life}/${lockspace}`) ?? Infinity;
    return this.failures.stayedIn(lockspace, failure, life).some((one) => since(one) < failure.view);
  }

  #recovered(life: Life, lockspace: string): void {
    // Where no application is told to resume, it goes by what it is granted.
    if (!this.order.steps.has('resume') && this.#states.has(`${life}/${lockspace}`)) this.#hasRun.add(`${life}/${lockspace}`);
    const view = this.failures.viewOf(life);
    for (const [other, joined] of this.failures.joinsOf(view)) {
      const key = `${life}>${other}/${lockspace}`;
      if (joined.has(lockspace) && !this.#knew.has(key)) this.#knew.set(key, view);
    }
    if (!this.#isFree) return;
    for (const failure of this.failures.knownTo(life, lockspace)) this.#noteEnd(failure, 'dlm');
  }

  #noteFenced(): void {
    if (!this.#isFree) return;
    for (const failure of this.failures.all) if (failure.isHandled && failure.lockspaces.size > 0) this.#noteEnd(failure, 'fence');
  }

  /** Need fencing and the recovery of locks not wait for each other? */
  get #isFree(): boolean {
    return this.order.steps.has('fence') && !this.#waits('dlm', 'fence');
  }

  #noteEnd(failure: Failure, step: 'fence' | 'dlm'): void {
    const first = this.#first.get(failure);
    if (first === undefined) this.#first.set(failure, step);
    else if (first !== step && first !== 'both') {
      this.counts[first === 'fence' ? 'fenceFirst' : 'dlmFirst'] += 1;
      this.#first.set(failure, 'both');
    }
  }

  #complain(what: string, life: Life, lockspace: string, missing: string, node: NodeId): never {
    throw new Violation(this.property, `${what} on life ${life} in ${lockspace}, and ${missing}`, ['view', 'step', 'application', `fences n${node}`]);
  }
}

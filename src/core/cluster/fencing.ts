/**
 * Who has failed, who has it fenced, and does everybody know how that stands?
 *
 * Asked by the lockspaces: those whose order says so wait until the cases of their
 * former members are closed. Here nothing is switched off; an effect asks the driver
 * to do it, by whatever methods the node has, and an input tells how it ended.
 *
 *   view lacks somebody ──▶ case ──▶ census: all cases are known to all
 *                                      └▶ lowest witness ──▶ fence ──▶ verdict to all
 *
 * The one who acts is the lowest of those who were there when the victim was: somebody
 * who came in the same view may be the victim's own successor. When the last of these has
 * gone, all who saw it go take their place: who comes after that would act beside the one
 * who acts already. If the view is not quorate its agent is ended; should that have had the
 * victim off before, it is off all the same. Every attempt asks again whether the victim is
 * still out.
 *
 * Kin: dlm_controld fence.c, daemon_cpg.c fence_work(), get_fence_actor().
 */
import { incarnation, lockspaceId, millis, viewId, type Incarnation, type Millis, type NodeId } from '../base/ids.js';
import type { Outlet } from '../base/outbox.js';
import type { CaseVerdict, Census, FailureCase, GroupMessage, Send, Verdict } from '../wire/message.js';
import { Cases, latestLives } from './cases.js';
import type { View } from './view.js';

export interface FencingConfig {
  /** Are failed nodes fenced at all? */
  readonly isOn: boolean;
  /** How long this node waits before it acts; different on two nodes that may be left alone with one another. */
  readonly delayMillis: number;
  /** How long nobody is fenced after this node has come, so that others may come, too (post_join_delay). */
  readonly postJoinMillis: number;
  /** From one attempt to the next; null: after one in vain there is no other. */
  readonly retryMillis: number | null;
  /** Nodes that are fenced if they are not here when the cluster begins (startup fencing). */
  readonly startup: readonly NodeId[];
}

export const noFencing: FencingConfig = { isOn: false, delayMillis: 0, postJoinMillis: 0, retryMillis: 1000, startup: [] };

/** Have this node fenced. Answered by the input `fenceResult`. */
export interface Fence {
  readonly kind: 'fence';
  readonly victim: NodeId;
  readonly incarnation: Incarnation;
  readonly attempt: number;
}

/** It is not needed any more: end the agent, if it still runs. */
export interface CancelFence {
  readonly kind: 'cancelFence';
  readonly victim: NodeId;
  readonly incarnation: Incarnation;
}

/** A case has changed. */
export interface CaseEvent {
  readonly case: FailureCase;
  readonly change: 'opened' | 'begun' | 'failed' | 'closed';
}

/** What is said to everybody belongs to no lockspace. */
const nowhere = lockspaceId(0);

export class Fencing {
  readonly #cases = new Cases();
  #view: View | null = null;
  #joinedAt: Millis | null = null;
  /** The view whose census is going on or has ended; null: none since there was a quorum. */
  #census: View | null = null;
  /** Who has spoken in it, and who of them has seen a view before. */
  readonly #heard = new Set<NodeId>();
  /** Whose word is waited for. Who comes with this very view has seen nothing, and a newcomer that is not heard holds nobody up. */
  #asked: readonly NodeId[] = [];
  #someoneIsOld = false;
  /** Cases that somebody named who has seen a view before. */
  readonly #vouched = new Set<FailureCase['victim']>();
  #isSettled = false;
  /** Has nothing been heard of the engine for too long? */
  #isCut = false;
  /** Has no census ended in which this node took part? */
  #isNew = true;
  /** When the next attempt may be made at each victim. */
  readonly #dueAt = new Map<NodeId, Millis>();
  readonly #running = new Map<NodeId, Incarnation>();

  constructor(
    readonly self: NodeId,
    readonly config: FencingConfig,
    readonly outbox: Outlet<Send | Fence | CancelFence>,
  ) {}

  /** Does everybody here know the same cases? */
  get isSettled(): boolean {
    return (this.#isSettled && !this.#isCut) || !this.config.isOn;
  }

  /** Who has not told what it knows. */
  silent(): NodeId[] {
    if (this.#census === null || this.isSettled) return [];
    return this.#asked.filter((node) => !this.#heard.has(node));
  }

  cases(): FailureCase[] {
    return this.#cases.all();
  }

  /** The failed who had joined a lockspace and may still act; a startup case is about all lockspaces. */
  openCases(lockspace: string): FailureCase[] {
    return this.#cases.open().filter(({ lockspaces, incarnation: life }) => life === 0 || lockspaces.includes(lockspace));
  }

  /** Who has to be fenced: of several cases about one node that of its latest life. */
  latestOpen(): FailureCase[] {
    return latestLives(this.#cases.open());
  }

  /** Who acts in a case; null: we are in no view. Of several about one node the latest life decides: it is fenced once, by one. */
  actorOf(one: FailureCase): NodeId | null {
    const { witnesses } = this.latestOpen().find(({ victim }) => victim === one.victim) ?? one;
    const members = this.#view?.members.map(({ node }) => node) ?? [];
    return members.find((node) => witnesses.includes(node)) ?? null;
  }

  /** A new view: open a case for everybody it lacks, and ask around if the members are others. */
  follow(now: Millis, view: View): CaseEvent[] {
    if (!this.config.isOn) return [];
    this.#joinedAt ??= now;
    this.#isCut = false;
    const before = this.#view;
    this.#view = view;
    const newcomers = newcomersOf(before, view);
    const opened = before === null ? this.#openStartup(view) : this.#openFailed(before, view);
    if (before !== null) this.#cases.keepWitnesses(view.members.map(({ node }) => node).filter((node) => !newcomers.has(node)), newcomers);
    const events = [...opened.map(asEvent('opened')), ...this.#close(this.#cases.returned(view.members))];
    if (!view.isQuorate) {
      this.#census = null;
      this.#isSettled = false;
      this.#cancelAll();
      return events;
    }
    const isSame = this.#census !== null && newcomers.size === 0 && before?.members.length === view.members.length;
    if (!isSame) this.#ask(view, newcomers);
    this.#settleIfHeard();
    return [...events, ...this.#act(now)];
  }

  /** The engine has fallen silent: until the next view nobody is fenced, and nobody knows what the others know. */
  cut(): void {
    this.#isCut = true;
    this.#cancelAll();
  }

  /** Without a quorum nobody is fenced. */
  #cancelAll(): void {
    for (const [victim, life] of this.#running) this.#cancel(victim, life);
  }

  /** Somebody tells what it knows. The view it belongs to is ours, or was. */
  receive(now: Millis, from: NodeId, message: GroupMessage): CaseEvent[] {
    if (!this.config.isOn) return [];
    if (message.kind === 'verdict') {
      const { victim, incarnation: life, verdict, words, attempts } = message;
      if (verdict !== 'open') return this.#close([this.#hearVerdict(from, message)]);
      const failed = this.#cases.fail(victim, life, attempts, words);
      return failed === null ? [] : [{ case: failed, change: 'failed' }];
    }
    return this.#learn(now, from, message);
  }

  /** It may have overtaken what a newcomer is told of the case, and counts for it all the same. */
  #hearVerdict(from: NodeId, { seq, victim, incarnation: life, verdict, words, attempts }: CaseVerdict): FailureCase | null {
    if (this.#cases.get(victim, life) !== null || this.#isSettled) return this.#cases.close(victim, life, verdict, from, words);
    const closed: FailureCase = { victim, incarnation: life, name: `node-${victim}`, since: seq, lockspaces: [], witnesses: [], verdict, by: from, words, attempts };
    this.#cases.put(closed);
    return closed;
  }

  /** Verdicts count whenever they come; what is open is told again in every census. */
  #learn(now: Millis, from: NodeId, { seq, isNew, cases }: Census): CaseEvent[] {
    const isOfNow = this.#census !== null && seq === this.#census.id;
    const events: CaseEvent[] = [];
    for (const one of cases) {
      const known = this.#cases.get(one.victim, one.incarnation);
      if (isOfNow) this.#cases.tell(one);
      // Whom a newcomer misses is nothing to those who were here before, nor to those whom one of them has told better.
      if (isNew && one.incarnation === 0 && (!this.#isNew || this.#vouched.has(one.victim))) continue;
      if (!isOfNow && (one.verdict === 'open' || known === null)) continue;
      if (this.#isNew && !isNew && one.incarnation === 0) this.#vouch(one);
      else this.#cases.merge(one);
      const merged = this.#cases.get(one.victim, one.incarnation)!;
      if (known === null && merged.verdict === 'open') events.push({ case: merged, change: 'opened' });
      if (known?.verdict === 'open' && merged.verdict !== 'open') events.push(...this.#close([merged]));
    }
    if (!isOfNow) return events;
    this.#heard.add(from);
    if (!isNew) this.#someoneIsOld = true;
    events.push(...this.#close(this.#cases.returned(this.#view!.members)));
    this.#settleIfHeard();
    return [...events, ...this.#act(now)];
  }

  /** An agent, or whatever was used, has ended. */
  result(now: Millis, victim: NodeId, life: Incarnation, isFenced: boolean, words: string): CaseEvent[] {
    if (this.#running.get(victim) === life) this.#running.delete(victim);
    const known = this.#cases.get(victim, life);
    if (known?.verdict !== 'open') return [];
    if (isFenced) return this.#concludeAll(victim, 'fenced', words);
    const failed = this.#cases.fail(victim, life, known.attempts + 1, words)!;
    this.#dueAt.set(victim, (now + (this.config.retryMillis ?? Infinity)) as Millis);
    this.#tellAll(failed);
    return [{ case: failed, change: 'failed' }];
  }

  /** An operator's word that the node is off. Null: there is no case that it could close. */
  acknowledge(victim: NodeId, words: string): CaseEvent[] | null {
    const events = this.#concludeAll(victim, 'acknowledged', words);
    return events.length === 0 ? null : events;
  }

  /** Time has passed. */
  tick(now: Millis): CaseEvent[] {
    return this.#act(now);
  }

  nextDeadline(): Millis | null {
    if (this.#dueAt.size === 0) return null;
    const times = this.latestOpen().flatMap((one) => (this.#isMine(one) ? (this.#dueAt.get(one.victim) ?? []) : []));
    const next = Math.min(...times);
    return next === Infinity ? null : millis(next);
  }

  #openFailed(before: View, view: View): FailureCase[] {
    const stayed = view.members.filter((member) => before.members.some((one) => isSameLife(one, member)));
    const witnesses = stayed.map(({ node }) => node);
    return before.members
      .filter((one) => one.lockspaces.size > 0 && !view.leftCleanly.includes(one.node) && !stayed.some((member) => member.node === one.node))
      .map(({ node, incarnation: life, name, lockspaces }) =>
        this.#open({ victim: node, incarnation: life, name, since: view.id, lockspaces: [...lockspaces.keys()].sort(), witnesses }),
      );
  }

  #openStartup(view: View): FailureCase[] {
    const missing = this.config.startup.filter((node) => !view.members.some((member) => member.node === node));
    const witnesses = view.members.map(({ node }) => node);
    return missing.map((node) =>
      this.#open({ victim: node, incarnation: incarnation(0), name: `node-${node}`, since: viewId(view.id), lockspaces: [], witnesses }),
    );
  }

  #open(one: Omit<FailureCase, 'verdict' | 'by' | 'words' | 'attempts'>): FailureCase {
    const known = this.#cases.get(one.victim, one.incarnation);
    if (known !== null) return known;
    this.#cases.forgetReturned(one.victim);
    const opened: FailureCase = { ...one, verdict: 'open', by: null, words: '', attempts: 0 };
    this.#cases.put(opened);
    return opened;
  }

  /** Tell everybody what we know, and wait for what they know. */
  #ask(view: View, newcomers: ReadonlySet<NodeId>): void {
    const isNew = this.#isNew;
    this.#census = view;
    this.#asked = view.members.map(({ node }) => node).filter((node) => isNew || !newcomers.has(node));
    this.#isSettled = false;
    this.#someoneIsOld = !isNew;
    this.#heard.clear();
    this.#heard.add(this.self);
    this.#vouched.clear();
    this.#send({ kind: 'census', lockspace: nowhere, seq: view.id, isNew, cases: this.#cases.beginCensus() });
  }

  /** Somebody who was here before misses that node, too, and knows better since when. */
  #vouch(one: FailureCase): void {
    const known = this.#cases.get(one.victim, one.incarnation);
    if (this.#vouched.has(one.victim) || (known !== null && known.verdict !== 'open')) this.#cases.merge(one);
    else this.#cases.put(one);
    this.#vouched.add(one.victim);
  }

  #settleIfHeard(): void {
    if (this.#isSettled || !this.#asked.every((node) => this.#heard.has(node))) return;
    this.#isSettled = true;
    // Where somebody has been before, whomever only newcomers miss is nobody's concern.
    const isForgotten = this.#isNew && this.#someoneIsOld;
    this.#isNew = false;
    this.#cases.forgetClosed(({ incarnation: life, victim }) => isForgotten && life === 0 && !this.#vouched.has(victim));
  }

  #isMine(one: FailureCase): boolean {
    const mayAct = this.#isSettled && !this.#isCut && this.#view!.isQuorate && this.actorOf(one) === this.self;
    return mayAct && !this.#running.has(one.victim);
  }

  #act(now: Millis): CaseEvent[] {
    const { delayMillis, postJoinMillis } = this.config;
    const events: CaseEvent[] = [];
    for (const one of this.latestOpen()) {
      if (!this.#isMine(one)) continue;
      const { victim, incarnation: life, attempts } = one;
      const due = this.#dueAt.get(victim) ?? millis(Math.max(now + delayMillis, this.#joinedAt! + postJoinMillis));
      this.#dueAt.set(victim, due);
      if (due > now) continue;
      this.#running.set(victim, life);
      this.outbox.push({ kind: 'fence', victim, incarnation: life, attempt: attempts + 1 });
      events.push({ case: one, change: 'begun' });
    }
    return events;
  }

  /** A node that is off has no life any more that could act. */
  #concludeAll(victim: NodeId, verdict: Verdict, words: string): CaseEvent[] {
    const open = this.#cases.open().filter((one) => one.victim === victim);
    const closed = open.map((one) => this.#cases.close(victim, one.incarnation, verdict, this.self, words));
    for (const one of closed) this.#tellAll(one!);
    return this.#close(closed);
  }

  #close(closed: readonly (FailureCase | null)[]): CaseEvent[] {
    const events: CaseEvent[] = [];
    for (const one of closed) {
      if (one === null) continue;
      this.#dueAt.delete(one.victim);
      const life = this.#running.get(one.victim);
      if (life === one.incarnation) this.#cancel(one.victim, life);
      events.push({ case: one, change: 'closed' });
    }
    return events;
  }

  #cancel(victim: NodeId, life: Incarnation): void {
    this.#running.delete(victim);
    this.outbox.push({ kind: 'cancelFence', victim, incarnation: life });
  }

  #tellAll({ victim, incarnation: life, verdict, words, attempts }: FailureCase): void {
    if (this.#view === null) return;
    this.#send({ kind: 'verdict', lockspace: nowhere, seq: this.#view.id, victim, incarnation: life, verdict, words, attempts });
  }

  #send(message: GroupMessage): void {
    for (const { node } of this.#view!.members) if (node !== this.self) this.outbox.push({ kind: 'send', to: node, message });
  }
}

const asEvent = (change: CaseEvent['change']) => (one: FailureCase): CaseEvent => ({ case: one, change });

const isSameLife = (one: View['members'][number], other: View['members'][number]): boolean =>
  one.node === other.node && one.incarnation === other.incarnation;

function newcomersOf(before: View | null, view: View): ReadonlySet<NodeId> {
  const isKnown = (member: View['members'][number]): boolean => before?.members.some((one) => isSameLife(one, member)) === true;
  return new Set(view.members.filter((member) => !isKnown(member)).map(({ node }) => node));
}

/**
 * The engine of a world: it decides on views and tells every member of them.
 *
 * A node that is down, paused or cut off from the others is left out when that has
 * lasted for the time of detection; a node that comes back as another life is shown
 * gone first. A view needs a majority of the nodes there are, all of whom hear each
 * other. Members are told in order, each at a time of its own; who cannot be
 * reached is told later or, if left out, never.
 */
import { millis, viewId, type Incarnation, type Millis, type NodeId } from '../base/ids.js';
import type { Prng } from '../base/prng.js';
import type { Member, View } from '../node/snapshot.js';
import type { Agenda } from './agenda.js';
import type { Life } from './event.js';

export interface EngineOptions {
  /** How long a node must be away to be left out. */
  readonly detectMillis: number;
  /** The longest time from the decision to the news of it. */
  readonly newsMillis: number;
  /** After how long without a word a member is told that it must stop; not given: never. */
  readonly stopMillis?: number | null;
  /** Is a member that is left out and goes on told a view of those who do, without a quorum? */
  readonly hasFarewell?: boolean;
  /** Does every life come with a share of its own? */
  readonly movesWeights?: boolean;
  /** Is whoever is cut off told at once, and he alone, that there is no quorum; and all, if he is back in time, before they go on with him? */
  readonly stopsAlone?: boolean;
}

/** A node as it would be a member. */
export interface Applicant {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  readonly life: Life;
  readonly weight: number;
  lockspaces: ReadonlyMap<string, number>;
}

/** What an engine needs of the world. */
export interface EnginePort {
  /** Does it run, and is it not paused? */
  isAwake(node: NodeId): boolean;
  areConnected(one: NodeId, other: NodeId): boolean;
  tell(life: Life, view: View): void;
  decided(view: View, members: readonly Applicant[], gone: readonly Applicant[]): void;
  /** It has heard nothing for so long that it must stop. */
  silent?(life: Life): void;
}

interface News {
  readonly at: Millis;
  readonly view: View;
  /** Had some stopped who are in it? */
  readonly hasStopped: boolean;
}

/** How long it is until a member who could not be reached is tried again. */
const retryMillis = 40;

export class Engine {
  readonly #applicants = new Map<NodeId, Applicant>();
  #members: readonly Applicant[] = [];
  /** What each member was said to have joined in the latest view. */
  #shown = new Map<Life, ReadonlyMap<string, number>>();
  readonly #missingSince = new Map<Life, Millis>();
  readonly #news = new Map<Life, News[]>();
  /** Members that are told late, and how late. */
  readonly #lags = new Map<NodeId, number>();
  /** What each was told last, and after which view it has stopped for want of quorum. */
  readonly #told = new Map<Life, View>();
  readonly #stoppedAfter = new Map<Life, View>();
  readonly #leaving = new Set<Life>();
  /** Since when each member has not been confirmed. */
  readonly #unheardSince = new Map<Life, Millis>();
  /** What was announced and not heard yet. */
  readonly #announced = new Map<Life, ReadonlyMap<string, number>>();
  #viewId = 0;
  readonly #weights: Prng;
  /** Has whoever counts votes said that they are too few, whoever is there? */
  #isShort = false;

  constructor(
    readonly nodes: readonly NodeId[],
    readonly options: EngineOptions,
    readonly agenda: Agenda,
    readonly prng: Prng,
    readonly port: EnginePort,
  ) {
    this.#weights = prng.fork('weights');
  }

  get members(): readonly Applicant[] {
    return this.#members;
  }

  get majority(): number {
    return Math.floor(this.nodes.length / 2) + 1;
  }

  isMember(life: Life): boolean {
    return this.#members.some((member) => member.life === life);
  }

  /** Is this node among a majority that hear each other? */
  hears(node: NodeId): boolean {
    const present = this.#present();
    return present.size >= this.majority && present.has(node);
  }

  /** A new life wants to be a member. */
  apply(applicant: Applicant): void {
    const moved = this.options.movesWeights === true ? { ...applicant, weight: this.#weights.between(0, 3) } : applicant;
    this.#applicants.set(applicant.node, moved);
    this.agenda.after(this.prng.between(1, 20), () => this.#decide());
  }

  /** A node says what it has joined. What it says later counts, also if it is heard first. */
  announce(node: NodeId, life: Life, lockspaces: ReadonlyMap<string, number>): void {
    this.#announced.set(life, new Map(lockspaces));
    this.agenda.after(this.prng.between(1, 10), () => {
      const applicant = this.#applicants.get(node);
      const latest = this.#announced.get(life);
      if (applicant?.life !== life || latest === undefined) return;
      this.#announced.delete(life);
      applicant.lockspaces = latest;
      this.#decide();
    });
  }

  /** A member goes in good order. */
  withdraw(life: Life): void {
    this.#leaving.add(life);
    this.#decide();
  }

  /** Somebody was lost, or found, or cut off: see who is missing now, and again when it has lasted. */
  disturbed(): void {
    const present = this.#present();
    for (const { node, life } of this.#members) {
      if (present.has(node)) this.#missingSince.delete(life);
      else if (!this.#missingSince.has(life)) this.#missingSince.set(life, this.agenda.now);
    }
    this.#watch(present);
    if (this.options.stopsAlone === true) this.#stopThoseAlone(present);
    this.agenda.after(this.options.detectMillis, () => this.#decide());
    this.agenda.after(1, () => this.#decide());
  }

  /** Who is not among a majority that hears each other is not confirmed, and stops when that has lasted. */
  #watch(present: ReadonlySet<NodeId>): void {
    const { stopMillis = null } = this.options;
    if (stopMillis === null) return;
    for (const { node, life } of this.#members) {
      if (present.has(node) && present.size >= this.majority) this.#unheardSince.delete(life);
      else if (!this.#unheardSince.has(life)) {
        const since = this.agenda.now;
        this.#unheardSince.set(life, since);
        this.agenda.after(stopMillis, () => {
          if (this.#unheardSince.get(life) === since) this.port.silent?.(life);
        });
      }
    }
  }

  /** Who runs and is not among a majority that hears each other is told so by nobody but itself. */
  #stopThoseAlone(present: ReadonlySet<NodeId>): void {
    const isCutOff = ({ node, life }: Applicant, those: ReadonlySet<NodeId>): boolean =>
      this.isMember(life) && this.#applicants.get(node)?.life === life && this.port.isAwake(node) && !(those.has(node) && those.size >= this.majority);
    for (const member of this.#members.filter((one) => isCutOff(one, present))) {
      this.agenda.after(this.prng.between(1, 20), () => {
        if (isCutOff(member, this.#present())) this.#stop(member.life);
      });
    }
  }

  #stop(life: Life): void {
    const last = this.#told.get(life);
    if (last === undefined || !last.isQuorate || this.#stoppedAfter.get(life) === last) return;
    this.#stoppedAfter.set(life, last);
    this.port.tell(life, { ...last, id: viewId(last.id + 1), isQuorate: false, leftCleanly: [] });
  }

  /** It was cut off, has stopped, and is back before the others have gone on without it, who have not been told of it. */
  #isBack(present: ReadonlySet<NodeId>): boolean {
    return this.#members.some(({ node, life }) => present.has(node) && this.#stoppedAfter.has(life) && this.#news.get(life)?.some(({ hasStopped }) => hasStopped) !== true);
  }

  /** Tell this node of views later than others, by so much. */
  lag(node: NodeId, delay: number): void {
    if (delay === 0) this.#lags.delete(node);
    else this.#lags.set(node, delay);
  }

  /** Votes are lost, or found again, of somebody who is no node: nobody goes or comes. */
  setShort(isShort: boolean): void {
    if (this.#isShort === isShort) return;
    this.#isShort = isShort;
    if (this.#members.length > 0) this.#show(this.#members, []);
  }

  #decide(): void {
    const present = this.#present();
    if (present.size < this.majority) return;
    const isGone = (member: Applicant): boolean =>
      this.#leaving.has(member.life) || this.#applicants.get(member.node) !== member || this.#isMissed(member, present);
    const gone = this.#members.filter(isGone);
    for (const member of gone) if (this.#applicants.get(member.node) === member) this.#applicants.delete(member.node);

    const stayed = this.#members.filter((member) => !gone.includes(member));
    if (gone.length > 0) this.#show(stayed, gone);
    const joined = [...this.#applicants.values()].filter((one) => !stayed.includes(one) && present.has(one.node));
    const isNews = stayed.some((member) => this.#shown.get(member.life) !== member.lockspaces);
    if (joined.length > 0 || isNews || this.#isBack(present)) this.#show([...stayed, ...joined].sort((one, other) => one.node - other.node), []);
  }

  #isMissed({ node, life }: Applicant, present: ReadonlySet<NodeId>): boolean {
    if (present.has(node)) return false;
    const since = this.#missingSince.get(life);
    return since !== undefined && since + this.options.detectMillis <= this.agenda.now;
  }

  /** The nodes that run and all hear each other: who hears fewest is left out until that is so. */
  #present(): Set<NodeId> {
    const present = new Set([...this.#applicants.keys()].filter((node) => this.port.isAwake(node)).sort((one, other) => one - other));
    for (;;) {
      let worst: NodeId | null = null;
      let fewest = present.size - 1;
      for (const node of present) {
        let heard = -1;
        for (const other of present) if (this.port.areConnected(node, other)) heard += 1;
        if (heard < fewest || (heard === fewest && worst !== null && this.#isLess(node, worst))) [worst, fewest] = [node, heard];
      }
      if (worst === null) return present;
      present.delete(worst);
    }
  }

  /** Of two who hear as many, one who is no member goes first, then the higher number. */
  #isLess(node: NodeId, other: NodeId): boolean {
    const isIn = (one: NodeId): boolean => this.#members.some((member) => member.node === one);
    return isIn(node) === isIn(other) ? node > other : !isIn(node);
  }

  #show(members: readonly Applicant[], gone: readonly Applicant[]): void {
    // Above every incarnation, as every engine promises: generations are made of it.
    this.#viewId = Math.max(this.#viewId, ...members.map(({ incarnation }) => incarnation)) + 1;
    // The number between two views is that of the first one without quorum.
    if (this.options.stopsAlone === true) this.#viewId += 1 + (this.#viewId % 2);
    const hasStopped = this.#isBack(this.#present());
    const view: View = {
      id: viewId(this.#viewId),
      isQuorate: members.length >= this.majority && !this.#isShort,
      members: members.map(toMember),
      leftCleanly: gone.filter(({ life }) => this.#leaving.has(life)).map(({ node }) => node),
    };
    this.#members = members;
    this.#shown = new Map(members.map(({ life, lockspaces }) => [life, lockspaces]));
    if (this.options.hasFarewell === true) this.#bidFarewell(gone);
    for (const { life } of gone) {
      this.#news.delete(life);
      this.#missingSince.delete(life);
      this.#told.delete(life);
      this.#stoppedAfter.delete(life);
    }
    this.port.decided(view, members, gone);
    for (const member of members) this.#tellLater(member, view, hasStopped);
  }

  /** Those who go on without us see a view of those of them whom they hear. It is theirs alone. */
  #bidFarewell(gone: readonly Applicant[]): void {
    const awake = gone.filter(({ node, life }) => !this.#leaving.has(life) && this.port.isAwake(node));
    for (const { node, life } of awake) {
      const heard = awake.filter((other) => other.life === life || this.port.areConnected(node, other.node));
      this.#viewId += 1;
      const view: View = { id: viewId(this.#viewId), isQuorate: false, members: heard.map(toMember), leftCleanly: [] };
      this.agenda.after(this.prng.between(1, this.options.newsMillis), () => this.port.tell(life, view));
    }
  }

  #tellLater({ node, life }: Applicant, view: View, hasStopped: boolean): void {
    const queue = this.#news.get(life) ?? [];
    this.#news.set(life, queue);
    const delay = this.prng.between(1, this.options.newsMillis) + (this.#lags.get(node) ?? 0);
    const at = millis(Math.max(this.agenda.now + delay, queue.at(-1)?.at ?? 0));
    queue.push({ at, view, hasStopped });
    if (queue.length === 1) this.agenda.at(at, () => this.#tell(node, life));
  }

  #tell(node: NodeId, life: Life): void {
    const queue = this.#news.get(life);
    const news = queue?.[0];
    if (queue === undefined || news === undefined || this.#applicants.get(node)?.life !== life) return;
    if (!this.#present().has(node)) {
      this.agenda.after(retryMillis, () => this.#tell(node, life));
      return;
    }
    queue.shift();
    if (queue[0] !== undefined) this.agenda.at(queue[0].at, () => this.#tell(node, life));
    this.#give(life, news);
  }

  /** Where some had stopped all must have; and who was not reckoned with stops once more. */
  #give(life: Life, { view, hasStopped }: News): void {
    const last = this.#told.get(life);
    const wasStopped = last !== undefined && this.#stoppedAfter.get(life) === last;
    if (hasStopped && !wasStopped) this.#stop(life);
    this.#told.set(life, view);
    this.#stoppedAfter.delete(life);
    this.port.tell(life, view);
    if (wasStopped && !hasStopped) this.#stop(life);
  }
}

function toMember({ node, incarnation, weight, lockspaces }: Applicant): Member {
  return { node, incarnation, name: `n${node}`, address: '', weight, lockspaces };
}

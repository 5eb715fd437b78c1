/**
 * What a node does when it is given something: a view, a message, a result. Whatever
 * then follows from what it knows, it does in the same turn.
 *
 * Two simplifications. The phases between `ready` and the end of dlm are one. What is
 * reported in `members` is told to everybody together with the cases, and not by way
 * of the coordinator.
 */
import { atDlm, atReplay, atResume } from './claims.js';
import type { Rule, Setting, Step } from './rules.js';
import { App, bit, each, isIn, lowest, nodeOfSlot, Phase, Power, slotOf, type Kind, type Message, type Node, type World } from './state.js';

export class Turn {
  constructor(
    readonly world: World,
    readonly setting: Setting,
    readonly self: number,
  ) {}

  get #node(): Node {
    return this.world.nodes[this.self]!;
  }

  get members(): number {
    const { isAlone, view } = this.#node;
    return isAlone === 1 ? bit(this.self) : this.world.views[view]!.members;
  }

  get isQuorate(): boolean {
    const { isAlone, view } = this.#node;
    return isAlone === 0 && this.world.views[view]!.isQuorate;
  }

  get #coordinator(): number {
    return lowest(this.members);
  }

  get hasHeardAll(): boolean {
    return (this.members & ~this.#node.heard) === 0;
  }

  follows(rule: Rule): boolean {
    return this.setting.dropped !== rule;
  }

  /** The next view. */
  takeView(): void {
    const { world, setting } = this;
    const node = this.#node;
    const before = node.view < 0 ? null : world.views[node.view]!;
    node.view = node.view < 0 ? world.views.findIndex(({ lives }) => lives[this.self] === node.life) : node.view + 1;
    const { lives } = world.views[node.view]!;
    if (this.follows('sameView')) world.messages = world.messages.filter(({ to, view }) => to !== this.self || view >= node.view);
    for (let other = 0; other < setting.nodes; other += 1) {
      const life = before?.lives[other] ?? -1;
      if (other === this.self || life === lives[other]) continue;
      if (life >= 0) this.#open(other, life);
      if (lives[other]! < 0 || !this.follows('lifeEndsCase')) continue;
      // Somebody has started it anew.
      node.open &= ~bit(other);
      node.fenced &= ~bit(other);
      if (node.victim === other) node.agent = 0;
      if (node.agent === 0) node.victim = -1;
      if (!this.follows('slotOutlivesLife') && life >= 0) node.pending &= ~bit(slotOf(other, life));
    }
    this.#begin();
  }

  /** It loses all others at once, and the quorum with them. */
  loseAll(): void {
    const node = this.#node;
    for (const [other, life] of this.world.views[node.view]!.lives.entries()) if (life >= 0 && other !== this.self) this.#open(other, life);
    node.isAlone = 1;
    this.#begin();
  }

  #open(other: number, life: number): void {
    const node = this.#node;
    node.open |= bit(other);
    node.fenced &= ~bit(other);
    if (this.setting.order.has('app')) node.pending |= bit(slotOf(other, life));
  }

  #begin(): void {
    const node = this.#node;
    const wasUnderWay = node.phase === Phase.Ready || node.phase === Phase.Recovering;
    node.heard = bit(this.self);
    node.reports = [0, 0, 0];
    node.elsewhere = 0;
    node.phase = Phase.Members;
    const work = node.work < 0 ? 0 : bit(node.work);
    const told = (rule: Rule, what: number): number => (this.follows(rule) ? what : 0);
    this.#tellAll('census', [
      told('casesTold', node.open), told('verdictsTold', node.fenced), told('slotsTold', node.pending), told('donesTold', node.done),
      node.hasHistory, told('workerKeepsSlot', work),
    ]);
    if (wasUnderWay && !this.follows('restart')) this.#report(Phase.Ready);
    this.settle();
  }

  #send(to: number, kind: Kind, says: readonly number[]): void {
    if (to === this.self) return this.#read({ from: to, to, view: this.#node.view, kind, says });
    const addressee = this.world.nodes[to]!;
    if (addressee.power !== Power.Up) return;
    // It will be dropped on arrival; for fewer states it is not even sent.
    if (addressee.view > this.#node.view && this.follows('sameView')) return;
    this.world.messages.push({ from: this.self, to, view: this.#node.view, kind, says });
  }

  #tellAll(kind: Kind, says: readonly number[]): void {
    for (const member of each(this.members & ~bit(this.self))) this.#send(member, kind, says);
  }

  receive(message: Message): void {
    this.#read(message);
    this.settle();
  }

  #read({ from, kind, says }: Message): void {
    const node = this.#node;
    if (kind === 'census') return this.#readCensus(from, says);
    const [what] = says as [number];
    if (kind === 'report') return this.#count(from, what);
    if (kind === 'proceed') return this.#proceed(what);
    if (kind === 'verdict') this.#close(what);
    if (kind === 'doneRecord') this.#end(what);
    if (kind === 'doneRecord') node.elsewhere &= ~bit(what);
  }

  #readCensus(from: number, [open, fenced, pending, done, hasHistory, work]: readonly number[]): void {
    const node = this.#node;
    node.heard |= bit(from);
    node.hasHistory |= hasHistory!;
    node.fenced |= fenced! & ~this.members;
    node.open = (node.open | (open! & ~this.members)) & ~node.fenced;
    node.done |= done!;
    node.pending = (node.pending | pending!) & ~node.done;
    node.elsewhere |= work!;
  }

  #close(victim: number): void {
    const node = this.#node;
    if (isIn(victim, this.members)) return;
    node.open &= ~bit(victim);
    node.fenced |= bit(victim);
  }

  #end(slot: number): void {
    this.#node.done |= bit(slot);
    this.#node.pending &= ~bit(slot);
  }

  /** The agent says that the victim is off. */
  heedVerdict(): void {
    const node = this.#node;
    const { victim } = node;
    node.agent = 0;
    node.victim = -1;
    this.#close(victim);
    if (node.isAlone === 0) this.#tellAll('verdict', [victim]);
    this.settle();
  }

  /** The slot has been recovered. */
  heedWork(): void {
    const slot = this.#node.work;
    this.#node.work = -1;
    this.world.replayed |= bit(slot);
    this.#end(slot);
    this.#tellAll('doneRecord', [slot]);
    this.settle();
  }

  #report(phase: Phase): void {
    this.#node.phase = phase;
    this.#send(this.#coordinator, 'report', [phase]);
  }

  /** The coordinator counts who has come how far. */
  #count(from: number, phase: Phase): void {
    const node = this.#node;
    const column = [Phase.Ready, Phase.Recovering, Phase.Recovered].indexOf(phase);
    const before = node.reports[column as 0]!;
    node.reports[column as 0] = before | bit(from);
    if (before === node.reports[column as 0] || (this.members & ~node.reports[column as 0]!) !== 0) return;
    this.#tellAll('proceed', [phase]);
    this.#proceed(phase);
  }

  /** All have come as far as `phase`. */
  #proceed(phase: Phase): void {
    const node = this.#node;
    if (node.phase !== phase) return;
    if (phase === Phase.Ready) this.#recover();
    else if (phase === Phase.Recovering) node.phase = Phase.Open;
    else this.#resume();
  }

  #recover(): void {
    atDlm(this.world, this.setting, this.self);
    this.#report(Phase.Recovering);
  }

  #resume(): void {
    const node = this.#node;
    node.phase = Phase.Resumed;
    atResume(this.world, this.setting, this.self);
    node.app = App.Running;
    this.world.resumedAfter |= this.world.replayed;
  }

  /** Has everything ended, here, that `later` waits for? */
  isDue(later: Step): boolean {
    const { order } = this.setting;
    const node = this.#node;
    const waitsForFence = order.waits(later, 'fence') && !(later === 'dlm' && !this.follows('fenceBeforeDlm')) && !(later === 'app' && !this.follows('fenceBeforeApp'));
    if (order.waits(later, 'suspend') && node.app === App.Asked && (later !== 'dlm' || this.follows('suspendFirst'))) return false;
    if (waitsForFence && node.open !== 0 && (later !== 'app' || this.follows('allFenced'))) return false;
    if (order.waits(later, 'dlm') && node.phase < Phase.Open) return false;
    return !(order.waits(later, 'app') && node.pending !== 0 && (later !== 'resume' || this.follows('resumeLast')));
  }

  /** Do whatever follows from what is known here. */
  settle(): void {
    const { order } = this.setting;
    const node = this.#node;
    if (this.hasHeardAll) this.#lookBack();
    if (order.has('suspend') && node.app === App.Running && (node.open | node.pending) !== 0) node.app = App.Asked;
    if (!this.isQuorate && this.follows('quorumToRecover')) return;
    if (!this.hasHeardAll && this.follows('censusComplete')) return;
    if (node.phase === Phase.Members && this.isDue('dlm')) {
      if (this.follows('readyBarrier')) this.#report(Phase.Ready);
      else this.#recover();
    }
    this.#work();
    if (!order.has('resume') || node.phase !== Phase.Open || node.app === App.Asked || !this.isDue('resume')) return;
    if (this.follows('resumeTogether')) this.#report(Phase.Recovered);
    else this.#resume();
  }

  /** Everybody has spoken. If none was here before, anything may have been. */
  #lookBack(): void {
    const node = this.#node;
    if (node.hasHistory === 1 || node.isAlone === 1) return;
    node.hasHistory = 1;
    // A slot may now be recovered twice, since nobody is left who knows; its application must see that it is clean.
    if (this.world.startedAt !== node.view) Object.assign(this.world, { startedAt: node.view, resumedAfter: 0 });
    if (!this.follows('startup')) return;
    const { nodes, order } = this.setting;
    node.open |= (bit(nodes) - 1) & ~this.members & ~node.fenced;
    if (!order.has('app')) return;
    const { lives: now } = this.world.views[node.view]!;
    for (const { lives } of this.world.views.slice(0, node.view)) {
      for (const [other, life] of lives.entries()) if (life >= 0 && now[other] !== life) node.pending |= bit(slotOf(other, life)) & ~node.done;
    }
  }

  /** The lowest member recovers one slot after the other. */
  #work(): void {
    const node = this.#node;
    if (node.work >= 0 || this.#coordinator !== this.self || !this.setting.order.has('app') || !this.isDue('app')) return;
    const isFree = (slot: number): boolean => {
      const other = nodeOfSlot(slot);
      return !isIn(slot, node.elsewhere) && (this.follows('allFenced') || !isIn(other, node.open));
    };
    const slot = [...each(node.pending)].find(isFree);
    if (slot === undefined) return;
    node.work = slot;
    atReplay(this.world, this.setting, this.self, slot);
  }
}

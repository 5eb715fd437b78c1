/**
 * A world: machines, a network, an engine, owners, and somebody who breaks things,
 * all made from one seed and moved by one agenda.
 *
 * First comes safety: everything may go wrong, and nothing may be granted wrongly.
 * Then liveness: the trouble stops, a majority is healed for good, and everything
 * that was asked for must end. What happened is shown to the checkers as it happens.
 */
import { generation, millis, nodeId, viewId, type Incarnation, type NodeId } from '../base/ids.js';
import { Prng } from '../base/prng.js';
import type { AftermathEffect } from '../node/effect.js';
import type { FencingConfig, LockspaceConfig, View } from '../node/snapshot.js';
import { Aftermath } from './aftermath.js';
import { Agenda } from './agenda.js';
import type { Audit } from './audit.js';
import { Violation } from './checkers/checker.js';
import { Panel } from './checkers/panel.js';
import { Engine, type Applicant } from './engine.js';
import type { Decided, Life, SimEvent } from './event.js';
import { describeEvent } from './lines.js';
import { noCounts, type Frame } from './link.js';
import type { Birth, SimNode } from './birth.js';
import { Machine, type MachinePort } from './machine.js';
import { Nemesis } from './nemesis.js';
import { Network } from './network.js';
import { configOf, type WorldOptions } from './options.js';
import { Places } from './places.js';
import type { Ticket } from './ticket.js';
import { Trace } from './trace.js';
import { Workload } from './workload.js';

/** How the nodes of a world are made and looked at. */
export interface Breed {
  /** Does an engine tell them of views? Without one there is a single node. */
  readonly hasEngine: boolean;
  bear(birth: Birth): SimNode;
  /** How all that are in the view stand in these lockspaces. */
  auditAll(machines: readonly Machine[], lockspaces: readonly string[]): Audit[];
}

/** How long the healed core may take for each step of the liveness phase. */
const settleMillis = 20_000;
const quietMillis = 90_000;
const drainMillis = 60_000;
const sweepMillis = 500;

export class World implements MachinePort {
  readonly agenda = new Agenda();
  readonly trace = new Trace();
  readonly panel: Panel;
  readonly linkCounts = noCounts();
  readonly config: LockspaceConfig;
  readonly machines: readonly Machine[];
  readonly network: Network<Frame>;
  readonly engine: Engine;
  readonly workload: Workload;
  readonly nemesis: Nemesis;
  readonly aftermath: Aftermath;
  viewCount = 0;
  #lives = 0;
  #isHealed = false;
  readonly #lifeOf = new Map<string, Life>();
  readonly #places = new Places();
  readonly #prng: Prng;

  constructor(
    readonly options: WorldOptions,
    readonly breed: Breed,
  ) {
    const prng = new Prng(`world ${options.seed}`);
    const nodes = Array.from({ length: options.nodes }, (_, index) => nodeId(index + 1));
    this.#prng = prng.fork('world');
    this.config = configOf(options.lockspace, options.aftermath.order);
    this.panel = new Panel(this.config.law, options.aftermath);
    this.machines = nodes.map((node) => new Machine(node, this));
    this.network = new Network(options.network, this.agenda, prng.fork('network'), (to, frame) => this.machine(to).receive(frame));
    const { stopMillis, hasFarewell } = options.aftermath;
    this.engine = new Engine(nodes, { ...options.engine, stopMillis, hasFarewell }, this.agenda, prng.fork('engine'), {
      isAwake: (node) => this.machine(node).isAwake,
      areConnected: (one, other) => this.network.areConnected(one, other),
      tell: (life, view) => this.#tell(life, view),
      decided: (view, members, gone) => this.#decided(view, members, gone),
      silent: (life) => this.#stopBySelf(life),
    });
    this.aftermath = new Aftermath(options.aftermath, prng.fork('aftermath'), this);
    this.workload = new Workload(options.workload, this.config.law, this.agenda, prng.fork('workload'), this);
    this.nemesis = new Nemesis(options.nemesis, this.agenda, prng.fork('nemesis'), this);
  }

  get hasEngine(): boolean {
    return this.breed.hasEngine;
  }

  get lockspaces(): readonly string[] {
    return this.options.workload.lockspaces;
  }

  get isHealed(): boolean {
    return this.#isHealed;
  }

  get hasDisk(): boolean {
    return this.aftermath.hasDisk;
  }

  isHeard({ id }: Machine): boolean {
    return this.engine.hears(id);
  }

  get nodes(): readonly NodeId[] {
    return this.engine.nodes;
  }

  get stepCount(): number {
    return this.machines.reduce((sum, { stepCount }) => sum + stepCount, 0);
  }

  /** Live through it all. Throws a `Violation`, or whatever a node throws. */
  run(): void {
    for (const machine of this.machines) this.agenda.after(this.#prng.between(0, 300), () => this.start(machine));
    this.nemesis.begin();
    this.agenda.runUntil(millis(this.options.simMillis));
    this.#heal();
    this.workload.flurryBefore(settleMillis);
    this.#pass(settleMillis);
    this.workload.isStopped = true;
    this.#becomeQuiet(false);
    this.#drain();
    this.#becomeQuiet(true);
  }

  machine(node: NodeId): Machine {
    return this.machines[node - 1]!;
  }

  newLife(): Life {
    this.#lives += 1;
    return this.#lives;
  }

  lifeOf(node: NodeId, incarnation: Incarnation): Life {
    return this.#lifeOf.get(`${node}.${incarnation}`) ?? 0;
  }

  show(event: SimEvent): void {
    this.panel.see(event);
  }

  bear(birth: Birth): SimNode {
    return this.breed.bear(birth);
  }

  transmit(frame: Frame): void {
    this.network.send(frame.from, frame.to, frame);
  }

  announce(machine: Machine, lockspaces: ReadonlyMap<string, number>): void {
    this.engine.announce(machine.id, machine.life, lockspaces);
  }

  answered(machine: Machine, ticket: Ticket): void {
    this.workload.answered(machine, ticket);
  }

  fencingOf(node: NodeId): FencingConfig | null {
    return this.aftermath.fencingOf(node);
  }

  attach(machine: Machine, lockspace: string): { suspendMillis: number } | null {
    return this.aftermath.applications?.attach(machine, lockspace) ?? null;
  }

  hasApplication({ life }: Machine, lockspace: string): boolean {
    return (this.aftermath.applications?.stateOf(life, lockspace) ?? null) !== null;
  }

  carryOut(machine: Machine, effect: AftermathEffect): void {
    this.aftermath.carryOut(machine, effect);
  }

  write(machine: Machine, ticket: Ticket): void {
    this.aftermath.write(machine, ticket);
  }

  joinedTooEarly(machine: Machine, lockspace: string): void {
    this.aftermath.applications?.detach(machine, lockspace);
    const { life } = machine;
    this.agenda.after(100, () => {
      if (machine.life === life && machine.isUp && !machine.joined.has(lockspace)) this.join(machine, lockspace);
    });
  }

  applicationDies(machine: Machine, lockspace: string): void {
    this.aftermath.applications!.detach(machine, lockspace);
    machine.leave(lockspace, true);
  }

  /** Whoever is switched off is switched on again. */
  cyclePower(node: NodeId): void {
    const machine = this.machine(node);
    if (!machine.isUp) return;
    this.crash(machine);
    this.#startSoon(machine);
  }

  giveUp(machine: Machine, reason: string): void {
    this.note(`n${machine.id} gives up: ${reason}`);
    this.crash(machine);
    this.#startSoon(machine);
  }

  blackOut(lost: readonly Machine[]): void {
    for (const machine of lost) machine.forgetGeneration();
    this.emit({ kind: 'blackout', at: this.agenda.now, lost: lost.map(({ id }) => id) });
  }

  #startSoon(machine: Machine): void {
    this.agenda.after(this.#prng.between(1, 500), () => {
      if (!machine.isUp) this.start(machine);
    });
  }

  /** A node past its deadline: what it protects ends at once, then the node, to come back as another life. */
  #stopBySelf(life: Life): void {
    const machine = this.machines.find((one) => one.life === life && one.isUp);
    machine?.beFirst(() => {
      this.emit({ kind: 'silent', at: this.agenda.now, life });
      // Grants stop first: what one owner gives back must not go to the next.
      machine.turn({ kind: 'engineDeadline' });
      this.workload.endAll(machine);
      machine.after(this.#prng.between(1, 500), () => this.giveUp(machine, 'nothing was heard of the engine'));
    });
  }

  start(machine: Machine): void {
    machine.start();
    const { id: node, incarnation, life } = machine;
    this.#lifeOf.set(`${node}.${incarnation}`, life);
    if (this.hasEngine) this.engine.apply({ node, incarnation, life, weight: this.options.weights[node - 1]!, lockspaces: new Map() });
    else this.#decideAlone(machine);
    this.engine.disturbed();
    for (const lockspace of this.lockspaces) {
      this.agenda.after(this.#prng.between(0, 200), () => {
        if (machine.life === life && machine.isUp && !machine.joined.has(lockspace)) this.join(machine, lockspace);
      });
    }
    this.workload.begin(machine);
  }

  crash(machine: Machine): void {
    this.aftermath.ended(machine);
    machine.crash();
    if (!this.hasEngine) this.#decideAlone(machine);
    this.engine.disturbed();
  }

  pause(machine: Machine): void {
    machine.pause();
    this.engine.disturbed();
  }

  resume(machine: Machine): void {
    this.note(`n${machine.id} goes on`);
    machine.resume();
    this.engine.disturbed();
  }

  join(machine: Machine, lockspace: string): void {
    machine.join(lockspace);
    if (this.hasEngine) return;
    // A node alone has nobody to hear of and nothing to recover, and says nothing of it.
    const { life } = machine;
    const at = this.agenda.now;
    this.emit({ kind: 'viewed', at, life, view: viewId(this.viewCount), isQuorate: true });
    this.emit({ kind: 'recovered', at, life, lockspace, generation: generation(0) });
  }

  leave(machine: Machine, lockspace: string): void {
    this.aftermath.applications?.detach(machine, lockspace);
    machine.leave(lockspace);
  }

  /** In good order: first out of all lockspaces, then out of the view, then off. Who has joined one meanwhile stays. */
  withdraw(machine: Machine): void {
    const { life } = machine;
    for (const lockspace of [...machine.joined]) this.leave(machine, lockspace);
    this.agenda.after(300, () => {
      if (machine.life !== life || !machine.isUp || machine.joined.size > 0 || this.#isHealed) return;
      this.engine.withdraw(life);
      if (machine.isUp && machine.life === life) this.crash(machine);
    });
  }

  note(words: string): void {
    this.trace.add(this.agenda.now, words);
  }

  emit(event: SimEvent): void {
    this.trace.add(this.agenda.now, describeEvent(event, this.#places.of(event)));
    this.panel.see(event);
  }

  #tell(life: Life, view: View): void {
    const machine = this.machines.find((one) => one.life === life);
    if (machine?.isUp === true) machine.view(view);
  }

  #decided(view: View, members: readonly Applicant[], gone: readonly Applicant[]): void {
    this.viewCount += 1;
    const livesOf = (applicants: readonly Applicant[]): Life[] => applicants.map(({ life }) => life);
    const left = gone.filter(({ node }) => view.leftCleanly.includes(node));
    this.emit({ kind: 'decided', at: this.agenda.now, view: view.id, members: livesOf(members), joins: joinsOf(members), gone: livesOf(gone), left: livesOf(left) });
    for (const one of gone) this.#endZombie(this.machine(one.node), one.life, left.includes(one));
    if (gone.length === 0) return;
    this.nemesis.death();
    this.workload.hurry('rushPerMille');
  }

  /** Who is out of the view stops sooner or later, and comes back as somebody else. */
  #endZombie(machine: Machine, life: Life, isExpected: boolean): void {
    if (machine.life !== life || !machine.isUp) return;
    machine.isOut = true;
    if (this.hasDisk && !isExpected) this.workload.beginHaste(machine);
    this.agenda.after(this.#prng.between(1, this.options.nemesis.zombieMillis), () => {
      if (machine.life !== life || !machine.isUp) return;
      this.crash(machine);
      this.#startSoon(machine);
    });
  }

  /** Without an engine a life is a member while it lasts. */
  #decideAlone({ isUp, life }: Machine): void {
    this.viewCount += 1;
    const view: Decided = { kind: 'decided', at: this.agenda.now, view: viewId(this.viewCount), members: isUp ? [life] : [], joins: new Map(), gone: isUp ? [] : [life], left: [] };
    this.emit(view);
  }

  /** No more trouble: all nodes go on, or a majority with what is up, for good. */
  #heal(): void {
    this.note('healed');
    this.#isHealed = true;
    this.nemesis.stop();
    this.network.heal();
    this.engine.setShort(false);
    for (const machine of this.machines) {
      this.engine.lag(machine.id, 0);
      if (machine.isPaused) this.resume(machine);
    }
    const needed = this.options.nemesis.healsAll ? this.machines.length : this.engine.majority;
    for (const machine of this.#prng.shuffled(this.machines)) {
      if (this.machines.filter(({ isUp }) => isUp).length >= needed) break;
      if (!machine.isUp) this.start(machine);
    }
    for (const machine of this.machines) {
      if (!machine.isUp) continue;
      for (const lockspace of this.lockspaces) if (!machine.joined.has(lockspace)) this.join(machine, lockspace);
    }
    this.engine.disturbed();
  }

  #pass(time: number): void {
    this.agenda.runUntil(millis(this.agenda.now + time));
  }

  /** Wait until nothing is under way, then have everybody looked at. */
  #becomeQuiet(isDrained: boolean): void {
    const end = this.agenda.now + quietMillis;
    for (let steps = -1; steps !== this.stepCount || !this.aftermath.isIdle || !this.machines.every(({ linkIsIdle }) => linkIsIdle); ) {
      if (this.agenda.now >= end) throw new Violation('progress', 'the nodes have not stopped talking although nobody asks for anything', ['hears']);
      steps = this.stepCount;
      this.#pass(5000);
    }
    // What is remembered for a while only is forgotten by then.
    if (isDrained) this.#pass(15_000);
    const audits = this.breed.auditAll(this.machines.filter(({ isUp, isOut }) => isUp && !isOut), this.lockspaces);
    const outsiders = this.machines.filter(({ isUp, life }) => isUp && this.hasEngine && !this.engine.isMember(life)).map(({ life }) => life);
    this.emit({ kind: 'quiet', at: this.agenda.now, audits, isDrained, outsiders });
  }

  #drain(): void {
    this.note('all is given back');
    this.workload.isDraining = true;
    for (let passed = 0; passed < drainMillis; passed += sweepMillis) {
      for (const machine of this.machines) if (machine.isUp) this.workload.sweep(machine, passed > drainMillis / 4);
      this.#pass(sweepMillis);
      if (this.machines.every(({ tickets }) => tickets.size === 0)) return;
    }
  }
}

function joinsOf(members: readonly Applicant[]): Decided['joins'] {
  // A negative number is a join that was left as failed.
  const present = (lockspaces: ReadonlyMap<string, number>): ReadonlyMap<string, number> => new Map([...lockspaces].filter(([, join]) => join > 0));
  return new Map(members.map(({ life, lockspaces }) => [life, present(lockspaces)]));
}

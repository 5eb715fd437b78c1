/**
 * A stage for what follows failures: real nodes, messages that arrive in any order but
 * that of each pair, views that arrive when drawn, agents that succeed, fail or never
 * answer, and applications that suspend, recover and resume when drawn.
 *
 * It watches as an onlooker would, and knows nothing of how nodes decide: who is dead,
 * who may still write, who has been fenced, and which applications touch their data.
 */
import assert from 'node:assert/strict';
import { incarnation, millis, nodeId, type Incarnation, type NodeId, type Slot, type ViewId } from '../../src/core/base/ids.js';
import { viewId } from '../../src/core/base/ids.js';
import type { FencingConfig } from '../../src/core/cluster/fencing.js';
import { orderOf, waitsFor, type Order } from '../../src/core/cluster/order.js';
import type { Member, View } from '../../src/core/cluster/view.js';
import { defaultConfig } from '../../src/core/lockspace/lockspace.js';
import type { Effect } from '../../src/core/node/effect.js';
import type { Input } from '../../src/core/node/input.js';
import { DlmNode } from '../../src/core/node/node.js';
import type { Message } from '../../src/core/wire/message.js';

/** Whoever is not here when the cluster begins may be a zombie of an earlier one. */
export const fencingOn: FencingConfig = { isOn: true, delayMillis: 0, postJoinMillis: 0, retryMillis: 50, startup: [1, 2, 3, 4, 5].map(nodeId) };

type AppState = 'none' | 'suspended' | 'running' | 'suspending';

interface Agent {
  readonly victim: NodeId;
  readonly incarnation: Incarnation;
}

interface Work {
  readonly slot: Slot | null;
  readonly victim: NodeId | null;
  readonly since: ViewId;
}

/** One life of a node, as an onlooker sees it. */
interface Life {
  readonly id: NodeId;
  readonly incarnation: Incarnation;
  readonly node: DlmNode;
  readonly views: View[];
  lockspaces: ReadonlyMap<string, number>;
  /** Has its process ended, or does it only not hear and answer (a zombie, which may write)? */
  state: 'up' | 'zombie' | 'off';
  app: AppState;
  readonly agents: Agent[];
  work: Work[];
  /** The first view that lacks it. */
  goneIn: number;
}

const ls = 'data';

export class Aftermath {
  readonly lives: Life[] = [];
  readonly order: Order;
  /** How often what was at stake. */
  readonly counts: Record<string, number> = {};
  now = 0;
  #views = 0;
  #wires = new Map<string, { from: Life; to: Life; messages: Message[] }>();
  /** Agents say no while it is so. */
  areAgentsBroken = false;
  /** What fencing and dlm recovery ended in, since the last failure. */
  #ended: string[] = [];

  constructor(
    readonly draw: (count: number) => number,
    orderText: string,
    readonly hasApplications: boolean,
    readonly fencing: FencingConfig = fencingOn,
  ) {
    this.order = orderOf(orderText);
  }

  get up(): Life[] {
    return this.lives.filter(({ state }) => state === 'up');
  }

  life(id: number): Life {
    const found = this.up.find((life) => life.id === id);
    assert.ok(found !== undefined, `n${id} is up`);
    return found;
  }

  start(id: number): void {
    const life = incarnation(this.lives.length + 1);
    const node = new DlmNode({ self: nodeId(id), incarnation: life, hasEngine: true, fencing: this.fencing });
    this.lives.push({ id: nodeId(id), incarnation: life, node, views: [], lockspaces: new Map(), state: 'up', app: 'none', agents: [], work: [], goneIn: Infinity });
    this.newView();
    const application = this.hasApplications ? { suspendMillis: 1000 } : null;
    if (this.hasApplications) this.life(id).app = 'suspended';
    this.input(this.life(id), { kind: 'joinLockspace', lockspace: ls, config: { ...defaultConfig, order: this.order.text }, application });
  }

  /** The engine counts it as gone. `zombie`: it only does not hear, and may still write. */
  fail(id: number, state: 'zombie' | 'off'): void {
    const life = this.life(id);
    life.state = state;
    life.goneIn = this.#views + 1;
    this.#ended = [];
    this.#count(state);
    this.newView();
  }

  /** In good order. */
  leave(id: number): void {
    const life = this.life(id);
    life.state = 'off';
    life.app = 'none';
    this.#count('left');
    this.newView([life.id]);
  }

  /** It hears nothing of the engine for a while, and stops by itself; the next view ends that. */
  cut(id: number): void {
    this.#count('cut');
    this.input(this.life(id), { kind: 'engineDeadline' });
    this.newView();
  }

  newView(leftCleanly: NodeId[] = []): void {
    this.#views += 1;
    const members: Member[] = this.up
      .sort((one, other) => one.id - other.id)
      .map(({ id, incarnation: life, lockspaces }) => ({ node: id, incarnation: life, name: `n${id}`, address: '', weight: 0, lockspaces }));
    for (const life of this.up) life.views.push({ id: viewId(this.#views), isQuorate: true, members, leftCleanly });
  }

  input(life: Life, input: Input): void {
    for (const effect of life.node.step(millis(this.now), input)) this.#carryOut(life, effect);
  }

  #carryOut(life: Life, effect: Effect): void {
    switch (effect.kind) {
      case 'send': {
        const known = life.node.view!.members.find(({ node }) => node === effect.to)!.incarnation;
        const to = this.lives.find((one) => one.incarnation === known)!;
        const key = `${life.incarnation}>${known}`;
        const wire = this.#wires.get(key) ?? { from: life, to, messages: [] };
        wire.messages.push(structuredClone(effect.message));
        this.#wires.set(key, wire);
        break;
      }
      case 'announce':
        life.lockspaces = effect.lockspaces;
        this.newView();
        break;
      case 'fence':
        this.#mayFence(life, effect.victim, effect.incarnation);
        life.agents.push(effect);
        break;
      case 'cancelFence':
        life.agents.splice(0, life.agents.length, ...life.agents.filter(({ victim }) => victim !== effect.victim));
        break;
      case 'suspend':
        assert.equal(life.app, 'running', 'only who runs is suspended');
        life.app = 'suspending';
        break;
      case 'resume':
        this.#mayResume(life);
        life.app = 'running';
        break;
      case 'recover':
        this.#mayRecover(life, effect);
        life.work.push(effect);
        break;
      case 'step':
        this.#note(life, effect);
        break;
      case 'giveUp':
        assert.fail(effect.reason);
        break;
      case 'refuse':
        assert.fail(`${effect.call.kind}: ${effect.code} ${effect.rule?.text ?? ''}`);
        break;
      default:
    }
  }

  /** Lives that have failed, as that node has been told, and may still write. What it has not been told of it cannot heed. */
  #zombies(observer: Life): Life[] {
    return this.lives.filter(({ state, goneIn }) => state === 'zombie' && goneIn <= observer.node.view!.id);
  }

  #mayFence(life: Life, victim: NodeId, of: Incarnation): void {
    const member = life.node.view!.members.find(({ node }) => node === victim);
    assert.notEqual(member?.incarnation, of, `n${life.id} has a member fenced`);
    const others = this.up.filter((one) => one !== life && one.agents.some((agent) => agent.victim === victim && agent.incarnation === of));
    assert.equal(others.length, 0, `two agents for n${victim}`);
    this.#count('fence');
  }

  #mayRecover(life: Life, { slot, since, victim }: Work): void {
    this.#count('recover');
    assert.ok(this.order.steps.has('app'));
    for (const zombie of this.#zombies(life)) assert.ok(!this.#hadLockspace(zombie), `n${life.id} recovers while n${zombie.id} may write`);
    for (const other of this.up) {
      if (waitsFor(this.order, 'app', 'suspend')) assert.ok(other.app !== 'running' && other.app !== 'suspending', `n${other.id} runs during recovery`);
      if (other !== life) assert.ok(!other.work.some((work) => work.slot === slot && work.since === since), `two recover slot ${slot} of n${victim}`);
    }
  }

  #hadLockspace({ lockspaces }: Life): boolean {
    return lockspaces.has(ls);
  }

  #mayResume(life: Life): void {
    this.#count('resume');
    for (const zombie of this.#zombies(life)) {
      if (waitsFor(this.order, 'resume', 'fence')) assert.ok(!this.#hadLockspace(zombie), `n${life.id} resumes while n${zombie.id} may write`);
    }
  }

  #note(life: Life, { step, state, victim }: { step: string; state: string; victim: NodeId | null }): void {
    if (step === 'dlm' && state === 'begun') this.#mayBegin(life);
    if ((step === 'dlm' || step === 'fence') && state === 'ended' && !this.#ended.includes(step)) {
      this.#ended.push(step);
      if (this.#ended.length === 2) this.#count(`${this.#ended.join(' before ')}`);
    }
    if (step === 'fence' && state === 'failed') this.#count('attempt failed');
    if (step === 'app' && state === 'failed') this.#count(`recovery failed ${victim === null ? '(all)' : ''}`.trim());
  }

  /** dlm recovery begins on a node: all members of its view have done what has to be done before. */
  #mayBegin(life: Life): void {
    this.#count('dlm');
    const members = this.up.filter(({ incarnation: one }) => life.node.view!.members.some((member) => member.incarnation === one));
    const hasFailed = this.#zombies(life).some((zombie) => this.#hadLockspace(zombie));
    if (waitsFor(this.order, 'dlm', 'fence')) assert.ok(!hasFailed, `n${life.id} begins while a zombie may write`);
    if (waitsFor(this.order, 'dlm', 'suspend') && hasFailed) {
      for (const other of members) assert.ok(other.app !== 'running' && other.app !== 'suspending', `n${other.id} is not suspended`);
      this.#count('dlm while a zombie may write');
    }
  }

  /** Everything that could happen next. */
  #choices(): (() => void)[] {
    const choices: (() => void)[] = [];
    for (const life of this.up) {
      if (life.views.length > 0) choices.push(() => this.input(life, { kind: 'view', view: life.views.shift()! }));
      if (life.app === 'suspending') choices.push(() => this.#suspended(life));
      for (const agent of life.agents) choices.push(() => this.#agentEnds(life, agent));
      for (const work of life.work) choices.push(() => this.#workEnds(life, work));
    }
    for (const { from, to, messages } of this.#wires.values()) {
      const isMember = to.node.view?.members.some(({ incarnation: life }) => life === from.incarnation) === true;
      if (messages.length > 0 && to.state === 'up' && isMember) {
        choices.push(() => this.input(to, { kind: 'received', from: from.id, message: messages.shift()! }));
      }
    }
    return choices;
  }

  #suspended(life: Life): void {
    life.app = 'suspended';
    this.input(life, { kind: 'suspended', lockspace: ls, isDone: true });
  }

  #agentEnds(life: Life, agent: Agent): void {
    life.agents.splice(life.agents.indexOf(agent), 1);
    const isFenced = !this.areAgentsBroken && this.draw(4) > 0;
    // A node that was missing at the start is switched off whichever life of it there is.
    const victims = this.lives.filter(({ id, incarnation: one }) => id === agent.victim && (one === agent.incarnation || agent.incarnation === 0));
    if (isFenced) for (const victim of victims) this.#switchOff(victim);
    const { victim: node, incarnation: of } = agent;
    this.input(life, { kind: 'fenceResult', victim: node, incarnation: of, isFenced, words: isFenced ? 'off' : 'exit 1' });
  }

  /** Whoever joins while an agent is at work goes off as well, and the engine sees it. */
  #switchOff(victim: Life): void {
    const wasUp = victim.state === 'up';
    victim.state = 'off';
    if (!wasUp) return;
    this.#count('switched off while joining');
    this.newView();
  }

  #workEnds(life: Life, work: Work): void {
    life.work.splice(life.work.indexOf(work), 1);
    const { slot, since } = work;
    this.input(life, { kind: 'slotRecovered', lockspace: ls, slot, since, isDone: this.draw(5) > 0 });
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** One of the things that could happen next. False: there is none. */
  turn(): boolean {
    const choices = this.#choices();
    if (choices.length > 0) choices[this.draw(choices.length)]!();
    else if (!this.#wake()) return false;
    return true;
  }

  /** Nothing happens before the next deadline. */
  #wake(): boolean {
    const times = this.up.flatMap(({ node }) => node.nextDeadline() ?? []);
    if (times.length === 0 || this.areAgentsBroken) return false;
    this.now = Math.max(this.now, Math.min(...times));
    for (const life of this.up) if ((life.node.nextDeadline() ?? Infinity) <= this.now) this.input(life, { kind: 'deadline' });
    return true;
  }

  settle(): void {
    for (let turns = 0; this.turn(); turns += 1) assert.ok(turns < 100_000, `it never settles: ${this.standing()}`);
  }

  standing(): string {
    return this.up.map(({ id, app, node }) => `n${id}: ${node.stack(ls)?.standing ?? 'out'} ${app}`).join(', ');
  }

  /** Everybody who is up may lock, and every application runs. */
  assertAllGoOn(): void {
    for (const { id, app, node } of this.up) {
      assert.equal(node.stack(ls)?.standing, 'running', this.standing());
      assert.ok(node.stack(ls)!.aftermath.gate.isOpen, `the gate of n${id} is open`);
      if (this.hasApplications) assert.equal(app, this.order.steps.has('suspend') ? 'running' : 'suspended', this.standing());
    }
  }
}

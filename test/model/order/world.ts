/**
 * What can happen in the model: nodes die, are cut off, come back; the engine notices;
 * views and messages arrive; applications, agents and recoverers come to an end; the
 * lock is granted.
 *
 * Some of it brings things forward, and where nothing of that kind can happen all must
 * be well. The rest is misfortune, which is limited, and grants, which nobody waits for.
 */
import { atFence, atGrant, atRest, inEveryState } from './claims.js';
import type { Model } from './explore.js';
import type { Rule, Setting } from './rules.js';
import { App, bit, copyOf, each, isIn, keyOf, livesMax, lowest, newNode, Phase, Power, type View, type World } from './state.js';
import { Turn } from './turn.js';

/** What must have occurred somewhere, or it has not been tried. */
export interface Marks {
  has: Set<string>;
}

type Visit = (what: string, next: World) => void;

const viewOf = (setting: Setting, lives: readonly number[]): View => {
  const members = lives.reduce((set, life, node) => (life >= 0 ? set | bit(node) : set), 0);
  const count = lives.filter((life) => life >= 0).length;
  return { members, lives, isQuorate: setting.quorum === 'any' || 2 * count > setting.nodes };
};

function firstWorld(setting: Setting): World {
  const places = [...Array(setting.nodes).keys()];
  const nodes = places.map((place) => {
    if (!isIn(place, setting.members)) return newNode(-1, Power.Off);
    const phase = setting.order.has('resume') ? Phase.Resumed : Phase.Open;
    return { ...newNode(0, Power.Up), view: 0, heard: setting.members, hasHistory: 1, phase };
  });
  const views = [viewOf(setting, nodes.map(({ life }) => life))];
  return { failures: 0, joins: 0, views, nodes, messages: [], replayed: 0, resumedAfter: 0, startedAt: 0, wrong: null };
}

export function orderModel(setting: Setting, marks: Marks): Model<World> {
  return {
    first: [firstWorld(setting)],
    key: keyOf,
    each: (world, visit) => {
      const happenings = new Happenings(world, setting, marks, visit);
      happenings.forward();
      const goesOn = happenings.count > 0;
      happenings.misfortune();
      happenings.grants();
      return goesOn;
    },
    wrong: (world) => inEveryState(world, setting),
    wrongAtRest: (world) => atRest(world, setting),
  };
}

class Happenings {
  count = 0;

  constructor(
    readonly world: World,
    readonly setting: Setting,
    readonly marks: Marks,
    readonly visit: Visit,
  ) {}

  #follows(rule: Rule): boolean {
    return this.setting.dropped !== rule;
  }

  #after(what: string, change: (next: World) => void): void {
    const next = copyOf(this.world);
    change(next);
    this.count += 1;
    this.visit(what, next);
  }

  #turn(what: string, self: number, change: (turn: Turn, next: World) => void): void {
    this.#after(what, (next) => change(new Turn(next, this.setting, self), next));
  }

  /** Everything that brings things forward. */
  forward(): void {
    this.#engine();
    this.#deliveries();
    for (const [self, node] of this.world.nodes.entries()) {
      if (node.power === Power.Off || node.view < 0) continue;
      const isActive = node.power === Power.Up || node.isAlone === 1;
      if (isActive && node.app === App.Asked) {
        this.#turn(`${self} has suspended`, self, (turn, next) => {
          next.nodes[self]!.app = App.Suspended;
          turn.settle();
        });
      }
      if (isActive) this.#fencing(self);
      const hasLocks = !this.setting.order.waits('app', 'dlm') || node.phase >= Phase.Open;
      if (isActive && node.work >= 0 && hasLocks) this.#turn(`${self} has recovered slot ${node.work}`, self, (turn) => turn.heedWork());
    }
  }

  /** The engine sees who is gone: one, or all at once. */
  #engine(): void {
    const { views, nodes } = this.world;
    const latest = views.at(-1)!;
    const gone = [...each(latest.members)].filter((place) => nodes[place]!.power !== Power.Up || nodes[place]!.life !== latest.lives[place]);
    const without = (places: readonly number[]): void => {
      const lives = latest.lives.map((life, place) => (places.includes(place) ? -1 : life));
      this.#after(`view ${views.length} without ${places.join(' ')}`, (next) => {
        next.views = [...views, viewOf(this.setting, lives)];
      });
    };
    for (const place of gone) without([place]);
    if (gone.length > 1) without(gone);
  }

  #deliveries(): void {
    const { views, nodes, messages } = this.world;
    for (const [self, node] of nodes.entries()) {
      if (node.power !== Power.Up || node.view === views.length - 1) continue;
      const place = node.view < 0 ? views.findIndex(({ lives }) => lives[self] === node.life) : node.view + 1;
      if (views[place]!.lives[self] !== node.life) continue;
      this.#turn(`${self} sees view ${place}`, self, (turn) => turn.takeView());
    }
    const seen = new Set<number>();
    for (const [place, message] of messages.entries()) {
      const { from, to, view, kind } = message;
      if (seen.has(from * 8 + to)) continue;
      seen.add(from * 8 + to);
      const node = nodes[to]!;
      if (node.power !== Power.Up || node.view < view) continue;
      this.#turn(`${to} receives ${kind} ${message.says[0]} of ${from}`, to, (turn, next) => {
        next.messages.splice(place, 1);
        turn.receive(message);
      });
    }
  }

  /** The lowest of those who saw it fail and are still here; else the lowest of those who were told. */
  #actor(self: number, victim: number): number {
    const { views, nodes } = this.world;
    const { view, isAlone } = nodes[self]!;
    if (isAlone === 1) return self;
    const last = Math.max(views.slice(0, view + 1).findLastIndex(({ members }) => isIn(victim, members)), this.world.startedAt);
    const turn = new Turn(this.world, this.setting, self);
    const stayed = (place: number): boolean => views.slice(last, view + 1).every(({ lives }) => lives[place] === views[view]!.lives[place]);
    if (!this.#follows('handOver')) return lowest(views[Math.min(last + 1, view)]!.members);
    const witness = [...each(turn.members)].find(stayed);
    if (witness !== undefined) return witness;
    return this.#follows('anybodyActs') && turn.hasHeardAll ? lowest(turn.members) : -1;
  }

  #fencing(self: number): void {
    const node = this.world.nodes[self]!;
    const turn = new Turn(this.world, this.setting, self);
    if (node.agent === 0 && turn.isDue('fence') && (turn.isQuorate || !this.#follows('quorumToFence'))) {
      for (const victim of each(node.open)) {
        if (this.#actor(self, victim) !== self) continue;
        this.#after(`${self} has ${victim} fenced`, (next) => {
          const isOff = next.nodes[victim]!.power === Power.Off;
          Object.assign(next.nodes[self]!, { victim, agent: isOff ? 2 : 1 });
          atFence(next, self, victim);
        });
      }
    }
    if (node.agent === 1) {
      this.#after(`${node.victim} is switched off`, (next) => {
        this.#switchOff(next, node.victim);
        next.nodes[self]!.agent = 2;
      });
    }
    if (node.agent === 2 || (node.agent === 1 && !this.#follows('failedIsNotFenced'))) {
      this.#turn(`${self} knows ${node.victim} as fenced`, self, (actor, next) => {
        actor.heedVerdict();
        this.#mark(next, self);
      });
    }
  }

  /** Which was first, the end of fencing or that of dlm? */
  #mark(next: World, self: number): void {
    const { phase, isAlone } = next.nodes[self]!;
    if (isAlone === 0) this.marks.has.add(phase >= Phase.Open ? 'dlm recovery ended before fencing' : 'fencing ended before dlm recovery');
  }

  #switchOff(next: World, place: number): void {
    const { life } = next.nodes[place]!;
    next.nodes[place] = newNode(life, Power.Off);
    next.messages = next.messages.filter(({ to }) => to !== place);
  }

  /** Nodes die, are cut off, see themselves alone, come and come back. */
  misfortune(): void {
    const { nodes, failures, joins, views } = this.world;
    for (const [place, node] of nodes.entries()) {
      if (node.power === Power.Up && failures < this.setting.failures) {
        this.#after(`${place} dies`, (next) => {
          next.failures += 1;
          this.#switchOff(next, place);
        });
        this.#after(`${place} is cut off`, (next) => {
          next.failures += 1;
          next.nodes[place]!.power = Power.Cut;
          next.messages = next.messages.filter(({ to }) => to !== place);
        });
      }
      if (node.power === Power.Cut && node.isAlone === 0 && node.view >= 0 && this.setting.quorum === 'majority') {
        this.#turn(`${place} sees itself alone`, place, (turn) => turn.loseAll());
      }
      if (joins >= this.setting.joins) continue;
      if (node.power !== Power.Up && node.life < livesMax - 1) this.#join(place);
      if (node.power === Power.Cut && views.at(-1)!.lives[place]! < 0 && !this.#follows('anotherLife')) this.#merge(place);
    }
  }

  #join(place: number): void {
    const { nodes, views } = this.world;
    const { life, power, holds, app } = nodes[place]!;
    this.#after(`${place} joins as life ${life + 1}`, (next) => {
      next.joins += 1;
      this.#switchOff(next, place);
      const node = newNode(life + 1, Power.Up);
      if (this.setting.order.has('suspend') && this.#follows('newcomerSuspended')) node.app = App.Suspended;
      if (power === Power.Cut && holds === 1 && app !== App.Suspended && !this.#follows('cleanStart')) node.residue = 1;
      next.nodes[place] = node;
      next.views = [...views, viewOf(this.setting, views.at(-1)!.lives.map((now, other) => (other === place ? life + 1 : now)))];
    });
  }

  /** The link is mended, and it goes on as if nothing had been. */
  #merge(place: number): void {
    const { nodes, views } = this.world;
    this.#after(`${place} is back in the life it had`, (next) => {
      next.joins += 1;
      const node = next.nodes[place]!;
      Object.assign(node, { power: Power.Up, isAlone: 0, view: views.length - 1 });
      next.views = [...views, viewOf(this.setting, views.at(-1)!.lives.map((now, other) => (other === place ? nodes[place]!.life : now)))];
    });
  }

  /** Whoever may be granted the lock is granted it: nodes that are cut off too, as masters of it. */
  grants(): void {
    const { nodes, views } = this.world;
    for (const [self, { power, view, isAlone, app, phase, holds }] of nodes.entries()) {
      if (power === Power.Off || view < 0 || holds === 1) continue;
      if (phase < Phase.Open && this.#follows('dlmGate')) continue;
      if (app !== App.Running && this.#follows('appGate')) continue;
      const members = isAlone === 1 ? [] : views[view]!.lives;
      const isHeld = members.some((life, place) => {
        const other = nodes[place]!;
        return place !== self && other.life === life && other.holds === 1 && other.since <= view;
      });
      if (isHeld) continue;
      this.#after(`${self} is granted the lock`, (next) => {
        Object.assign(next.nodes[self]!, { holds: 1, since: view });
        atGrant(next, this.setting, self);
      });
    }
  }
}

/**
 * The fence agents of a world: programs that a node has run, each to switch one other
 * machine off, and that tell how that ended.
 *
 * An agent that does what it should takes the power from its victim, whichever life
 * runs there by then. Others try in vain, take long, or lie: they say that the victim
 * is off and have not touched it. An agent ends with the life that has it run.
 */
import type { NodeId } from '../base/ids.js';
import type { Prng } from '../base/prng.js';
import type { CancelFence, Fence } from '../node/snapshot.js';
import type { AgentEnd, FencingOptions } from './aftermath-options.js';
import type { Fenced, Life, SimEvent } from './event.js';
import type { Machine } from './machine.js';

/** What agents need of the world. */
export interface AgentPort {
  readonly isHealed: boolean;
  emit(event: SimEvent): void;
  /** Off, and on again after a while. */
  cyclePower(node: NodeId): void;
}

/** How long an agent that hangs is let run. */
const hangMillis = 8000;

export class Agents {
  /** Who has an agent at work at whom. */
  readonly #running = new Map<string, Fence>();

  constructor(
    readonly options: FencingOptions,
    readonly prng: Prng,
    readonly port: AgentPort,
  ) {}

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  run(machine: Machine, effect: Fence): void {
    const { life } = machine;
    const end = this.#draw();
    this.#running.set(keyOf(life, effect.victim), effect);
    this.#tell(machine, effect, 'begun');
    machine.after(end === 'hang' ? hangMillis : this.prng.between(1, this.options.agentMillis), () => {
      if (this.#running.get(keyOf(life, effect.victim)) === effect) this.#end(machine, effect, end);
    });
  }

  cancel(machine: Machine, { victim }: CancelFence): void {
    const running = this.#running.get(keyOf(machine.life, victim));
    if (running === undefined) return;
    this.#running.delete(keyOf(machine.life, victim));
    this.#tell(machine, running, 'cancelled');
  }

  /** A life has ended, and its agents with it. */
  ended(life: Life): void {
    for (const key of [...this.#running.keys()]) if (key.startsWith(`${life}>`)) this.#running.delete(key);
  }

  #end(machine: Machine, effect: Fence, end: AgentEnd): void {
    const { victim, incarnation } = effect;
    this.#running.delete(keyOf(machine.life, victim));
    const isFenced = end === 'off' || end === 'lie';
    this.#tell(machine, effect, isFenced ? end : 'failed');
    if (end === 'off') this.port.cyclePower(victim);
    machine.turn({ kind: 'fenceResult', victim, incarnation, isFenced, words: end });
  }

  #tell({ life, port }: Machine, { victim, incarnation }: Fence, state: Fenced['state']): void {
    this.port.emit({ kind: 'fenced', at: port.agenda.now, life, victim, isStartup: incarnation === 0, victimLife: port.lifeOf(victim, incarnation), state });
  }

  /** In the end all agents do what they should. */
  #draw(): AgentEnd {
    return this.port.isHealed ? 'off' : this.prng.weighted(Object.entries(this.options.ends) as [AgentEnd, number][]);
  }
}

const keyOf = (life: Life, victim: NodeId): string => `${life}>${victim}`;

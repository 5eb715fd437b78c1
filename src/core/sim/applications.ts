/**
 * The applications of a world: one a machine and lockspace, if it is attached there. They
 * touch their data while they run, stop when told to, and put in order what others have
 * left behind.
 *
 * Each of it takes a drawn time, and some of it is not done: then the node gives up, or
 * somebody else is asked. An application ends with its node's life, or leaves it behind.
 */
import type { Prng } from '../base/prng.js';
import type { RecoverSlot, Resume, Suspend } from '../node/effect.js';
import type { ApplicationOptions } from './aftermath-options.js';
import type { ApplicationChanged, Life, SimEvent } from './event.js';
import type { Machine } from './machine.js';

/** What applications need of the world. */
export interface ApplicationPort {
  readonly isHealed: boolean;
  emit(event: SimEvent): void;
}

export class Applications {
  /** By life and lockspace. */
  readonly #states = new Map<string, ApplicationChanged['state']>();
  /** How many answers are under way. */
  #busy = new Map<Life, number>();

  constructor(
    readonly options: ApplicationOptions,
    readonly prng: Prng,
    readonly port: ApplicationPort,
  ) {}

  get isIdle(): boolean {
    return this.#busy.size === 0;
  }

  /** A node joins: with an application? It begins suspended. */
  attach(machine: Machine, lockspace: string): { suspendMillis: number } | null {
    if (!this.prng.chance(this.options.attachedPerMille)) return null;
    this.#become(machine, lockspace, 'suspended');
    return { suspendMillis: this.options.suspendMillis };
  }

  stateOf(life: Life, lockspace: string): ApplicationChanged['state'] | null {
    return this.#states.get(keyOf(life, lockspace)) ?? null;
  }

  /** It has died, or its node leaves. */
  detach(machine: Machine, lockspace: string): void {
    if (this.#states.has(keyOf(machine.life, lockspace))) this.#become(machine, lockspace, 'gone');
    this.#states.delete(keyOf(machine.life, lockspace));
  }

  ended(life: Life): void {
    this.#busy.delete(life);
    for (const key of [...this.#states.keys()]) if (key.startsWith(`${life}/`)) this.#states.delete(key);
  }

  suspend(machine: Machine, { lockspace }: Suspend): void {
    this.#become(machine, lockspace, 'suspending');
    // Whether it misses its time, or says that it cannot.
    const isMissed = !this.port.isHealed && this.prng.chance(this.options.missPerMille);
    if (isMissed && this.prng.chance(500)) return;
    this.#later(machine, this.options.suspendingMillis, () => {
      if (this.stateOf(machine.life, lockspace) !== 'suspending') return;
      if (!isMissed) this.#become(machine, lockspace, 'suspended');
      machine.turn({ kind: 'suspended', lockspace, isDone: !isMissed });
    });
  }

  recover(machine: Machine, effect: RecoverSlot): void {
    const { lockspace, slot, since } = effect;
    this.#tell(machine, effect, 'begun');
    this.#later(machine, this.options.recoverMillis, () => {
      if (this.stateOf(machine.life, lockspace) === null) return;
      const isDone = this.port.isHealed || !this.prng.chance(this.options.failPerMille);
      this.#tell(machine, effect, isDone ? 'done' : 'failed');
      machine.turn({ kind: 'slotRecovered', lockspace, slot, since, isDone });
    });
  }

  resume(machine: Machine, { lockspace }: Resume): void {
    this.#become(machine, lockspace, 'resuming');
    this.#later(machine, this.options.resumeMillis, () => {
      if (this.stateOf(machine.life, lockspace) === 'resuming') this.#become(machine, lockspace, 'running');
    });
  }

  #later(machine: Machine, longest: number, action: () => void): void {
    const { life } = machine;
    this.#busy.set(life, (this.#busy.get(life) ?? 0) + 1);
    machine.after(this.prng.between(0, longest), () => {
      const left = this.#busy.get(life)! - 1;
      if (left === 0) this.#busy.delete(life);
      else this.#busy.set(life, left);
      action();
    });
  }

  #become({ life, port }: Machine, lockspace: string, state: ApplicationChanged['state']): void {
    this.#states.set(keyOf(life, lockspace), state);
    this.port.emit({ kind: 'application', at: port.agenda.now, life, lockspace, state });
  }

  #tell({ life, port }: Machine, { lockspace, slot, victim, since }: RecoverSlot, state: 'begun' | 'done' | 'failed'): void {
    this.port.emit({ kind: 'replay', at: port.agenda.now, life, lockspace, slot, victim, since, state });
  }
}

const keyOf = (life: Life, lockspace: string): string => `${life}/${lockspace}`;

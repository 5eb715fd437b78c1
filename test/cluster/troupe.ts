/**
 * Several nodes in one process, with a network that keeps the order of each pair and
 * nothing else: which message comes next is drawn. Views are told to each node at a
 * moment of its own.
 */
import { defaultConfig, type LockspaceConfig } from '../../src/core/lockspace/lockspace.js';
import type { Effect } from '../../src/core/node/effect.js';
import type { Input } from '../../src/core/node/input.js';
import { Ensemble, type Player } from '../../src/core/sim/ensemble.js';

type Observe = (node: number, effect: Effect) => void;

export class Troupe {
  readonly #ensemble: Ensemble;

  constructor(
    readonly draw: (count: number) => number,
    readonly observe: Observe,
    readonly config: LockspaceConfig = defaultConfig,
  ) {
    this.#ensemble = new Ensemble({
      effect: (node, effect) => {
        if (effect.kind === 'announce') this.newView();
        observe(node, effect);
      },
    });
  }

  get players(): ReadonlyMap<number, Player> {
    return this.#ensemble.players;
  }

  start(id: number): void {
    this.#ensemble.start(id);
    this.newView();
  }

  /** Its process is gone; the others are told by a view. */
  kill(id: number): void {
    this.#ensemble.crash(id);
    this.newView();
  }

  input(id: number, input: Input): Effect[] {
    return this.#ensemble.step(id, input);
  }

  newView(isQuorate = true): void {
    this.#ensemble.decide(isQuorate);
  }

  /** One of the things that could happen next. False: there is none. */
  turn(): boolean {
    const untold = [...this.players.values()].filter(({ views }) => views.length > 0);
    const heads = this.#ensemble.heads();
    const count = untold.length + heads.length;
    if (count === 0) return false;
    const choice = this.draw(count);
    if (choice < untold.length) this.#ensemble.tell(untold[choice]!.id);
    else this.#ensemble.deliver(heads[choice - untold.length]!);
    return true;
  }

  /** Until nothing more happens. */
  settle(): void {
    for (let turns = 0; this.turn(); turns += 1) if (turns > 1_000_000) throw new Error('it never settles');
  }

  joinAll(lockspace: string): void {
    for (const id of this.players.keys()) this.input(id, { kind: 'joinLockspace', lockspace, config: this.config });
    this.settle();
  }

  standing(lockspace: string): string {
    return [...this.players].map(([id, { node }]) => `n${id}: ${node.stack(lockspace)?.standing ?? 'out'}`).join(', ');
  }
}

/**
 * Where a turn's effects are collected, in the order they were asked for.
 *
 * There is one outbox a node. The rooms push; the driver takes everything when
 * the turn is over. Nothing is carried out while the turn runs.
 */

/** The side of an outbox that the rooms see. */
export interface Outlet<Effect> {
  push(effect: Effect): void;
}

/** Most turns have one effect, so the first one needs no list. */
export class Outbox<Effect> implements Outlet<Effect> {
  #first: Effect | null = null;
  /** All of them, from the second on. */
  #all: Effect[] | null = null;

  push(effect: Effect): void {
    if (this.#first === null) this.#first = effect;
    else if (this.#all === null) this.#all = [this.#first, effect];
    else this.#all.push(effect);
  }

  /** Hand over what has been collected and start empty. */
  take(): Effect[] {
    const first = this.#first;
    const all = this.#all;
    if (first === null) return [];
    this.#first = null;
    this.#all = null;
    return all ?? [first];
  }
}

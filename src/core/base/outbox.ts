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

export class Outbox<Effect> implements Outlet<Effect> {
  #effects: Effect[] = [];

  push(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Hand over what has been collected and start empty. */
  take(): Effect[] {
    const taken = this.#effects;
    this.#effects = [];
    return taken;
  }
}

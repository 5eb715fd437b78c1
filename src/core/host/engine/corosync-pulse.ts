/**
 * When a member on corosync must have stopped, unless it hears itself before.
 *
 * A beat goes to all and comes back in its place among all messages. So far its sender
 * was one of them; so it may act for `stopMillis` from when it was **sent**, for the
 * others count from when they heard it, which is later.
 */
import { after, hasCome, present, type Moment } from './moment.js';

/** Beats that have not come back. */
const awaitedMax = 1_024;

export class Pulse {
  readonly #stopMillis: number;
  readonly #sent = new Map<number, Moment>();
  #count = 0;
  #deadline: Moment = { at: Infinity, up: Infinity };

  constructor(stopMillis: number) {
    this.#stopMillis = stopMillis;
  }

  /** On `performance.now()`. */
  get deadline(): number {
    return this.#deadline.at;
  }

  get isOverdue(): boolean {
    return hasCome(this.#deadline);
  }

  /** Do our beats come back? If not, corosync may stand still, and whoever waits for it does too. */
  get isAnswered(): boolean {
    const [oldest] = this.#sent.values();
    return oldest === undefined || present().at - oldest.at < this.#stopMillis / 2;
  }

  /** The number of the next beat, which is sent now. */
  beat(): number {
    this.#count += 1;
    this.#sent.set(this.#count, present());
    if (this.#sent.size > awaitedMax) this.#sent.delete(this.#sent.keys().next().value!);
    return this.#count;
  }

  /** From now on it matters. */
  begin(): void {
    this.#allow(present());
  }

  /** A beat has come back. */
  heard(count: number): void {
    const sent = this.#sent.get(count);
    if (sent === undefined) return;
    for (const earlier of this.#sent.keys()) if (earlier <= count) this.#sent.delete(earlier);
    if (this.#deadline.at < Infinity) this.#allow(sent);
  }

  #allow(from: Moment): void {
    this.#deadline = after(from, this.#stopMillis);
  }
}

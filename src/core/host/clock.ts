/**
 * The node's clock: whole milliseconds since it started, never backwards.
 *
 * A reading costs a tenth of an uncontended lock. When readings crowd, the last one is
 * kept until the turn of the event loop is over: it spares those that follow, and to
 * those who come together the same time is the truer one. To keep it so is worth a dozen
 * readings, so that a turn which reads but a few times does better without. Whoever knows
 * that he will read several times, and when it is over, holds it himself.
 */
import { millis, type Millis } from '../base/ids.js';

/** So many readings within so short a time are a crowd. */
const crowdCount = 16;
const crowdMillis = 0.05;

export class Clock {
  readonly #started = performance.now();
  #kept: Millis | null = null;
  /** Readings since that one. */
  #count = 0;
  #since = 0;
  readonly #forget = (): void => {
    this.#kept = null;
  };

  now(): Millis {
    if (this.#kept !== null) return this.#kept;
    const at = performance.now() - this.#started;
    const reading = millis(Math.floor(at));
    this.#count += 1;
    if (this.#count === crowdCount) {
      if (at - this.#since < crowdMillis) this.#keep(reading);
      this.#count = 0;
      this.#since = at;
    }
    return reading;
  }

  /** From now on it is the same time, until `release`. Not to be nested. */
  hold(): void {
    this.#kept = this.now();
  }

  release(): void {
    this.#kept = null;
  }

  #keep(reading: Millis): void {
    this.#kept = reading;
    setImmediate(this.#forget).unref();
  }
}

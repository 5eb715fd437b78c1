/**
 * The node's clock: whole milliseconds since it started, never backwards.
 *
 * It is read once for everything that happens in one turn of the event loop. A
 * reading costs a tenth of an uncontended lock, and to those who come together
 * the same time is the truer one.
 */
import { millis, type Millis } from '../base/ids.js';

export class Clock {
  readonly #started = performance.now();
  #reading: Millis | null = null;
  readonly #forget = (): void => {
    this.#reading = null;
  };

  now(): Millis {
    if (this.#reading !== null) return this.#reading;
    setImmediate(this.#forget).unref();
    return (this.#reading = millis(Math.floor(performance.now() - this.#started)));
  }
}

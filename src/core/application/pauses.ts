/**
 * When may this node try again what it could not put in order?
 *
 * Asked by recovery-work.ts before a piece of work begins. Where only one node has an application, it is its turn again
 * as soon as it has failed; what fails at once would then be tried without end and without a pause, and everybody told
 * each time. So whoever has failed waits, twice as long each time. Only a node's own attempts count: who has not tried it
 * yet does so at once, and so does an application that has just come, which may be a mended one.
 *
 * What time it is comes in with each call.
 *
 * Kin: dlm_controld repeats failed fencing after a while as well; here see cluster/fencing.ts.
 */
import { earlier, millis, type Millis } from '../base/ids.js';
import type { Failure } from './recovery-work.js';

const pauseMillisFirst = 1_000;
const pauseMillisMax = 32_000;

interface Pause {
  /** How often in vain. */
  readonly count: number;
  /** Null: it is over. */
  readonly until: Millis | null;
}

export class Pauses {
  readonly #pauses = new Map<string, Pause>();

  /** This node has tried it in vain. */
  failed(now: Millis, failure: Failure): void {
    const count = (this.#pauses.get(keyOf(failure))?.count ?? 0) + 1;
    this.#pauses.set(keyOf(failure), { count, until: millis(now + lengthOf(count)) });
  }

  /** How long it waits before it tries again; 0: it may begin. */
  millisBefore(failure: Failure): number {
    const pause = this.#pauses.get(keyOf(failure));
    return pause === undefined || pause.until === null ? 0 : lengthOf(pause.count);
  }

  /** Of the others nobody will be asked again. */
  keepOnly(pending: readonly Failure[]): void {
    const keys = new Set(pending.map(keyOf));
    for (const key of this.#pauses.keys()) if (!keys.has(key)) this.#pauses.delete(key);
  }

  /** Time has passed. True: there may be something to begin. */
  tick(now: Millis): boolean {
    let isOver = false;
    for (const [key, { count, until }] of this.#pauses) {
      if (until === null || until > now) continue;
      this.#pauses.set(key, { count, until: null });
      isOver = true;
    }
    return isOver;
  }

  /** When the next one is over; null: none goes on. */
  get deadline(): Millis | null {
    let next: Millis | null = null;
    for (const { until } of this.#pauses.values()) next = earlier(next, until);
    return next;
  }
}

const lengthOf = (count: number): number => Math.min(pauseMillisFirst * 2 ** (count - 1), pauseMillisMax);

const keyOf = ({ slot, since }: Failure): string => `${slot ?? 'all'} ${since}`;

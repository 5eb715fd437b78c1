/**
 * S15: the number of a generation never comes again: what a life is part of after it has
 * joined is above all that ended before, and so for ever, also when all machines were off.
 */
import type { Life, Recovered, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

interface Before {
  highest: number;
  readonly wasBlackout: boolean;
}

export class Epochs implements Checker {
  readonly property = 'epochs';
  readonly says = 'S15 generations rise, also when everybody is started anew';
  readonly counts = { generations: 0, afterBlackout: 0, withLoss: 0 };
  /** The highest that has ended anywhere, by lockspace. */
  readonly #highest = new Map<string, number>();
  /** What was so before each life joined, or last ended one. */
  readonly #before = new Map<string, Before>();
  readonly #dark = new Set<string>();
  #hasLost = false;

  see(event: SimEvent): void {
    if (event.kind === 'joined') this.#join(event.life, event.lockspace);
    else if (event.kind === 'recovered') this.#judge(event);
    else if (event.kind === 'blackout') {
      for (const lockspace of this.#highest.keys()) this.#dark.add(lockspace);
      this.#hasLost = event.lost.length > 0;
    }
  }

  #join(life: Life, lockspace: string): void {
    this.#before.set(`${life}/${lockspace}`, { highest: this.#highest.get(lockspace) ?? 0, wasBlackout: this.#dark.has(lockspace) });
  }

  #judge({ life, lockspace, generation }: Recovered): void {
    // Without an engine there are none.
    if (generation === 0) return;
    const before = this.#before.get(`${life}/${lockspace}`);
    this.counts.generations += 1;
    if (this.#dark.delete(lockspace) && before?.wasBlackout === true) {
      this.counts.afterBlackout += 1;
      if (this.#hasLost) this.counts.withLoss += 1;
    }
    if (before !== undefined && generation <= before.highest) {
      throw new Violation(this.property, `life ${life} ended generation ${generation} of ${lockspace}, and there was ${before.highest} before`, ['recovered', 'view', 'blackout']);
    }
    if (before !== undefined) before.highest = generation;
    this.#highest.set(lockspace, Math.max(generation, this.#highest.get(lockspace) ?? 0));
  }
}

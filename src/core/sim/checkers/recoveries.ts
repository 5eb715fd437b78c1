/**
 * L3: there are no more recoveries than changes of the members: none begins by itself, and
 * none goes round and round.
 */
import type { Life, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

export class Recoveries implements Checker {
  readonly property = 'recoveries';
  readonly says = 'L3 at most one recovery a view';
  readonly counts = { ended: 0, abandoned: 0 };
  readonly #views = new Map<Life, number>();
  readonly #ended = new Map<string, number>();
  /** Lives that were told of a view and have not recovered since. */
  readonly #isBusy = new Set<Life>();

  see(event: SimEvent): void {
    if (event.kind === 'viewed') this.#follow(event.life);
    else if (event.kind === 'recovered') this.#count(event.life, event.lockspace);
  }

  #follow(life: Life): void {
    this.#views.set(life, (this.#views.get(life) ?? 0) + 1);
    if (this.#isBusy.has(life)) this.counts.abandoned += 1;
    this.#isBusy.add(life);
  }

  #count(life: Life, lockspace: string): void {
    const key = `${life}/${lockspace}`;
    const count = (this.#ended.get(key) ?? 0) + 1;
    this.#ended.set(key, count);
    this.#isBusy.delete(life);
    this.counts.ended += 1;
    const views = this.#views.get(life) ?? 0;
    if (count > views) throw new Violation(this.property, `life ${life} ended ${count} recoveries of ${lockspace} in ${views} views`, ['recovered', 'view']);
  }
}

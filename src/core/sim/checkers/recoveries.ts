/**
 * L2, L3: each change of the members is recovered from, and there are no more recoveries
 * than changes.
 */
import type { Life, Quiet, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

export class Recoveries implements Checker {
  readonly property = 'recoveries';
  readonly says = 'L2 L3 recoveries end, at most one a view';
  readonly counts = { ended: 0, abandoned: 0, audited: 0 };
  readonly #views = new Map<Life, number>();
  readonly #ended = new Map<string, number>();
  /** Lives that were told of a view and have not recovered since. */
  readonly #isBusy = new Set<Life>();

  see(event: SimEvent): void {
    if (event.kind === 'quiet') this.#judge(event);
    else if (event.kind === 'viewed') this.#follow(event.life);
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

  #judge({ audits }: Quiet): void {
    for (const { life, lockspace, isOpen } of audits) {
      this.counts.audited += 1;
      if (!isOpen) throw new Violation(this.property, `life ${life} is still recovering ${lockspace}`, ['recovered', 'view']);
    }
  }
}

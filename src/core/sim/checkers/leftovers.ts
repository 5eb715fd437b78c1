/**
 * L8: when everything has been given back nothing is left, of locks or of resources.
 *
 * The directory's own leftovers are found by directory.ts.
 */
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

export class Leftovers implements Checker {
  readonly property = 'leftovers';
  readonly says = 'L8 when all is given back nothing is left';
  readonly counts = { drained: 0, audits: 0 };

  see(event: SimEvent): void {
    if (event.kind !== 'quiet' || !event.isDrained) return;
    this.counts.drained += 1;
    for (const { life, lockspace, own, mastered, resources } of event.audits) {
      this.counts.audits += 1;
      if (own.length + mastered.length + resources.length === 0) continue;
      const what = `${own.length} locks, ${mastered.length} mastered locks and ${resources.length} resources (${resources[0]?.name})`;
      throw new Violation(this.property, `life ${life} has kept ${what} in ${lockspace} when all was given back`, [`/${resources[0]?.name} `]);
    }
  }
}

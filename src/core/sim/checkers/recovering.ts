/**
 * L2: after each change of the members locks are recovered: when everything is quiet, no
 * recovery goes on. What else follows a failure, resumption.ts looks at.
 */
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

export class Recovering implements Checker {
  readonly property = 'recovering';
  readonly says = 'L2 every recovery of locks ends';
  readonly counts = { audits: 0 };

  see(event: SimEvent): void {
    if (event.kind !== 'quiet') return;
    for (const { life, lockspace, isOpen } of event.audits) {
      this.counts.audits += 1;
      if (!isOpen) throw new Violation(this.property, `life ${life} is still recovering ${lockspace}`, ['recovered', 'view']);
    }
  }
}

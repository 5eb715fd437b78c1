/**
 * S12: of two plain requests that exclude one another the one that was queued first is
 * granted first, also when the master is lost between.
 */
import { compatible, nameOfMode } from '../../lock/mode.js';
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';
import { QueueOrder } from './queue-order.js';

export class Fairness implements Checker {
  readonly property = 'fairness';
  readonly says = 'S12 plain requests that exclude one another are granted in the order of their queue';
  readonly counts = { pairs: 0, acrossRecovery: 0 };
  readonly #order: QueueOrder;

  /** Shown each event before `claims` is. */
  constructor(claims: Claims, orderSurvives = true) {
    this.#order = new QueueOrder(claims, orderSurvives);
  }

  see(event: SimEvent): void {
    const granted = this.#order.see(event);
    if (granted === null) return;
    const { claim, passed, later } = granted;
    const excludes = (other: Claim): boolean => !compatible(other.first.mode, claim.first.mode);
    for (const other of passed) if (excludes(other)) this.#complain(claim, other);
    // Somebody who asked later still waits: the order was at stake, and kept.
    const kept = later.find((one) => excludes(one.claim));
    if (kept === undefined) return;
    this.counts.pairs += 1;
    if (kept.isAcrossDeath) this.counts.acrossRecovery += 1;
  }

  #complain(claim: Claim, other: Claim): never {
    throw new Violation(
      this.property,
      `claim ${claim.id} was granted ${nameOfMode(claim.first.mode)} on ${claim.key} before claim ${other.id}, ` +
        `which waited for ${nameOfMode(other.first.mode)} when it asked`,
      [` ${claim.key} `, `claim ${claim.id} `, `claim ${other.id} `],
    );
  }
}

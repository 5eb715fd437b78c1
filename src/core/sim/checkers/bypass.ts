/**
 * L5: whoever waits with a plain request is let past by no plain request that comes later,
 * not even by one that could hold beside it: those alone pass it who have said that they
 * come out of turn. So nobody starves because others keep coming.
 *
 * Of two that go together the later may hear of it first. So it is judged when everything
 * is quiet: whoever still waits then was not granted before.
 */
import { nameOfMode } from '../../lock/mode.js';
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';
import { QueueOrder, type Granted } from './queue-order.js';

export class Bypass implements Checker {
  readonly property = 'bypass';
  readonly says = 'L5 nobody who comes later passes a plain request that waits';
  readonly counts = { waiting: 0 };
  readonly #order: QueueOrder;
  /** Of each resource the one that was asked for last of all that were granted. */
  readonly #latest = new Map<string, Granted>();

  /** Shown each event before `claims` is. */
  constructor(
    readonly claims: Claims,
    orderSurvives = true,
  ) {
    this.#order = new QueueOrder(claims, orderSurvives);
  }

  see(event: SimEvent): void {
    const granted = this.#order.see(event);
    if (granted !== null && granted.asked > (this.#latest.get(granted.claim.key)?.asked ?? 0)) this.#latest.set(granted.claim.key, granted);
    if (event.kind === 'quiet') for (const claim of this.claims.all()) this.#judge(claim);
  }

  #judge(waiting: Claim): void {
    const since = this.#order.waitsSince(waiting);
    if (since === null) return;
    this.counts.waiting += 1;
    const latest = this.#latest.get(waiting.key);
    if (latest === undefined || latest.asked < since) return;
    const { claim } = latest;
    throw new Violation(
      this.property,
      `claim ${claim.id} was granted ${nameOfMode(claim.first.mode)} on ${claim.key} past claim ${waiting.id}, ` +
        `which waited for ${nameOfMode(waiting.first.mode)} when it asked`,
      [` ${claim.key} `, `claim ${claim.id} `, `claim ${waiting.id} `],
    );
  }
}

/**
 * S4: only in a view with a quorum, as far as a life has been told of views, are locks
 * granted and strengthened, nodes fenced, slots put in order, and recoveries ended.
 */
import type { Completed, Life, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claims } from './claims.js';
import type { Failures } from './failures.js';

export class Quorum implements Checker {
  readonly property = 'quorum';
  readonly says = 'S4 nothing is granted, fenced or put in order without a quorum';
  readonly counts = { views: 0, asked: 0, grants: 0 };

  /** Shown each event before `claims` is, and after `failures` is. */
  constructor(
    readonly claims: Claims,
    readonly failures: Failures,
  ) {}

  see(event: SimEvent): void {
    switch (event.kind) {
      case 'viewed':
        if (!event.isQuorate) this.counts.views += 1;
        break;
      case 'submitted':
        if (this.failures.viewOf(event.life) > 0 && !this.failures.isQuorate(event.life) && event.operation !== 'unlock') this.counts.asked += 1;
        break;
      case 'completed':
        this.#judgeGrant(event);
        break;
      case 'fenced':
        if (event.state === 'begun') this.#judge(event.life, 'had a node fenced');
        break;
      case 'replay':
        if (event.state === 'begun') this.#judge(event.life, 'put data in order');
        break;
      case 'recovered':
        this.#judge(event.life, 'ended a recovery');
        break;
      default:
    }
  }

  #judgeGrant({ claim: id, life, mode, status }: Completed): void {
    const claim = this.claims.get(id);
    if (claim === null || status !== 'OK' || mode <= claim.told) return;
    this.counts.grants += 1;
    this.#judge(life, `was granted claim ${id}`);
  }

  #judge(life: Life, what: string): void {
    if (this.failures.isQuorate(life)) return;
    throw new Violation(this.property, `life ${life} ${what} outside a view with a quorum`, ['view']);
  }
}

/**
 * S1: locks that owners were told they hold are compatible, whatever nodes they are on.
 *
 * Judged when an owner hears of a grant. The locks of a life count until a view
 * has left it out; what happens to the owners of a life that is out counts for
 * nothing, since nobody can tell them. Orphans count: they exclude like any lock.
 */
import { NL, compatible, nameOfMode } from '../../lock/mode.js';
import type { SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claims } from './claims.js';

export class Exclusion implements Checker {
  readonly property = 'exclusion';
  readonly says = 'S1 all granted locks of live owners are compatible';
  /** Grants beside others; grants that exclude a mode granted before to another node. */
  readonly counts = { grants: 0, beside: 0 };

  constructor(readonly claims: Claims) {}

  see(event: SimEvent): void {
    if (event.kind !== 'completed' && event.kind !== 'adopted') return;
    const claim = this.claims.get(event.claim);
    if (claim === null || claim.mode <= NL || !this.claims.isLive(claim.life)) return;

    this.counts.grants += 1;
    for (const other of this.claims.on(claim.key)) {
      if (other === claim || other.mode < NL || !this.claims.isLive(other.life)) continue;
      if (other.life !== claim.life) this.counts.beside += 1;
      if (compatible(other.mode, claim.mode)) continue;
      throw new Violation(
        this.property,
        `claim ${claim.id} of life ${claim.life} was granted ${nameOfMode(claim.mode)} on ${claim.key} ` +
          `while claim ${other.id} of life ${other.life} holds ${nameOfMode(other.mode)}`,
        [` ${claim.key} `, `claim ${claim.id} `, `claim ${other.id} `],
      );
    }
  }
}

/**
 * S12, L5: of two plain requests that exclude one another the one that was queued
 * first is granted first, also when the master is lost between.
 *
 * By a law under which the order does not survive the master (`orderSurvives`), what was
 * known of it counts until the next recovery ends.
 *
 * Who was queued first is certain if one was known to be in the queue before the
 * other asked. Plain requests have none of the flags that change the order.
 */
import { Flag } from '../../lock/flags.js';
import { IV, compatible, nameOfMode } from '../../lock/mode.js';
import type { ClaimId, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';

const orderFlags = Flag.HEADQUE | Flag.NOORDER | Flag.EXPEDITE | Flag.ALTPR | Flag.ALTCW;

export class Fairness implements Checker {
  readonly property = 'fairness';
  readonly says = 'S12 L5 plain requests are granted in the order of their queue';
  readonly counts = { pairs: 0, acrossRecovery: 0 };
  #order = 0;
  /** When each waiting request was known to wait. */
  readonly #waits = new Map<ClaimId, number>();
  readonly #asked = new Map<ClaimId, number>();
  #lastDeath = 0;

  /** Shown each event before `claims` is. */
  constructor(
    readonly claims: Claims,
    readonly orderSurvives = true,
  ) {}

  see(event: SimEvent): void {
    this.#order += 1;
    if (!this.orderSurvives && (event.kind === 'decided' || event.kind === 'recovered')) this.#waits.clear();
    if (event.kind === 'submitted' && event.operation === 'lock') this.#asked.set(event.claim, this.#order);
    else if (event.kind === 'queued') this.#noteWait(event.claim);
    else if (event.kind === 'decided' && event.gone.length > 0) this.#lastDeath = this.#order;
    else if (event.kind === 'completed') this.#judge(event.claim, event.status === 'OK');
  }

  #noteWait(id: ClaimId): void {
    const claim = this.claims.get(id);
    if (claim !== null && claim.told === IV && isPlain(claim)) this.#waits.set(id, this.#order);
  }

  #judge(id: ClaimId, isGranted: boolean): void {
    const claim = this.claims.get(id);
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    this.#waits.delete(id);
    if (claim === null || claim.isEnding || asked === undefined || !isGranted || claim.told !== IV || !isPlain(claim)) return;
    if (!this.claims.isLive(claim.life)) return;

    for (const other of this.claims.on(claim.key)) {
      const waits = this.#waits.get(other.id);
      if (waits === undefined || other === claim || !isWaiting(other) || !this.claims.isLive(other.life)) continue;
      if (compatible(other.first.mode, claim.first.mode)) continue;
      if (waits < asked) this.#complain(claim, other);
      if (waits > asked) continue;
    }
    this.#count(claim, asked);
  }

  /** Somebody who asked later still waits: the order was at stake, and kept. */
  #count(claim: Claim, asked: number): void {
    for (const other of this.claims.on(claim.key)) {
      const later = this.#asked.get(other.id);
      if (later === undefined || later < asked || compatible(other.first.mode, claim.first.mode)) continue;
      this.counts.pairs += 1;
      if (this.#lastDeath > later) this.counts.acrossRecovery += 1;
      return;
    }
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

function isPlain(claim: Claim): boolean {
  return (claim.first.flags & orderFlags) === 0;
}

function isWaiting(claim: Claim): boolean {
  return claim.told === IV && claim.pending?.operation === 'lock' && !claim.isCancelling && !claim.isOrphan;
}

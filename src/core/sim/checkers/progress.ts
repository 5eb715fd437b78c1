/**
 * L1, L2, L3, L8: in a healed core everything that was asked for ends, or waits for
 * a holder who lives; recoveries end, and there are no more of them than views; and
 * when everything has been given back nothing is left.
 */
import { Flag } from '../../lock/flags.js';
import { IV, compatible, nameOfMode, type ModeOrNone } from '../../lock/mode.js';
import type { Life, Quiet, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';

export class Progress implements Checker {
  readonly property = 'progress';
  readonly says = 'L1 L2 L3 L8 everything ends or waits for somebody who lives';
  readonly counts = { ended: 0, explained: 0, recoveries: 0, drained: 0 };
  readonly #views = new Map<Life, number>();
  readonly #recoveries = new Map<string, number>();

  constructor(readonly claims: Claims) {}

  see(event: SimEvent): void {
    if (event.kind === 'quiet') this.#judge(event);
    else if (event.kind === 'completed') this.counts.ended += 1;
    else if (event.kind === 'viewed') this.#views.set(event.life, (this.#views.get(event.life) ?? 0) + 1);
    else if (event.kind === 'recovered') this.#countRecovery(event.life, event.lockspace);
  }

  #countRecovery(life: Life, lockspace: string): void {
    const key = `${life}/${lockspace}`;
    const count = (this.#recoveries.get(key) ?? 0) + 1;
    this.#recoveries.set(key, count);
    this.counts.recoveries += 1;
    const views = this.#views.get(life) ?? 0;
    if (views > 0 && count > views) throw new Violation(this.property, `life ${life} ended ${count} recoveries of ${lockspace} in ${views} views`);
  }

  #judge({ audits, isDrained }: Quiet): void {
    for (const { life, lockspace, isOpen } of audits) {
      if (!isOpen) throw new Violation(this.property, `life ${life} is still recovering ${lockspace}`, ['recovered', 'view']);
    }
    const core = new Set(audits.map(({ life }) => life));
    for (const claim of this.claims.all()) if (core.has(claim.life)) this.#judgeClaim(claim);
    if (!isDrained) return;
    this.counts.drained += 1;
    for (const { life, lockspace, own, mastered, resources } of audits) {
      if (own.length + mastered.length + resources.length === 0) continue;
      const what = `${own.length} locks, ${mastered.length} mastered locks and ${resources.length} resources (${resources[0]?.name})`;
      throw new Violation(this.property, `life ${life} has kept ${what} in ${lockspace} when all was given back`, [`/${resources[0]?.name} `]);
    }
  }

  #judgeClaim(claim: Claim): void {
    const { pending } = claim;
    if (pending === null || claim.isOrphan) return;
    const isWaiting = pending.operation === 'lock' || pending.operation === 'convert';
    if (isWaiting && !claim.isCancelling && [...this.claims.on(claim.key)].some((other) => this.#explains(other, claim))) {
      this.counts.explained += 1;
      return;
    }
    const what = claim.isCancelling ? 'cancelled' : pending.operation;
    throw new Violation(
      this.property,
      `claim ${claim.id} of life ${claim.life} waits for the end of its ${what} (${nameOfMode(pending.mode)}, ` +
        `held ${nameOfMode(claim.told)}) on ${claim.key}, and nobody is in the way`,
      [` ${claim.key} `, `claim ${claim.id} `],
    );
  }

  /** Is this one in the way, as a holder or as one who waits before it? */
  #explains(other: Claim, claim: Claim): boolean {
    if (other === claim || !this.claims.isLive(other.life)) return false;
    // What such an orphan really holds nobody was told.
    if (other.isDoubtful) return true;
    const asked = claim.pending!.mode;
    if (!compatible(other.told, asked)) return true;
    // It said that it would rather wait than be told so: behind one that waits for it.
    const isOfOwnWill = (claim.pending!.flags & Flag.NODLCKWT) !== 0 && other.pending?.operation === 'convert';
    if (isOfOwnWill && !compatible(claim.told, other.pending!.mode)) return true;
    // Conversions go before requests; which of two of a kind came first only the master knows.
    const isBefore = claim.told === IV || other.pending?.operation === 'convert';
    return isBefore && other.pending !== null && !compatible(this.#strongestOn(claim.key), other.pending.mode);
  }

  /** The most that anybody holds there. */
  #strongestOn(key: string): ModeOrNone {
    let strongest: ModeOrNone = IV;
    for (const { told, life } of this.claims.on(key)) if (this.claims.isLive(life) && told > strongest) strongest = told;
    return strongest;
  }
}

/**
 * L1: in a healed core everything that was asked for ends, or waits for a holder who lives.
 * That no two conversions wait for each other, deadlocks.ts looks at.
 *
 * Of two who wait the master knows who is before the other; as it is looked at, so do we.
 */
import { Flag } from '../../lock/flags.js';
import { IV, compatible, nameOfMode, type ModeOrNone } from '../../lock/mode.js';
import type { Audit } from '../audit.js';
import type { Life, Quiet, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';

export class Progress implements Checker {
  readonly property = 'progress';
  readonly says = 'L1 everything ends or waits for somebody who lives';
  readonly counts = { ended: 0, explained: 0, suspended: 0 };
  /** Of each lock where it stands on its master, when all is quiet; and the nodes of the lives there. */
  #places = new Map<string, number>();
  #nodes = new Map<Life, number>();

  constructor(readonly claims: Claims) {}

  see(event: SimEvent): void {
    if (event.kind === 'quiet') this.#judge(event);
    else if (event.kind === 'completed') this.counts.ended += 1;
  }

  #judge({ audits }: Quiet): void {
    const core = new Set(audits.map(({ life }) => life));
    // Where applications are suspended nothing is granted; whether they may be, resumption.ts says.
    const suspended = new Set(audits.filter(({ isSuspended }) => isSuspended).map(({ lockspace }) => lockspace));
    this.#locate(audits);
    for (const claim of this.claims.all()) if (core.has(claim.life)) this.#judgeClaim(claim, suspended.has(claim.first.lockspace));
  }

  #locate(audits: readonly Audit[]): void {
    this.#nodes = new Map(audits.map(({ life, node }) => [life, node]));
    this.#places = new Map();
    for (const { lockspace, mastered } of audits) {
      for (const [place, { resource, holder, holderLkid }] of mastered.entries()) this.#places.set(`${lockspace}/${resource}:${holder}:${holderLkid}`, place);
    }
  }

  /** Does it stand before the other? Which is not known counts as before. */
  #isAhead(other: Claim, claim: Claim): boolean {
    const place = ({ key, life, lkid }: Claim): number | undefined => this.#places.get(`${key}:${this.#nodes.get(life)}:${lkid}`);
    const [one, second] = [place(other), place(claim)];
    return one === undefined || second === undefined || one < second;
  }

  #judgeClaim(claim: Claim, isSuspended: boolean): void {
    const { pending } = claim;
    if (pending === null || claim.isOrphan) return;
    const isWaiting = pending.operation === 'lock' || pending.operation === 'convert';
    if (isWaiting && !claim.isCancelling && [...this.claims.on(claim.key)].some((other) => this.#explains(other, claim))) {
      this.counts.explained += 1;
      return;
    }
    if (isWaiting && !claim.isCancelling && isSuspended) {
      this.counts.suspended += 1;
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
    // Conversions go before requests.
    const isBefore = claim.told === IV || (other.pending?.operation === 'convert' && !waitsFor(other, claim));
    return isBefore && this.#isAhead(other, claim) && other.pending !== null && this.#isInTheWay(claim.key, other.pending.mode, [claim, other]);
  }

  /** Does anybody but these hold a mode there that excludes it? */
  #isInTheWay(key: string, mode: ModeOrNone, but: readonly Claim[]): boolean {
    for (const holder of this.claims.on(key)) {
      if (!but.includes(holder) && this.claims.isLive(holder.life) && !compatible(holder.told, mode)) return true;
    }
    return false;
  }
}

/** Does a conversion wait for the mode that another keeps? What that one offered to give up it may not have any more. */
export function waitsFor({ pending }: Claim, { told, pending: own }: Claim): boolean {
  return (own!.flags & Flag.CONVDEADLK) === 0 && !compatible(told, pending!.mode);
}

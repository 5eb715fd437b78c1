/**
 * S17: a conversion ends in the mode it asked for, or leaves the lock in the mode it had,
 * also when the master is lost meanwhile; and no lock is in a mode that its owner was not
 * told of.
 *
 * An alternative mode is told as such. Whoever offered to give up his mode (CONVDEADLK)
 * may have lost it, and learns of it when his conversion ends; so may a conversion between PR and
 * CW, or one that would have done with another mode, have left only what both have, if it was taken back.
 */
import type { Lkid } from '../../base/ids.js';
import { Flag, Result } from '../../lock/flags.js';
import { NL, isDown, nameOfMode, type ModeOrNone } from '../../lock/mode.js';
import type { Audit } from '../audit.js';
import type { ClaimId, Completed, Life, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import { keptBy, type Claim, type Claims } from './claims.js';

export class Conversions implements Checker {
  readonly property = 'conversions';
  readonly says = 'S17 a conversion ends in the old mode or in the new one';
  readonly counts = { ended: 0, kept: 0, acrossRecovery: 0, audited: 0 };
  /** Conversions that were under way when their node ended a recovery. */
  readonly #across = new Set<ClaimId>();

  /** Shown each event before `claims` is. */
  constructor(readonly claims: Claims) {}

  see(event: SimEvent): void {
    if (event.kind === 'recovered') this.#note(event.life, event.lockspace);
    else if (event.kind === 'completed') this.#judge(event);
    else if (event.kind === 'quiet') for (const audit of event.audits) this.#judgeAudit(audit);
  }

  #note(life: Life, lockspace: string): void {
    for (const { id, first, pending } of this.claims.of(life)) {
      if (first.lockspace === lockspace && pending?.operation === 'convert') this.#across.add(id);
    }
  }

  #judge(event: Completed): void {
    const claim = this.claims.get(event.claim);
    const wasAcross = this.#across.delete(event.claim);
    const call = claim?.pending?.operation === 'unlock' ? claim.overtaken : claim?.pending;
    if (claim === null || call?.operation !== 'convert' || event.status === 'EUNLOCK') return;
    if (wasAcross) this.counts.acrossRecovery += 1;
    if (event.status === 'OK') {
      this.counts.ended += 1;
      const isRight = event.mode === call.mode || (event.results & Result.ALTMODE) !== 0;
      if (!isRight) this.#complain(claim, `asked for ${nameOfMode(call.mode)} and was granted ${nameOfMode(event.mode)}`);
    } else {
      this.counts.kept += 1;
      const isRight = event.mode === claim.told || mayBeLess(claim, event.mode);
      if (!isRight) this.#complain(claim, `held ${nameOfMode(claim.told)}, and after ${event.status} it holds ${nameOfMode(event.mode)}`);
    }
  }

  #judgeAudit({ life, lockspace, own }: Audit): void {
    const known = new Map<Lkid, Claim>();
    for (const claim of this.claims.of(life)) if (claim.lkid !== null && claim.first.lockspace === lockspace) known.set(claim.lkid, claim);
    for (const { lkid, granted } of own) {
      const claim = known.get(lkid);
      if (claim === undefined) continue;
      this.counts.audited += 1;
      if (claim.told !== granted && !mayBeLess(claim, granted)) {
        this.#complain(claim, `is granted ${nameOfMode(granted)}, and its owner was told ${nameOfMode(claim.told)}`);
      }
    }
  }

  #complain(claim: Claim, what: string): never {
    throw new Violation(this.property, `claim ${claim.id} on ${claim.key} ${what}`, [` ${claim.key} `, `claim ${claim.id} `]);
  }
}

/**
 * Nobody is told what an orphan got that was waiting; who offered to give up his mode is told when his conversion ends, and
 * who took one back that a lost master may have granted, and that would have given something up.
 */
function mayBeLess({ isDoubtful, isCancelling, told, pending, overtaken }: Claim, granted: ModeOrNone): boolean {
  const offers = (call: Claim['pending']): boolean => {
    if (call?.operation !== 'convert') return false;
    const gaveUp = (call.flags & Flag.CONVDEADLK) !== 0 && granted === NL;
    return gaveUp || (isCancelling && !isDown(told, call.mode) && granted === keptBy(told, call.mode, call.flags & ~Flag.CONVDEADLK));
  };
  return isDoubtful || offers(pending) || offers(overtaken);
}

/**
 * S10: whoever is in the way of somebody who waits has been told so, since the grant that put it there.
 *
 * Judged when everything is quiet. Who said that nobody listens is told nothing, and an
 * orphan has nobody to be told.
 */
import type { Lkid } from '../../base/ids.js';
import { IV, compatible, nameOfMode, type Mode } from '../../lock/mode.js';
import type { Audit, LockAudit } from '../audit.js';
import type { ClaimId, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';
import { byLockspace } from './masters.js';

export class Notices implements Checker {
  readonly property = 'notices';
  readonly says = 'S10 whoever is in the way of somebody who waits was told so';
  readonly counts = { inTheWay: 0, deaf: 0 };
  /** Who was told since its latest grant. */
  readonly #told = new Set<ClaimId>();

  constructor(readonly claims: Claims) {}

  see(event: SimEvent): void {
    if (event.kind === 'blocked') this.#told.add(event.claim);
    else if (event.kind === 'adopted' || (event.kind === 'completed' && event.status === 'OK')) this.#told.delete(event.claim);
    else if (event.kind === 'quiet') for (const audits of byLockspace(event.audits)) this.#judge(audits);
  }

  #judge(audits: readonly Audit[]): void {
    const owners = new Map<string, Claim>();
    for (const { life, node, lockspace } of audits) {
      for (const claim of this.claims.of(life)) if (claim.lkid !== null && claim.first.lockspace === lockspace) owners.set(homeOf(node, claim.lkid), claim);
    }
    for (const audit of audits) {
      const waiting = audit.mastered.filter(({ requested }) => requested !== IV);
      for (const lock of audit.mastered) {
        const blocked = lock.requested === IV ? waiting.find(({ resource, requested }) => resource === lock.resource && !compatible(lock.granted, requested)) : undefined;
        const claim = owners.get(homeOf(lock.holder, lock.holderLkid));
        if (blocked !== undefined && claim !== undefined) this.#judgeLock(audit, lock, claim, blocked);
      }
    }
  }

  #judgeLock({ lockspace }: Audit, lock: LockAudit, claim: Claim, blocked: LockAudit): void {
    if (claim.isOrphan || claim.pending !== null) return;
    if (claim.isDeaf) {
      this.counts.deaf += 1;
      return;
    }
    this.counts.inTheWay += 1;
    if (this.#told.has(claim.id)) return;
    const name = `${lockspace}/${lock.resource}`;
    const waits = `lock ${blocked.holderLkid} of node ${blocked.holder} waits for ${nameOfMode(blocked.requested)}`;
    throw new Violation(this.property, `claim ${claim.id} holds ${nameOfMode(lock.granted as Mode)} on ${name} and was not told that ${waits}`, [` ${name} `]);
  }
}

const homeOf = (node: number, lkid: Lkid): string => `${node}:${lkid}`;

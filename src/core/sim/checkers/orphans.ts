/**
 * S14: nothing is left of owners who have ended but their orphans, and nothing of
 * nodes that are gone; and every lock that a node has is one that an owner knows of.
 *
 * An orphan has the mode that its owner was told of when he ended, or what that one could
 * be sure of while he asked for another. What a master elsewhere has granted meanwhile is on its way.
 */
import type { Lkid } from '../../base/ids.js';
import { nameOfMode } from '../../lock/mode.js';
import type { Audit, LockAudit } from '../audit.js';
import type { LeftBehind, Quiet, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';

export class Orphans implements Checker {
  readonly property = 'orphans';
  readonly says = 'S14 no lock outlives its owner or node, but as an orphan';
  readonly counts = { locks: 0, orphans: 0, owners: 0, waited: 0, deadLives: 0 };

  constructor(readonly claims: Claims) {}

  see(event: SimEvent): void {
    if (event.kind === 'quiet') this.#judge(event);
    else if (event.kind === 'decided') this.counts.deadLives += event.gone.length;
    else if (event.kind === 'abandoned' && event.why === 'ownerEnded') this.counts.owners += 1;
    else if (event.kind === 'leftBehind') this.#judgeMode(event);
  }

  /** Its owner has just ended: is it in a mode that he was never told of? */
  #judgeMode({ claim: id, mode }: LeftBehind): void {
    const claim = this.claims.get(id);
    if (claim === null || !this.claims.isLive(claim.life)) return;
    if (claim.isDoubtful) this.counts.waited += 1;
    if (mode === claim.told || (claim.isDoubtful && mode === claim.mode)) return;
    throw new Violation(this.property, `claim ${id} of life ${claim.life} on ${claim.key} is left behind in ${nameOfMode(mode)}, and its owner was told ${nameOfMode(claim.told)}`, [
      ` ${claim.key} `,
      `claim ${id} `,
    ]);
  }

  #judge({ audits }: Quiet): void {
    for (const audit of audits) {
      const known = new Map<Lkid, Claim>();
      for (const claim of this.claims.of(audit.life)) {
        if (claim.lkid !== null && claim.first.lockspace === audit.lockspace) known.set(claim.lkid, claim);
      }
      for (const lock of audit.own) this.#judgeLock(audit, lock, known.get(lock.lkid) ?? null);
      const present = new Set(audits.filter(({ lockspace }) => lockspace === audit.lockspace).map(({ node }) => node));
      const ghost = audit.mastered.find(({ holder }) => !present.has(holder));
      if (ghost !== undefined) this.#complain(audit, ghost, 'is there although its node is gone');
    }
  }

  #judgeLock(audit: Audit, lock: LockAudit, claim: Claim | null): void {
    this.counts.locks += 1;
    if (lock.isOrphan) this.counts.orphans += 1;
    if (lock.owner === null) return;
    const isSame = claim !== null && claim.first.resource === lock.resource && claim.isOrphan === lock.isOrphan;
    if (!isSame || claim.first.owner !== lock.owner) {
      this.#complain(audit, lock, lock.isOrphan ? 'is an orphan that nobody left' : 'is held for an owner who knows nothing of it');
    }
  }

  #complain(audit: Audit, lock: LockAudit, what: string): never {
    const name = `${audit.lockspace}/${lock.resource}`;
    throw new Violation(this.property, `lock ${lock.holderLkid} of node ${lock.holder} on ${name} (life ${audit.life}) ${what}`, [` ${name} `]);
  }
}

/**
 * L6: no two conversions wait for each other. One of them is told so at once (EDEADLK), or
 * has given up its mode (CONVDEADLK); but for one that would rather wait (NODLCKWT).
 *
 * It is judged as soon as both are known to stand in the queue, and of what a recovery has
 * put there anew when everything is quiet.
 */
import { Flag } from '../../lock/flags.js';
import { nameOfMode } from '../../lock/mode.js';
import type { ClaimId, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';
import { waitsFor } from './progress.js';

/** Whoever would also do with another mode may have been granted that, and not have heard it yet. */
const otherwiseFlags = Flag.NODLCKWT | Flag.ALTPR | Flag.ALTCW;

export class Deadlocks implements Checker {
  readonly property = 'deadlocks';
  readonly says = 'L6 no two conversions wait for each other';
  readonly counts = { told: 0, pairs: 0 };
  /** Conversions known to stand in the queue of a master that lives. */
  readonly #queued = new Set<ClaimId>();

  constructor(readonly claims: Claims) {}

  see(event: SimEvent): void {
    if (event.kind === 'queued') this.#noteQueued(event.claim);
    else if (event.kind === 'submitted') this.#queued.delete(event.claim);
    else if (event.kind === 'decided') this.#queued.clear();
    else if (event.kind === 'completed') {
      this.#queued.delete(event.claim);
      if (event.status === 'EDEADLK') this.counts.told += 1;
    } else if (event.kind === 'quiet') {
      const core = new Set(event.audits.map(({ life }) => life));
      for (const claim of this.claims.all()) if (core.has(claim.life)) this.#judge(claim, (other) => core.has(other.life));
    }
  }

  #noteQueued(id: ClaimId): void {
    const claim = this.claims.get(id);
    // Who is out of the view may be his own master.
    if (claim === null || !isConverting(claim) || !this.claims.isLive(claim.life)) return;
    this.#queued.add(id);
    this.#judge(claim, (other) => this.#queued.has(other.id));
  }

  #judge(claim: Claim, isThere: (other: Claim) => boolean): void {
    if (!isConverting(claim)) return;
    for (const other of this.claims.on(claim.key)) {
      if (other === claim || !isConverting(other) || !isThere(other)) continue;
      this.counts.pairs += 1;
      if (waitsFor(claim, other) && waitsFor(other, claim)) this.#complain(claim, other);
    }
  }

  #complain(claim: Claim, other: Claim): never {
    const words = ({ id, told, pending }: Claim): string => `claim ${id} (${nameOfMode(told)} to ${nameOfMode(pending!.mode)})`;
    throw new Violation(this.property, `${words(claim)} and ${words(other)} on ${claim.key} wait for each other`, [` ${claim.key} `, `claim ${claim.id} `, `claim ${other.id} `]);
  }
}

/** Does it wait for its conversion, and would be told of a deadlock? What an orphan holds, nobody was told. */
function isConverting({ pending, isOrphan, isDoubtful, isCancelling }: Claim): boolean {
  return pending?.operation === 'convert' && !isOrphan && !isDoubtful && !isCancelling && (pending.flags & otherwiseFlags) === 0;
}

/**
 * Who of the plain requests is known to have been queued before another one was asked for.
 *
 * That is certain if one was known to be in the queue before the other asked. Plain
 * requests have none of the flags that change the order. By a law under which the order
 * does not survive the master (`orderSurvives`), what was known of it counts until the next
 * recovery ends. Fairness and bypass judge by it.
 */
import { Flag, recoveryMark } from '../../lock/flags.js';
import { IV } from '../../lock/mode.js';
import type { ClaimId, SimEvent } from '../event.js';
import type { Claim, Claims } from './claims.js';

const orderFlags = Flag.HEADQUE | Flag.NOORDER | Flag.EXPEDITE | Flag.ALTPR | Flag.ALTCW | recoveryMark;

export class QueueOrder {
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

  /** Returns the plain request that has been granted with this event, and those that wait on its resource. */
  see(event: SimEvent): Granted | null {
    this.#order += 1;
    if (!this.orderSurvives && (event.kind === 'decided' || event.kind === 'recovered')) this.#waits.clear();
    if (event.kind === 'submitted' && event.operation === 'lock') this.#asked.set(event.claim, this.#order);
    else if (event.kind === 'queued') this.#noteWait(event.claim);
    else if (event.kind === 'decided' && event.gone.length > 0) this.#lastDeath = this.#order;
    else if (event.kind === 'completed') return this.#granted(event.claim, event.status === 'OK');
    return null;
  }

  /** When it was known to wait; null: it does not, or that is not known. */
  waitsSince(claim: Claim): number | null {
    return isWaiting(claim) && this.claims.isLive(claim.life) ? (this.#waits.get(claim.id) ?? null) : null;
  }

  #noteWait(id: ClaimId): void {
    const claim = this.claims.get(id);
    if (claim !== null && claim.told === IV && isPlain(claim)) this.#waits.set(id, this.#order);
  }

  #granted(id: ClaimId, isGranted: boolean): Granted | null {
    const claim = this.claims.get(id);
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    this.#waits.delete(id);
    if (claim === null || claim.isEnding || asked === undefined || !isGranted || claim.told !== IV || !isPlain(claim)) return null;
    if (!this.claims.isLive(claim.life)) return null;

    const passed: Claim[] = [];
    const later: Later[] = [];
    for (const other of this.claims.on(claim.key)) {
      if (other !== claim && (this.waitsSince(other) ?? Infinity) < asked) passed.push(other);
      const askedLater = this.#asked.get(other.id);
      if (askedLater !== undefined && askedLater >= asked) later.push({ claim: other, isAcrossDeath: this.#lastDeath > askedLater });
    }
    return { claim, asked, passed, later };
  }
}

export interface Granted {
  readonly claim: Claim;
  /** When. */
  readonly asked: number;
  /** Those who were known to wait before it was asked for, and still do. */
  readonly passed: readonly Claim[];
  /** Those who were asked for later and are not granted. */
  readonly later: readonly Later[];
}

interface Later {
  readonly claim: Claim;
  /** Somebody has died since. */
  readonly isAcrossDeath: boolean;
}

function isPlain(claim: Claim): boolean {
  return (claim.first.flags & orderFlags) === 0;
}

function isWaiting(claim: Claim): boolean {
  return claim.told === IV && claim.pending?.operation === 'lock' && !claim.isCancelling && !claim.isOrphan;
}

/**
 * S10: each accepted call ends exactly once, and nobody hears of a lock that has ended.
 *
 * A cancel ends with what it takes back and has no end of its own; an unlock ends
 * whatever the lock was waiting for as well. What is said to an owner who has ended
 * reaches nobody, and is only counted; but what had not even been begun when he ended is
 * not begun for nobody. A blocking callback is for a lock
 * that is granted in a mode which is in the way.
 */
import type { Status } from '../../base/status.js';
import { Flag } from '../../lock/flags.js';
import { defaultLaw, type Law } from '../../lock/law.js';
import { IV, NL, compatible, isDown, nameOfMode } from '../../lock/mode.js';
import type { Blocked, ClaimId, Completed, SimEvent, Submitted } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';

export class Pairing implements Checker {
  readonly property = 'pairing';
  readonly says = 'S10 each accepted call completes once, none after its end';
  readonly counts = { completions: 0, blockings: 0, cancelled: 0, deadlocksEnded: 0, unlockedWhilePending: 0, silenced: 0, late: 0, neverBegun: 0 };
  /** Calls that have led to nothing yet, since locking has stopped. */
  readonly #parked = new Map<ClaimId, Submitted>();
  /** Of these the owner has ended. */
  readonly #neverBegun = new Set<ClaimId>();
  /** How a cancel shall be called. */
  readonly #statuses = new Map<ClaimId, Status>();

  /** Shown each event before `claims` is. */
  constructor(
    readonly claims: Claims,
    readonly law: Law = defaultLaw,
  ) {}

  see(event: SimEvent): void {
    this.#noteBeginning(event);
    if ('claim' in event && event.kind !== 'submitted' && this.claims.isOwnerless(event.claim)) this.counts.late += 1;
    else if (event.kind === 'completed') this.#judgeEnd(event);
    else if (event.kind === 'blocked') this.#judgeBlocking(event);
    else if (event.kind === 'waits' && this.claims.isLive(event.life)) this.#known(event.claim, 'waits');
    else if (event.kind === 'abandoned') this.counts.silenced += this.#pendingIn([...event.orphans, ...event.ended]);
  }

  /** A call leads to something in its own turn, unless it has to wait until locking goes on. */
  #noteBeginning(event: SimEvent): void {
    if (event.kind === 'submitted') {
      if (event.operation === 'cancel') this.#statuses.set(event.claim, event.status ?? 'ECANCEL');
      else if (event.operation === 'lock' || (event.operation === 'convert' && this.#takes(event))) this.#parked.set(event.claim, event);
      else this.#parked.delete(event.claim);
    } else if (event.kind === 'waits' || event.kind === 'completed' || event.kind === 'refused') {
      this.#parked.delete(event.claim);
      if (event.kind !== 'refused' && this.#neverBegun.has(event.claim)) this.#complain(event.claim, 'was begun for an owner who had ended');
    } else if (event.kind === 'abandoned') {
      for (const id of [...event.orphans, ...event.ended]) if (this.#parked.delete(id) && event.why === 'ownerEnded') this.#forgo(id);
    }
  }

  #forgo(id: ClaimId): void {
    this.counts.neverBegun += 1;
    this.#neverBegun.add(id);
  }

  /** Does a conversion ask for more? Less is given back for whoever has ended, too; and by the kernel's law one may say that the lock outlives him. */
  #takes({ claim: id, mode }: Submitted): boolean {
    const told = this.claims.get(id)?.told ?? IV;
    return this.law.persistentStays && told !== mode && !isDown(told, mode);
  }

  #pendingIn(ids: readonly ClaimId[]): number {
    return ids.filter((id) => (this.claims.get(id)?.pending ?? null) !== null).length;
  }

  #known(id: ClaimId, what: string): Claim {
    const claim = this.claims.get(id);
    if (claim === null) this.#complain(id, `${what} after its end`);
    return claim;
  }

  #judgeEnd(event: Completed): void {
    const claim = this.claims.get(event.claim);
    // The claims of a life that is out are forgotten; it may still talk to its own.
    if (claim === null && !this.claims.isLive(event.life)) return;
    const known = this.#known(event.claim, `completed ${event.status}`);
    this.counts.completions += 1;
    const { pending } = known;
    if (pending === null) this.#complain(known.id, `completed ${event.status} although nothing was asked`);
    if (event.status === 'EUNLOCK') {
      if (pending.operation !== 'unlock') this.#complain(known.id, 'ended although nobody unlocked it');
      if (event.mode >= NL) this.#complain(known.id, `unlocked and yet holds ${nameOfMode(event.mode)}`);
      return;
    }
    if (pending.operation === 'unlock') this.counts.unlockedWhilePending += 1;
    if (event.status === 'EDEADLK' && known.isCancelling && this.#statuses.get(known.id) === 'EDEADLK') this.counts.deadlocksEnded += 1;
    if (event.status === 'ECANCEL') {
      this.counts.cancelled += 1;
      if (known.isCancelling && pending.operation !== 'unlock' && this.#statuses.get(known.id) !== 'ECANCEL') this.#complain(known.id, 'was cancelled to end a deadlock, and not told so');
      if (!known.isCancelling && pending.operation !== 'unlock') this.#complain(known.id, 'cancelled although nobody cancelled it');
    }
    this.#judgeMode(event.status, known, event);
  }

  #judgeMode(status: Status, claim: Claim, { mode }: Completed): void {
    if (status === 'OK' ? mode < NL : mode > claim.told) {
      this.#complain(claim.id, `completed ${status} and holds ${nameOfMode(mode)}, before ${nameOfMode(claim.told)}`);
    }
  }

  #judgeBlocking(event: Blocked): void {
    if (this.claims.get(event.claim) === null && !this.claims.isLive(event.life)) return;
    const claim = this.#known(event.claim, 'blocking');
    this.counts.blockings += 1;
    if (claim.isDeaf && (claim.first.flags & Flag.PERSISTENT) === 0) this.#complain(claim.id, 'told that it blocks, though nobody hears it');
    // A callback that crosses with a release or a weaker mode is late, not wrong.
    if (claim.pending === null && compatible(claim.told, event.mode)) {
      this.#complain(claim.id, `told that it blocks ${nameOfMode(event.mode)}, holding ${nameOfMode(claim.told)}`);
    }
  }

  #complain(id: ClaimId, what: string): never {
    throw new Violation(this.property, `claim ${id} ${what}`, [`claim ${id} `]);
  }
}

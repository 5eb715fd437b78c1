/**
 * S6, S15: the tokens of grants that exclude one another rise in the order of the
 * grants, whoever was master, and never repeat.
 *
 * A grant excluded by an earlier one is heard of after it, so the order of hearing
 * is the order of granting. A lock need not get a new token for a conversion that
 * excludes nobody but itself; an adopted one is the lock that it was. A weaker mode
 * keeps the token it has. So does a conversion that ends without a grant, and then nobody
 * has had since what the mode excludes that is kept.
 */
import { EX, NL, compatible, isDown, modes, nameOfMode } from '../../lock/mode.js';
import type { Adopted, ClaimId, Completed, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claims } from './claims.js';

type Token = Pick<Completed, 'generation' | 'mastership' | 'sequence'>;

interface Highest {
  readonly token: Token;
  claim: ClaimId;
}

export class Tokens implements Checker {
  readonly property = 'tokens';
  readonly says = 'S6 S15 tokens of conflicting grants rise and never repeat';
  readonly counts = { conflicting: 0, acrossMasters: 0, acrossGenerations: 0 };
  /** For each resource, the highest token under which each mode was granted. */
  readonly #highest = new Map<string, (Highest | null)[]>();

  /** Shown each event before `claims` is. */
  constructor(readonly claims: Claims) {}

  see(event: SimEvent): void {
    if (event.kind === 'adopted') this.#rename(event);
    if (event.kind === 'completed' && event.status !== 'OK' && event.mode > NL) this.#judgeKept(event);
    if (event.kind !== 'completed' || event.status !== 'OK' || event.mode <= NL) return;
    const claim = this.claims.get(event.claim);
    // A grant that crosses with the unlock of the lock is heard of when others have what it held.
    if (claim === null || claim.isEnding || isDown(claim.told, event.mode) || !this.claims.isLive(claim.life)) return;

    const highest = this.#highest.get(claim.key) ?? new Array<Highest | null>(EX + 1).fill(null);
    this.#highest.set(claim.key, highest);
    for (const mode of modes) {
      const before = highest[mode] ?? null;
      if (before !== null && !compatible(mode, event.mode)) this.#judge(claim.key, before, event);
    }
    const mine = highest[event.mode] ?? null;
    if (mine === null || compare(mine.token, event) < 0) highest[event.mode] = { token: event, claim: event.claim };
  }

  /** A conversion has ended without a grant, in the mode it had or in less. */
  #judgeKept(event: Completed): void {
    const claim = this.claims.get(event.claim);
    if (claim === null || claim.isEnding || !this.claims.isLive(claim.life)) return;
    for (const mode of modes) {
      const other = this.#highest.get(claim.key)?.[mode] ?? null;
      if (other === null || other.claim === event.claim || compatible(mode, event.mode) || compare(other.token, event) < 0) continue;
      throw new Violation(
        this.property,
        `claim ${event.claim} keeps ${nameOfMode(event.mode)} on ${claim.key} with token ${show(event)}, claim ${other.claim} had ${nameOfMode(mode)} since, with ${show(other.token)}`,
        [` ${claim.key} `, `claim ${event.claim} `, `claim ${other.claim} `, 'recovered'],
      );
    }
  }

  #rename({ claim, orphan }: Adopted): void {
    const adopter = this.claims.get(claim);
    const known = adopter === null ? [] : (this.#highest.get(adopter.key) ?? []);
    for (const highest of known) if (highest?.claim === orphan) highest.claim = claim;
  }

  #judge(key: string, before: Highest, event: Completed): void {
    this.counts.conflicting += 1;
    if (before.token.generation !== event.generation) this.counts.acrossGenerations += 1;
    else if (before.token.mastership !== event.mastership) this.counts.acrossMasters += 1;

    const order = compare(before.token, event);
    if (order < 0 || (order === 0 && before.claim === event.claim)) return;
    throw new Violation(
      this.property,
      `claim ${event.claim} was granted ${nameOfMode(event.mode)} on ${key} with token ${show(event)}, ` +
        `claim ${before.claim} before it with ${show(before.token)}`,
      [` ${key} `, `claim ${event.claim} `, `claim ${before.claim} `, 'recovered'],
    );
  }
}

function compare(one: Token, other: Token): number {
  return one.generation - other.generation || one.mastership - other.mastership || one.sequence - other.sequence;
}

function show({ generation, mastership, sequence }: Token): string {
  return `${generation}.${mastership}.${sequence}`;
}

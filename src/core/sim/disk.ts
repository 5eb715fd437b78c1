/**
 * The data that the locks of a world protect: a shared disk to which owners write, each
 * write with the token of its lock.
 *
 * It is kept twice. The checking one takes no write whose token is lower than one that
 * it has taken for that resource; the trusting one takes everything. Neither knows who
 * is alive.
 */
import type { Completed } from './event.js';

/** What a grant is known by: greater than those before it. */
export type Token = Pick<Completed, 'generation' | 'mastership' | 'sequence'>;

export class Disk {
  readonly #highest = new Map<string, Token>();

  /** Does the checking disk take it? */
  write(key: string, token: Token): boolean {
    const highest = this.#highest.get(key);
    if (highest !== undefined && compareTokens(token, highest) < 0) return false;
    this.#highest.set(key, token);
    return true;
  }
}

export function compareTokens(one: Token, other: Token): number {
  return one.generation - other.generation || one.mastership - other.mastership || one.sequence - other.sequence;
}

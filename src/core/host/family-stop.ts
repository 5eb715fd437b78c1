/**
 * Families of processes that must stop because nobody guards their lock any more:
 * TERM, a while to tidy up, KILL; and KILL again until nobody is left.
 *
 * Nobody is told twice to stop within that while, since many a program takes a
 * second TERM for impatience. So a family whose guard has died is told at once,
 * but for a root that the system has told already; and one whose guard may be
 * about to stop it only when that time is over.
 */
import { spawnSync } from 'node:child_process';
import type { ProcessFamily } from './process-family.js';

/** How long a process may tidy up before it is killed. */
export const graceMillis = 5_000;

/** How long a guard that lives takes at most to stop its family. */
const guardMillis = graceMillis + 500;

interface Plan {
  readonly killAt: number;
  /** Null when they have been told. */
  termAt: number | null;
}

export class FamilyStop {
  readonly #plans = new Map<ProcessFamily, Plan>();
  readonly #now: () => number;
  #hasParentDeathSignal: boolean | null = null;

  /** `now`: milliseconds on a clock that does not jump. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Its guard has died. The root of a session was told so by the system, where it can. */
  unguarded(family: ProcessFamily): void {
    if (this.#plans.has(family)) return;
    family.signal('SIGTERM', { root: !family.leads || !this.#systemTells() });
    this.#plans.set(family, { termAt: null, killAt: this.#now() + graceMillis });
  }

  /** Its guard, if there still is one, has reason to stop it. */
  doomed(family: ProcessFamily): void {
    if (this.#plans.has(family)) return;
    const termAt = this.#now() + guardMillis;
    this.#plans.set(family, { termAt, killAt: termAt + graceMillis });
  }

  /** It has gone, or need not go. */
  forget(family: ProcessFamily): void {
    this.#plans.delete(family);
  }

  /** Do what is due. To be called several times a second. */
  look(): void {
    const now = this.#now();
    for (const [family, plan] of this.#plans) {
      if (now >= plan.killAt) {
        family.signal('SIGKILL');
      } else if (plan.termAt !== null && now >= plan.termAt) {
        plan.termAt = null;
        family.signal('SIGTERM');
      }
    }
  }

  /** As the gate of a protected command finds out (src/terminal/run-child.ts). */
  #systemTells(): boolean {
    this.#hasParentDeathSignal ??= spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' }).status === 0;
    return this.#hasParentDeathSignal;
  }
}

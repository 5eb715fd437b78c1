/**
 * Families of processes that must stop because nobody guards their lock any more:
 * TERM, a while to tidy up, KILL; and KILL again until nobody is left.
 *
 * Nobody is told twice to stop within that while, since many a program takes a
 * second TERM for impatience. So when a guard has died its command is not told at
 * once if the system does that; and a family whose guard may be about to stop it
 * is told only when that should be over.
 */
import { wordsForDeathSignal } from './death-signal.js';
import type { ProcessId } from './process-facts.js';
import { graceMillis, type ProcessFamily } from './process-family.js';

/** How long a guard that lives takes at most to stop its family. */
const guardMillis = graceMillis + 500;

interface Step {
  readonly at: number;
  readonly signal: 'SIGTERM' | 'SIGKILL';
  readonly who: 'all' | 'root' | 'others';
}

export class FamilyStop {
  /** What is still to be done; the last step is repeated. */
  readonly #plans = new Map<ProcessFamily, Step[]>();
  /** Who has been told to stop, by pid and starting time, and when; of whom that was more than a grace ago is forgotten. */
  readonly #told = new Map<string, number>();
  readonly #now: () => number;
  #hasParentDeathSignal: boolean | null = null;

  /** `now`: milliseconds on a clock that does not jump. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Its guard has died. */
  unguarded(family: ProcessFamily): void {
    const now = this.#now();
    const plan: Step[] = this.#systemTells()
      ? [
          { at: now, signal: 'SIGTERM', who: 'others' },
          { at: now + graceMillis, signal: 'SIGTERM', who: 'root' },
          { at: now + 2 * graceMillis, signal: 'SIGKILL', who: 'all' },
        ]
      : [
          { at: now, signal: 'SIGTERM', who: 'all' },
          { at: now + graceMillis, signal: 'SIGKILL', who: 'all' },
        ];
    this.#begin(family, plan);
  }

  /** Its guard, if there still is one, has reason to stop it. */
  doomed(family: ProcessFamily): void {
    const now = this.#now() + guardMillis;
    this.#begin(family, [
      { at: now, signal: 'SIGTERM', who: 'all' },
      { at: now + graceMillis, signal: 'SIGKILL', who: 'all' },
    ]);
  }

  /** Its guard has been told to stop it, and nobody waits longer than its grace. */
  overdue(family: ProcessFamily): void {
    this.forget(family);
    this.#begin(family, [{ at: this.#now() + graceMillis, signal: 'SIGKILL', who: 'all' }]);
  }

  /** Its guard lives and cannot stop it. */
  abandoned(family: ProcessFamily): void {
    const now = this.#now();
    this.#begin(family, [
      { at: now, signal: 'SIGTERM', who: 'all' },
      { at: now + graceMillis, signal: 'SIGKILL', who: 'all' },
    ]);
  }

  /** It has gone, or need not go. */
  forget(family: ProcessFamily): void {
    this.#plans.delete(family);
  }

  /** Do what is due. To be called several times a second. */
  look(): void {
    for (const [family, plan] of this.#plans) this.#doWhatIsDue(family, plan);
  }

  #begin(family: ProcessFamily, plan: Step[]): void {
    if (this.#plans.has(family)) return;
    this.#plans.set(family, plan);
    this.#doWhatIsDue(family, plan);
  }

  #doWhatIsDue(family: ProcessFamily, plan: Step[]): void {
    const [step, next] = plan;
    if (step === undefined || step.at > this.#now()) return;
    family.signal(step.signal, step.who, (process) => this.#isNews(process));
    if (next !== undefined) plan.shift();
  }

  /** Somebody can be of several families that have to stop. */
  #isNews({ pid, started }: ProcessId): boolean {
    const now = this.#now();
    for (const [one, at] of this.#told) if (now - at >= graceMillis) this.#told.delete(one);
    const process = `${pid}.${started}`;
    if (this.#told.has(process)) return false;
    this.#told.set(process, now);
    return true;
  }

  /** So whoever started the command has arranged it (src/terminal/run-child.ts). */
  #systemTells(): boolean {
    this.#hasParentDeathSignal ??= wordsForDeathSignal().length > 0;
    return this.#hasParentDeathSignal;
  }
}

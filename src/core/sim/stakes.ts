/**
 * Many runs together: what went wrong in them, and how often each property was at
 * stake.
 */
import type { Report } from './run.js';

type Counts = Record<string, number>;

/** Adds runs up as they come; of the runs themselves, which may be a great many, it keeps nothing. */
export class Tally {
  runs = 0;
  readonly faults: Counts = {};
  readonly stakes: Record<string, Counts> = {};
  steps = 0;
  failures = 0;
  #millis = 0;

  /** Simulated. */
  get hours(): number {
    return this.#millis / 3_600_000;
  }

  add({ steps, simulatedMillis, faults, stakes, failure }: Report): void {
    this.runs += 1;
    this.steps += steps;
    this.#millis += simulatedMillis;
    if (failure !== null) this.failures += 1;
    addUp(this.faults, faults);
    for (const [property, counts] of Object.entries(stakes)) addUp((this.stakes[property] ??= {}), counts);
  }
}

/** The command that makes the same world again. */
export function seedCommand({ seed, options }: Pick<Report, 'seed' | 'options'>): string {
  return `dlm sim run --seed ${seed} --nodes ${options.nodes} --minutes ${options.simMillis / 60_000}`;
}

function addUp(sum: Counts, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
}

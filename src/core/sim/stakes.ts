/**
 * Many runs together: what went wrong in them, and how often each property was at
 * stake.
 */
import type { Report } from './run.js';

type Counts = Record<string, number>;

export interface Sum {
  readonly faults: Readonly<Counts>;
  readonly stakes: Readonly<Record<string, Readonly<Counts>>>;
  readonly steps: number;
  /** Simulated. */
  readonly hours: number;
  readonly failures: number;
}

export function stakesOf(reports: readonly Report[]): Sum {
  const faults: Counts = {};
  const stakes: Record<string, Counts> = {};
  let steps = 0;
  let millis = 0;
  for (const report of reports) {
    steps += report.steps;
    millis += report.simulatedMillis;
    add(faults, report.faults);
    for (const [property, counts] of Object.entries(report.stakes)) add((stakes[property] ??= {}), counts);
  }
  return { faults, stakes, steps, hours: millis / 3_600_000, failures: reports.filter(({ failure }) => failure !== null).length };
}

/** The command that makes the same world again. */
export function seedCommand({ seed, options }: Pick<Report, 'seed' | 'options'>): string {
  return `dlm sim run --seed ${seed} --nodes ${options.nodes} --minutes ${options.simMillis / 60_000}`;
}

function add(sum: Counts, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
}

/**
 * What a kernel answered: one JSON line a step, as described in
 * test/conformance/recordings/README.md.
 */

export type RecordedEvent =
  | { readonly ast: string; readonly status: string; readonly flags?: readonly string[]; readonly lvb?: string }
  | { readonly bast: string; readonly mode: string }
  | { readonly late_rc: string; readonly rc: string };

/** The lock, or the late call, that an event speaks of. */
export function labelOfEvent(event: RecordedEvent): string {
  return 'ast' in event ? event.ast : 'bast' in event ? event.bast : event.late_rc;
}

export interface RecordedResource {
  readonly g?: readonly string[];
  readonly c?: readonly string[];
  readonly w?: readonly string[];
  readonly lvb?: string;
  readonly invalid?: boolean;
  /** The node that decides; of several only. */
  readonly master?: number;
}

/** What one step did. */
export interface Outcome {
  /** Absent where the operation is no call, such as `exit`. */
  readonly rc?: string;
  readonly ev?: readonly RecordedEvent[];
  readonly st?: Readonly<Record<string, RecordedResource>>;
}

export interface RecordedStep extends Outcome {
  readonly s: string;
  readonly i: number;
  readonly op: string;
  /** Other outcomes that other runs of this step had. */
  readonly varies?: readonly Outcome[];
}

/** Read a result file: the steps of each scenario, by its name. */
export function parseRecordings(text: string): Map<string, RecordedStep[]> {
  const scenarios = new Map<string, RecordedStep[]>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const step = JSON.parse(line) as RecordedStep;
    const steps = scenarios.get(step.s);
    if (steps === undefined) scenarios.set(step.s, [step]);
    else steps.push(step);
  }
  return scenarios;
}

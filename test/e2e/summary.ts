/**
 * The one table in which all real runs are summed up: what was done to which cluster, and
 * how long each part of the way back took.
 */
import { DlmError } from '../../src/core/base/errors.js';
import type { RecordedStep, RecoveryRecord } from '../../src/core/host/recovery-record.js';

/** One lockspace's way through one scenario; times in milliseconds, null where there is no such step. */
export interface Row {
  readonly scenario: string;
  readonly engine: string;
  readonly order: string;
  /** From the fault to the view that shows it. */
  readonly detection: number | null;
  readonly fence: number | null;
  readonly dlm: number | null;
  readonly app: number | null;
  /** From the fault to the end of the last step. */
  readonly total: number | null;
  /** What `dlm recover verify` and the checks of the story say. */
  readonly verified: string;
}

const heads = ['scenario', 'engine', 'order', 'detection', 'fence', 'dlm recovery', 'app recovery', 'total', 'verified'] as const;

export class Summary {
  readonly #rows: Row[] = [];
  readonly #remarks: string[] = [];
  #attempted = 0;
  #accepted = 0;

  add(row: Row): void {
    this.#rows.push(row);
  }

  /** A figure that has no column. */
  remark(words: string): void {
    this.#remarks.push(words);
  }

  /** Writes of holders that had lost their lock: how many were tried in all runs, and how many were let in. */
  zombie(attempted: number, accepted: number): void {
    this.#attempted += attempted;
    this.#accepted += accepted;
  }

  text(): string {
    const cells = this.#rows.map((row) => [
      row.scenario, row.engine, row.order, ...[row.detection, row.fence, row.dlm, row.app, row.total].map(seconds), row.verified,
    ]);
    const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((line) => line[at]!.length)));
    const line = (words: readonly string[]): string => words.map((word, at) => word.padEnd(widths[at]!)).join('  ').trimEnd();
    return [line(heads), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line), '', ...this.#remarks, `writes of holders that had lost their lock, at a resource that checks tokens: ${this.#attempted} attempted, ${this.#accepted} let in`].join('\n');
  }
}

const seconds = (millis: number | null): string => (millis === null ? '–' : `${(millis / 1_000).toFixed(2)} s`);

/** As the record tells it. Throws if a step has not ended. */
export function rowOf(record: RecoveryRecord, faultAt: number, names: Pick<Row, 'scenario' | 'engine' | 'verified'>): Row {
  const began = Date.parse(record.at);
  if (record.totalMillis === null) throw new DlmError('DLM_INTERNAL', `the recovery of ${record.lockspace} goes on`);
  return {
    ...names,
    order: record.lockspace === 'store' ? 'gfs' : 'fence-first',
    detection: began - faultAt,
    fence: lasted(record.steps, 'fence'),
    dlm: lasted(record.steps, 'dlm'),
    app: lasted(record.steps, 'app'),
    total: began + record.totalMillis - faultAt,
  };
}

/** From its first beginning to its last end; null: there was none. */
function lasted(steps: readonly RecordedStep[], step: RecordedStep['step']): number | null {
  const begun = steps.find((one) => one.step === step && one.state === 'begun');
  const ended = steps.findLast((one) => one.step === step && one.state === 'ended');
  return begun === undefined || ended === undefined ? null : ended.millis - begun.millis;
}

/** Which of the two ended first under an order that leaves it open; null: one of them did not happen. */
export function firstOf({ steps }: RecoveryRecord): 'fence' | 'dlm' | null {
  const end = (step: RecordedStep['step']): number | undefined => steps.findLast((one) => one.step === step && one.state === 'ended')?.millis;
  const [fence, dlm] = [end('fence'), end('dlm')];
  if (fence === undefined || dlm === undefined) return null;
  return fence < dlm ? 'fence' : 'dlm';
}

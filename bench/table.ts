/**
 * What the parts of `npm run bench` report, and the table that is made of it.
 *
 * A row compares one of our figures with a peer's or a floor's that was taken in the same
 * run, in turn; only ratios last, since machines are noisy. Rows without a wish are there
 * to be looked at.
 */

export interface Row {
  readonly what: string;
  readonly ours: string;
  /** What it was held against, and how that did. */
  readonly peer?: string;
  readonly ratio?: number;
  /** How great the ratio, or the figure itself, should be. */
  readonly wanted?: { readonly figure: number; readonly atLeast?: number; readonly atMost?: number; readonly unit: string };
}

/** One part: some rows, measured. A peer that is not here is left out, and that is said. */
export type Part = (say: (line: string) => void) => Promise<Row[]>;

export const median = (values: readonly number[]): number => [...values].sort((one, other) => one - other)[values.length >> 1]!;

export const thousands = (perSecond: number): string => `${(perSecond / 1000).toFixed(perSecond < 100_000 ? 1 : 0)}k/s`;

export function formatTable(rows: readonly Row[]): string {
  const head = ['', 'ours', 'beside', 'ratio', 'wanted', ''];
  const cells = rows.map((row) => [row.what, row.ours, row.peer ?? '', row.ratio === undefined ? '' : `${row.ratio.toFixed(2)} x`, wish(row), verdict(row)]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((line) => line[column]!.length)));
  return [head, ...cells].map((line) => line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n');
}

function wish({ wanted }: Row): string {
  if (wanted === undefined) return '';
  return wanted.atLeast === undefined ? `<= ${wanted.atMost} ${wanted.unit}` : `>= ${wanted.atLeast} ${wanted.unit}`;
}

function verdict({ wanted }: Row): string {
  if (wanted === undefined) return '';
  const { figure, atLeast = -Infinity, atMost = Infinity } = wanted;
  return figure >= atLeast && figure <= atMost ? 'met' : 'MISSED';
}

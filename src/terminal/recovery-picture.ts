/**
 * A recovery as a picture: a lane for each step, from its beginning to its end, over time.
 *
 * It is drawn from a record and nothing else, as SVG that needs no script and no font of
 * its own; as a page it has what `dlm recover show` prints below it.
 */
import type { RecordedStep, RecoveryRecord } from '../core/index.js';
import { causeOf, formatMillis, isHeldBack, orderName, recordLines } from './recovery-words.js';

/** One thing that was done: a bar, or a mark if only its end is told. */
interface Bar {
  readonly from: number;
  readonly to: number;
  readonly state: RecordedStep['state'];
  readonly words: string;
  /** Its beginning is not known. */
  readonly isMark: boolean;
}

interface Lane {
  readonly label: string;
  readonly step: string;
  readonly bars: readonly Bar[];
}

const width = 960;
const labelWidth = 190;
const right = 130;
const top = 72;
const laneHeight = 26;
const barHeight = 14;
/** A bar is never so short that it cannot be seen. */
const barMin = 2;
const ticks = 5;

const colours: Readonly<Record<string, string>> = {
  suspend: '#c58a00',
  fence: '#b3261e',
  dlm: '#1f5fa8',
  phase: '#7fa8d6',
  app: '#2e7d32',
  resume: '#6a4fa3',
};

export function recoveryPage(records: readonly RecoveryRecord[]): string {
  const [first] = records;
  const sections = records.map((record) => `${recoveryPicture(record)}\n<pre>${escapeXml(recordLines(record).join('\n'))}</pre>`);
  return [
    '<!DOCTYPE html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<title>Recovery of ${escapeXml(first!.lockspace)}, generation ${first!.generation}</title>`,
    '<style>:root{color-scheme:light}body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:62em;padding:0 1em;color:#1b1b1b;background:#fff}svg{max-width:100%;height:auto}pre{overflow-x:auto;background:#f5f5f5;padding:1em}</style>',
    '</head><body>',
    ...sections,
    '</body></html>',
    '',
  ].join('\n');
}

export function recoveryPicture(record: RecoveryRecord): string {
  const lanes = lanesOf(record);
  const end = Math.max(0.1, record.totalMillis ?? 0, ...lanes.flatMap(({ bars }) => bars.map(({ to }) => to)));
  const xOf = (millis: number): number => labelWidth + (millis / end) * (width - labelWidth - right);
  const height = top + lanes.length * laneHeight + 34;
  const bottom = top + lanes.length * laneHeight;
  const title = `Lockspace ${record.lockspace}, generation ${record.generation}: ${causeOf(record)}`;
  const facts = `order ${orderName(record.order)}; ${record.at}; as node ${record.node} has seen it; members ${record.members.join(' ')}`;
  const marks = Array.from({ length: ticks + 1 }, (_, index) => (end * index) / ticks);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(12, 24, title, 'font-size="15" font-weight="600"'),
    text(12, 44, facts, 'fill="#555555"'),
    ...marks.flatMap((millis) => [
      `<line x1="${fixed(xOf(millis))}" y1="${top - 6}" x2="${fixed(xOf(millis))}" y2="${bottom}" stroke="#dddddd"/>`,
      text(xOf(millis), bottom + 18, formatMillis(millis), 'text-anchor="middle" fill="#555555"'),
    ]),
    ...openedAt(record, xOf, bottom),
    ...lanes.flatMap((lane, index) => laneOf(lane, top + index * laneHeight, xOf)),
    '</svg>',
  ].join('\n');
}

/** Where locking went on, at least with the locks that there were. */
function openedAt(record: RecoveryRecord, xOf: (millis: number) => number, bottom: number): string[] {
  const { stoppedMillis } = record;
  if (stoppedMillis === null) return [];
  const words = isHeldBack(record) ? 'locks are recovered' : 'locks are granted again';
  const x = fixed(xOf(stoppedMillis));
  return [`<line x1="${x}" y1="${top - 10}" x2="${x}" y2="${bottom}" stroke="#1b1b1b" stroke-dasharray="4 3"/>`, text(xOf(stoppedMillis), top - 8, words, 'text-anchor="end" fill="#1b1b1b"')];
}

function laneOf({ label, step, bars }: Lane, y: number, xOf: (millis: number) => number): string[] {
  const middle = y + laneHeight / 2;
  const shapes = bars.map(({ from, to, state, words }) => {
    const x = xOf(from);
    const length = Math.max(barMin, xOf(to) - x);
    const fill = state === 'failed' ? 'fill="#ffffff" stroke="#b3261e" stroke-width="1.5"' : `fill="${colours[step] ?? '#777777'}"`;
    const title = `${label}: ${formatMillis(from)} to ${formatMillis(to)}${state === 'failed' ? ', FAILED' : ''}${words === '' ? '' : `, ${words}`}`;
    return `<rect x="${fixed(x)}" y="${middle - barHeight / 2}" width="${fixed(length)}" height="${barHeight}" rx="2" ${fill}><title>${escapeXml(title)}</title></rect>`;
  });
  const last = bars.at(-1);
  // A line that goes through the words must not keep them from being read.
  const took = last === undefined ? [] : [text(Math.max(xOf(last.to), xOf(last.from) + barMin) + 5, middle + 4, tookWords(bars), 'fill="#333333" stroke="#ffffff" stroke-width="4" paint-order="stroke"')];
  return [text(labelWidth - 10, middle + 4, label, 'text-anchor="end"'), ...shapes, ...took];
}

/** Of what is only told when it is over nobody knows how long it took. */
function tookWords(bars: readonly Bar[]): string {
  const [first, last] = [bars[0]!, bars.at(-1)!];
  if (last.isMark) return `at ${formatMillis(last.to)}`;
  const took = formatMillis(last.to - first.from);
  return bars.length === 1 ? took : `${bars.length} times, ${took}`;
}

/** The steps in the order in which they began, and the phases of dlm below it. */
function lanesOf(record: RecoveryRecord): Lane[] {
  const lanes = new Map<string, { lane: Lane; bars: Bar[] }>();
  const begun = new Map<string, number>();
  for (const { step, state, node, victim, millis, words } of record.steps) {
    const about = victim === null ? '' : ` of node ${victim}`;
    const key = victim === null ? step : `${step}${about}`;
    if (state === 'begun') begun.set(key, millis);
    const known = lanes.get(key) ?? { lane: { label: key, step, bars: [] }, bars: [] };
    if (!lanes.has(key)) lanes.set(key, known);
    if (state === 'begun') continue;
    const from = begun.get(key) ?? millis;
    // What ends on several members is one bar, to the last of them.
    const same = known.bars.findIndex((bar) => bar.from === from && bar.state === state);
    const bar = { from, to: millis, state, words: words === '' ? `on node ${node}` : words, isMark: !begun.has(key) };
    if (same >= 0) known.bars[same] = { ...bar, words: 'on all members' };
    else known.bars.push(bar);
  }
  for (const [key, { bars }] of lanes) {
    const from = begun.get(key);
    if (bars.length === 0 && from !== undefined) bars.push({ from, to: record.totalMillis ?? from, state: 'begun', words: 'has not ended', isMark: false });
  }
  const drawn = [...lanes.values()].map(({ lane, bars }) => ({ ...lane, bars }));
  return [...drawn, ...phaseLanes(record)];
}

/** They follow one another, and the last one ends when locking goes on. */
function phaseLanes({ phases, stoppedMillis }: RecoveryRecord): Lane[] {
  const whole = phases.reduce((sum, { millis }) => sum + millis, 0);
  let at = Math.max(0, (stoppedMillis ?? whole) - whole);
  return phases.map(({ phase, millis, slowest }) => {
    const bar: Bar = { from: at, to: at + millis, state: 'ended', words: slowest === null ? '' : `node ${slowest} was last`, isMark: false };
    at += millis;
    return { label: `phase ${phase}`, step: 'phase', bars: [bar] };
  });
}

const fixed = (number: number): string => number.toFixed(1);

function text(x: number, y: number, words: string, attributes: string): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escapeXml(words)}</text>`;
}

function escapeXml(words: string): string {
  // What XML cannot carry in any form is shown as a question mark.
  const safe = words.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/gu, '?');
  return safe.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/**
 * Tables for people: columns without boxes, plain text also without a terminal.
 *
 * On a terminal they fit its width; anywhere else nothing is cut. Programs read
 * --json instead.
 */
import Table from 'cli-table3';
import { compatible, escapeText, modeNamed, modeNames, type LockInfo, type LockspaceSummary } from '../core/index.js';
import { cut, showCommand } from './describe.js';
import { formatDuration } from './durations.js';

const noBox = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '',
  bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '',
  middle: '  ',
};

/** Between two columns. */
const gap = noBox.middle.length;

/** With less room the last column goes below. */
const lastMin = 16;

/** So much of a resource's name is always shown. */
const nameMin = 8;

const indent = '    ';

/** Rows under a head, in columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const isBold = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '';
  const drawn = new Table({
    head: [...head],
    chars: noBox,
    style: { head: isBold ? ['bold'] : [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  drawn.push(...rows.map((row) => [...row]));
  const lines = drawn.toString().split('\n').map((line) => line.trimEnd());
  return lines.join('\n');
}

export function locksTable(locks: readonly LockInfo[]): string {
  const hasSeveral = new Set(locks.map((lock) => lock.lockspace)).size > 1;
  const head = ['RESOURCE', 'LOCK', 'STATE', 'MODE', 'PLACE', 'AGE', 'PID', 'COMMAND'];
  const rows = locks.map((lock) => [
    lock.resource,
    lock.id,
    lock.owner.kind === 'orphan' || lock.owner.kind === 'ended' ? lock.owner.kind : lock.state,
    modesOf(lock),
    lock.position === null ? '' : String(lock.position),
    formatDuration(lock.ageMillis),
    lock.owner.pid === null ? '' : String(lock.owner.pid),
    showCommand(lock.owner.command, Infinity),
  ]);
  if (!hasSeveral) return fitted(head, rows);
  return fitted(['LOCKSPACE', ...head], rows.map((row, index) => [escapeText(locks[index]!.lockspace), ...row]));
}

/** `PR`, `PR>EX`, or `>EX` for a request that holds nothing yet. */
export function modesOf({ mode, requested }: LockInfo): string {
  return requested === null ? (mode ?? '') : `${mode ?? ''}>${requested}`;
}

export function lockspacesTable(lockspaces: readonly LockspaceSummary[]): string {
  return table(
    ['LOCKSPACE', 'VALUE BYTES', 'RESOURCES', 'LOCKS', 'ORPHANS'],
    lockspaces.map(({ name, valueLength, resources, locks, orphans }) => [
      escapeText(name),
      ...[valueLength, resources, locks, orphans].map(String),
    ]),
  );
}

/** Which mode gets on with which. */
export function modesTable(): string {
  const answer = (held: string, asked: string): string =>
    compatible(modeNamed(held)!, modeNamed(asked)!) ? 'yes' : '-';
  return table(['', ...modeNames], modeNames.map((held) => [held, ...modeNames.map((asked) => answer(held, asked))]));
}

/**
 * As a table that fits the terminal, if there is one: the last column is cut, and
 * where it would have no room it goes below, a line for each row. Only a resource
 * whose name is longer than what is left then is cut too; ids never are.
 */
function fitted(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = process.stdout.isTTY === true ? process.stdout.columns : null;
  if (columns === null || columns <= 0) return table(head, rows);
  const others = rows.map((row) => row.slice(0, -1));
  const room = columns - widthOf([head.slice(0, -1), ...others]) - gap;
  if (room >= lastMin) return table(head, rows.map((row) => [...row.slice(0, -1), cut(row.at(-1)!, room)]));

  const named = head.indexOf('RESOURCE');
  const longest = Math.max(...others.map((row) => row[named]!.length));
  const nameRoom = Math.max(longest + room + gap, nameMin);
  const short = others.map((row) => row.map((cell, index) => (index === named ? cut(cell, nameRoom) : cell)));
  const [first, ...lines] = table(head.slice(0, -1), short).split('\n');
  const below = (row: readonly string[]): string[] => (row.at(-1) === '' ? [] : [`${indent}${cut(row.at(-1)!, columns - indent.length)}`]);
  return [first!, ...rows.flatMap((row, index) => [lines[index]!, ...below(row)])].join('\n');
}

/** How wide the columns are together, without colours. */
function widthOf(rows: readonly (readonly string[])[]): number {
  const widths = rows[0]!.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)));
  return widths.reduce((sum, width) => sum + width + gap, -gap);
}

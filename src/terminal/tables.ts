/**
 * Tables for people: columns without boxes, plain text also without a terminal.
 *
 * On a terminal the last column is cut where the line ends; anywhere else nothing
 * is. Programs read --json instead.
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
    lock.owner.kind === 'orphan' ? 'orphan' : lock.state,
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

/** Cut the last column of each row so that the line fits the terminal, if there is one. */
function fitted(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = process.stdout.isTTY === true ? process.stdout.columns : null;
  const whole = table(head, rows);
  if (columns === null || columns <= 0) return whole;
  const others = table(head.slice(0, -1), rows.map((row) => row.slice(0, -1)));
  const room = Math.max(columns - Math.max(...others.split('\n').map((line) => line.length)) - 4, 10);
  return table(head, rows.map((row) => [...row.slice(0, -1), cut(row.at(-1)!, room)]));
}

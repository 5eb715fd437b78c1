/**
 * Times as people type and read them.
 *
 * Typed: seconds, with a fraction if need be, or a number with a unit: 500ms, 5s,
 * 2m, 1h. Printed: the two greatest units that say something.
 */
import { DlmError, escapeText } from '../core/index.js';

const unitMillis: Readonly<Record<string, number>> = { ms: 1, s: 1000, '': 1000, m: 60_000, h: 3_600_000 };

/** The longest wait that a timer can measure, in whole hours. */
const millisMax = 596 * 3_600_000;

/** A duration in milliseconds. Throws `DLM_USAGE`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d*)?|\.\d+)(ms|s|m|h)?$/.exec(text);
  if (match === null) {
    throw new DlmError('DLM_USAGE', `'${escapeText(text)}' is not a time`, 'write seconds, or a unit: 10, 0.5, 500ms, 5s, 2m, 1h');
  }
  const millis = Math.round(Number(match[1]) * unitMillis[match[2] ?? '']!);
  if (millis > millisMax) {
    throw new DlmError('DLM_USAGE', `'${escapeText(text)}' is too long a time`, 'the longest is 596h; without -w the wait has no end');
  }
  return millis;
}

/** A duration as it was asked for: `1.5 s`, `2 min`. */
export function formatLimit(millis: number): string {
  return millis < 60_000 ? `${millis / 1000} s` : formatDuration(millis);
}

/** How long a wait was, which is often no time at all: `3 ms`, `12 s`. */
export function formatWait(millis: number): string {
  return millis < 1000 ? `${Math.round(millis)} ms` : formatDuration(millis);
}

/** How long something has lasted: `0.4 s`, `12 s`, `3 min 5 s`, `2 h`, `4 d 1 h`. */
export function formatDuration(millis: number): string {
  if (millis < 1000) return `${Math.floor(millis / 100) / 10} s`;
  const seconds = Math.floor(millis / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

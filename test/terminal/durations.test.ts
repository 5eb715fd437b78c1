/**
 * Times as they are typed and as they are shown.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDuration, formatLimit, formatWait, parseDuration } from '../../src/terminal/durations.js';

describe('a time that is typed', () => {
  const accepted: readonly [typed: string, millis: number][] = [
    ['10', 10_000],
    ['0.5', 500],
    ['.25', 250],
    ['2.', 2000],
    ['0', 0],
    ['500ms', 500],
    ['5s', 5000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1.5m', 90_000],
    ['596h', 2_145_600_000],
  ];
  for (const [typed, millis] of accepted) {
    test(`${typed} is ${millis} ms`, () => assert.equal(parseDuration(typed), millis));
  }

  for (const typed of ['', 'soon', '-1', '1 s', '5S', '1e3', '1d', '0x10', '597h', '9'.repeat(400), 'Infinity', '.']) {
    test(`${JSON.stringify(typed.slice(0, 10))} is none`, () => assert.throws(() => parseDuration(typed), { code: 'DLM_USAGE' }));
  }
});

describe('a time that is shown', () => {
  const shown: readonly [millis: number, words: string][] = [
    [0, '0 s'],
    [40, '0 s'],
    [450, '0.4 s'],
    [999, '0.9 s'],
    [1000, '1 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [185_000, '3 min 5 s'],
    [7_200_000, '2 h'],
    [7_201_000, '2 h'],
    [3_660_000, '1 h 1 min'],
    [90_000_000, '1 d 1 h'],
    [864_000_000, '10 d'],
  ];
  for (const [millis, words] of shown) {
    test(`${millis} ms is ${words}`, () => assert.equal(formatDuration(millis), words));
  }
});

test('a limit is shown as it was asked for', () => {
  assert.deepEqual([0, 1500, 59_999, 90_000].map(formatLimit), ['0 s', '1.5 s', '59.999 s', '1 min 30 s']);
});

test('a wait is told in milliseconds if it was short', () => {
  assert.deepEqual([0.2, 3.4, 999, 1000, 61_000].map(formatWait), ['0 ms', '3 ms', '999 ms', '1 s', '1 min 1 s']);
});

/**
 * The agenda does things by time, and what is for the same time in the order in
 * which it was put there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { millis } from '../../src/core/base/ids.js';
import { Prng } from '../../src/core/base/prng.js';
import { Agenda } from '../../src/core/sim/agenda.js';

test('earlier first, and of the same time the first that was put there', () => {
  const agenda = new Agenda();
  const prng = new Prng('agenda');
  const expected: [number, number][] = [];
  const done: [number, number][] = [];
  for (let order = 0; order < 2000; order += 1) {
    const at = prng.below(100);
    expected.push([at, order]);
    agenda.at(millis(at), () => done.push([agenda.now, order]));
  }
  agenda.runUntil(millis(100));
  assert.deepEqual(done, expected.sort((one, other) => one[0] - other[0] || one[1] - other[1]));
  assert.equal(agenda.size, 0);
});

test('what is done may put more there, and nothing happens in the past', () => {
  const agenda = new Agenda();
  const done: string[] = [];
  agenda.after(10, () => {
    agenda.at(millis(3), () => done.push(`late ${agenda.now}`));
    agenda.after(5, () => done.push(`after ${agenda.now}`));
  });
  agenda.runUntil(millis(12));
  assert.deepEqual(done, ['late 10']);
  assert.equal(agenda.now, 12);
  agenda.runUntil(millis(20));
  assert.deepEqual(done, ['late 10', 'after 15']);
});

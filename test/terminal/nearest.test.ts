/**
 * The word that was meant.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/terminal/nearest.js';

const words = ['lock', 'locks', 'lvb', 'unlock', 'codes', 'node', 'convert'];

test('a slip of the fingers is seen through', () => {
  const slips = ['lokc', 'lcok', 'loocks', 'lck', 'lbv', 'unlcok', 'noed', 'convret', 'cods'];
  assert.deepEqual(slips.map((slip) => nearest(slip, words)), ['lock', 'lock', 'locks', 'lock', 'lvb', 'unlock', 'node', 'convert', 'codes']);
});

test('a word that is like none of them is left alone', () => {
  for (const typed of ['x', 'abc', 'status', 'nothing', '']) assert.equal(nearest(typed, words), null, typed);
});

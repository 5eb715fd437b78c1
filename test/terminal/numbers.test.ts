/**
 * Whole numbers as they are typed, and what is said of those that are none.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bigIn, parseBig, parseWhole } from '../../src/terminal/numbers.js';

describe('a number within bounds', () => {
  test('is read as it stands', () => {
    assert.deepEqual(['0', '7', '+7', '007', '255'].map((text) => parseWhole(text, 0, 255)), [0, 7, 7, 7, 255]);
  });

  const bad: readonly (readonly [string, string])[] = [
    ['256', "'256' is too great: 255 is the most"],
    ['-1', "'-1' is too small: 0 is the least"],
    ['99999999999999999999999', "'99999999999999999999999' is too great: 255 is the most"],
    ['', "'' is not a whole number"],
    ['x', "'x' is not a whole number"],
    ['1.5', "'1.5' is not a whole number"],
    ['1e2', "'1e2' is not a whole number"],
    ['0x10', "'0x10' is not a whole number"],
    [' 1', "' 1' is not a whole number"],
    ['\u001b[31m', "'\\x1b[31m' is not a whole number"],
  ];
  for (const [text, message] of bad) {
    test(`and ${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => parseWhole(text, 0, 255), { code: 'DLM_USAGE', message, hint: 'give a whole number, from 0 to 255' });
    });
  }

  test('has no upper one unless it is given', () => {
    assert.throws(() => parseWhole('0', 1), { code: 'DLM_USAGE', hint: 'give a whole number, 1 or more' });
  });
});

describe('a number of any size', () => {
  test('is exact', () => assert.equal(parseBig('-123456789012345678901234567890'), -123456789012345678901234567890n));
  test('must be one', () => assert.throws(() => parseBig('1.0'), { code: 'DLM_USAGE', message: "'1.0' is not a whole number" }));
  test('may be looked for', () => assert.deepEqual([bigIn('12'), bigIn('twelve'), bigIn('')], [12n, null, null]));
});

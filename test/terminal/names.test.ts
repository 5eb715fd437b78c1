/**
 * Names as they are typed: what is accepted, what is refused and why, and that
 * nothing printed can move a cursor.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DlmError } from '../../src/core/index.js';
import { checkName, lockspaceName, needName, takeName } from '../../src/terminal/names.js';

const refusal = (typed: string): string => {
  try {
    checkName(typed, 'the name');
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof DlmError && error.code === 'DLM_NAME_INVALID');
    return error.message;
  }
};

describe('a name on the command line', () => {
  for (const name of ['counter', 'two words', ' ', 'café', '日本語', '🔒', 'back\\slash', '--dashes', 'a:b/c', 'x'.repeat(64), 'é'.repeat(32)]) {
    test(`may be ${JSON.stringify(name)}`, () => assert.equal(refusal(name), 'accepted'));
  }

  const refused: readonly [typed: string, why: string][] = [
    ['', 'the name is empty'],
    ['x'.repeat(65), 'the name has 65 bytes, and 64 is the most'],
    ['é'.repeat(33), 'the name has 66 bytes, and 64 is the most'],
    ['bell\x07', 'the name has a character that cannot be printed: \\x07'],
    ['line\nbreak', 'the name has a character that cannot be printed: \\x0a'],
    ['\x1b[31mred', 'the name has a character that cannot be printed: \\x1b'],
    ['right\u202eleft', 'the name has a character that cannot be printed: \\xe2\\x80\\xae'],
    ['not \ufffd text', 'the name is not UTF-8'],
  ];
  for (const [typed, why] of refused) {
    test(`may not be ${JSON.stringify(typed)}`, () => assert.equal(refusal(typed), why));
  }
});

describe('the name among the words of a line', () => {
  test('is the first', () => {
    const { name, typed, shown, rest } = needName(['a\\b', 'more'], undefined);
    assert.deepEqual({ name, typed, shown, rest }, { name: 'a\\b', typed: 'a\\b', shown: 'a\\\\b', rest: ['more'] });
  });

  test('is none of them if it is given in hex', () => {
    const { name, shown, rest } = needName(['more'], '00FF');
    assert.deepEqual({ name, shown, rest }, { name: new Uint8Array([0, 255]), shown: '0x00ff', rest: ['more'] });
  });

  test('may be empty in hex only', () => assert.deepEqual(needName([], '').name, new Uint8Array()));

  test('may be left out where nobody needs one', () => assert.equal(takeName([], undefined), null));

  test('must not be left out elsewhere', () => assert.throws(() => needName([], undefined), { code: 'DLM_USAGE' }));

  for (const hex of ['0', 'xy', '0x00', '00 ff', '00'.repeat(65)]) {
    test(`in hex is refused: ${hex.slice(0, 10)}`, () => assert.throws(() => needName([], hex), { code: 'DLM_NAME_INVALID' }));
  }
});

test('a lockspace has the same names, but none in hex', () => {
  assert.equal(lockspaceName('mail'), 'mail');
  for (const name of ['a\nb', 'a b', '', '-a', 'x'.repeat(65)]) {
    assert.throws(() => lockspaceName(name), { code: 'DLM_NAME_INVALID', hint: 'use 1 to 64 letters, digits and . _ : @ + -, the first a letter or a digit' });
  }
});

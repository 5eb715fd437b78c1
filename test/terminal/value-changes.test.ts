/**
 * What becomes of a value that is counted on or exchanged, decided on what was found.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '../../src/terminal/report.js';
import { added, differs, exchangeIn, isAsExpected, needRoom, type Found } from '../../src/terminal/value-changes.js';

const terms = { shown: 'n', room: 32, allowInvalid: false };

function found(text: string | null, valueState: Found['valueState'] = text === null ? 'none' : 'valid'): Found {
  return { value: text === null ? null : new Uint8Array(Buffer.concat([Buffer.from(text)], 32)), valueState };
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

describe('to what is there is added', () => {
  const sums: readonly (readonly [string | null, bigint, string])[] = [
    [null, 1n, '1'],
    ['', 5n, '5'],
    ['0', -1n, '-1'],
    ['41', 1n, '42'],
    ['007', 1n, '8'],
    ['+7', 1n, '8'],
    ['41\n', 1n, '42'],
    ['-1', 1n, '0'],
    ['9007199254740993', 2n, '9007199254740995'],
    ['99999999999999999999999999999998', 1n, '99999999999999999999999999999999'],
  ];
  for (const [text, by, sum] of sums) {
    test(`${JSON.stringify(text)} and ${by} are ${sum}`, () => assert.equal(Buffer.from(added(found(text), by, terms)).toString(), sum));
  }

  for (const text of ['4.5', 'word', '1 2', '--1', '0x10', '1e3', 'é', '1\u00002']) {
    test(`nothing, if it is ${JSON.stringify(text)}`, () => assert.throws(() => added(found(text), 1n, terms), { code: 'DLM_VALUE_NO_NUMBER' }));
  }

  test('nothing that would not fit', () => {
    assert.throws(() => added(found('9'.repeat(32)), 1n, terms), { code: 'DLM_VALUE_TOO_LONG' });
    assert.throws(() => added(found('-9'), -1n, { ...terms, room: 2 }), { code: 'DLM_VALUE_TOO_LONG' });
  });

  test('nothing if it is not valid, unless that is asked for', () => {
    assert.throws(() => added(found('1', 'invalid'), 1n, terms), { code: 'DLM_VALUE_INVALID' });
    assert.deepEqual(added(found('1', 'invalid'), 1n, { ...terms, allowInvalid: true }), bytes('2'));
  });
});

describe('a value is the one that is expected', () => {
  test('if it is the same but for the zeros at its end', () => {
    assert.equal(isAsExpected(found('one'), bytes('one'), terms), true);
    assert.equal(isAsExpected(found('one'), bytes('one\0'), terms), true);
    assert.equal(isAsExpected(found('one'), bytes('on'), terms), false);
    assert.equal(isAsExpected(found('one'), bytes('one!'), terms), false);
    assert.equal(isAsExpected(found(''), bytes(''), terms), true);
  });

  test('and none is not an empty one', () => {
    assert.equal(isAsExpected(found(null), null, terms), true);
    assert.equal(isAsExpected(found(null), bytes(''), terms), false);
    assert.equal(isAsExpected(found(''), null, terms), false);
  });

  test('and one that is not valid is none of these', () => {
    assert.throws(() => isAsExpected(found('one', 'invalid'), bytes('one'), terms), { code: 'DLM_VALUE_INVALID' });
    assert.equal(isAsExpected(found('one', 'invalid'), bytes('one'), { ...terms, allowInvalid: true }), true);
  });

  test('or it is said what it is', () => {
    const failure = differs(found('one'), bytes('two'), 'n', false);
    assert.ok(failure instanceof Failure);
    assert.equal(failure.message, "the value of n is 'one', and 'two' was expected");
    assert.equal(failure.error.exitCode, 107);
    assert.equal((failure.more.facts as { text: string }).text, 'one');
    assert.equal(differs(found(null), null, 'n', true).more.isSilent, true);
    assert.equal(differs(found(null), bytes('two'), 'n', true).message, "n has no value, and 'two' was expected");
  });
});

describe('an exchange', () => {
  const plain = { absent: false, hex: false };
  test('is two words, or one', () => {
    assert.deepEqual(exchangeIn(['a', 'b'], plain), { expected: bytes('a'), next: bytes('b') });
    assert.deepEqual(exchangeIn(['00ff', '01'], { absent: false, hex: true }), { expected: Uint8Array.of(0, 255), next: Uint8Array.of(1) });
    assert.deepEqual(exchangeIn(['b'], { absent: true, hex: false }), { expected: null, next: bytes('b') });
  });
  test('and nothing else', () => {
    for (const words of [[], ['a'], ['a', 'b', 'c']]) assert.throws(() => exchangeIn(words, plain), { code: 'DLM_USAGE' });
    assert.throws(() => exchangeIn(['a', 'b'], { absent: true, hex: false }), { code: 'DLM_USAGE' });
    assert.throws(() => exchangeIn(['a', 'xyz'], { absent: false, hex: true }), { code: 'DLM_USAGE' });
  });
  test('fits', () => {
    needRoom(bytes('ab'), 2);
    assert.throws(() => needRoom(bytes('abc'), 2), { code: 'DLM_VALUE_TOO_LONG' });
  });
});

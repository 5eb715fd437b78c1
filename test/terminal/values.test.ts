/**
 * Value blocks as they are typed and shown.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hexOfValue, textOfValue, valueGiven, valueOfHex, valueOfText } from '../../src/terminal/values.js';

const block = (...bytes: number[]): Uint8Array => Uint8Array.from([...bytes, 0, 0, 0]);

describe('a value', () => {
  test('typed as text is its UTF-8', () => assert.deepEqual(valueOfText('é1'), Uint8Array.from([0xc3, 0xa9, 0x31])));
  test('typed as hex is its bytes', () => assert.deepEqual(valueOfHex('00fF'), Uint8Array.from([0, 255])));
  test('that is not UTF-8, or not hex, is refused', () => {
    assert.throws(() => valueOfText('\ufffd'), { code: 'DLM_USAGE' });
    assert.throws(() => valueOfHex('123'), { code: 'DLM_USAGE' });
  });
  test('comes from either option, or from none', () => {
    assert.deepEqual(valueGiven({ value: 'a' }), Uint8Array.from([0x61]));
    assert.deepEqual(valueGiven({ 'value-hex': '61' }), Uint8Array.from([0x61]));
    assert.equal(valueGiven({}), undefined);
  });
  test('is shown as text, without the zeros at its end', () => assert.equal(textOfValue(block(0x34, 0x32)), '42'));
  test('that is all zeros is shown as nothing', () => assert.equal(textOfValue(block()), ''));
  test('shows what cannot be printed as hex', () => assert.equal(textOfValue(block(0x61, 0, 0x1b, 0x5c)), 'a\\x00\\x1b\\\\'));
  test('that is not UTF-8 is shown byte by byte', () => assert.equal(textOfValue(block(0x61, 0xff)), 'a\\xff'));
  test('is shown whole as hex', () => assert.equal(hexOfValue(block(1)), '01000000'));
});

/**
 * Which of the locks on a name is meant by whoever has some there.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LockInfo } from '../../src/core/index.js';
import { checkLockWords, choose } from '../../src/terminal/own-lock.js';

const base: LockInfo = {
  id: 'default:1.7.00000001',
  lockspace: 'default',
  resource: 'n',
  resourceHex: '6e',
  state: 'granted',
  mode: 'PR',
  requested: null,
  position: null,
  flags: [],
  master: 1,
  ageMillis: 0,
  token: null,
  node: 1,
  owner: { kind: 'process', pid: 5, command: 'sh' },
};

const granted = { ...base, id: 'granted' };
const converting: LockInfo = { ...base, id: 'converting', state: 'converting', requested: 'EX' };
const waiting: LockInfo = { ...base, id: 'waiting', state: 'waiting', mode: null, requested: 'EX' };

function chosen(locks: readonly LockInfo[], purpose: 'convert' | 'unlock' | 'cancel', pid = 5): string[] {
  return choose(locks, pid, purpose).map(({ id }) => id);
}

describe('by its name is meant', () => {
  test('what is held, to convert it or to give it back', () => {
    assert.deepEqual(chosen([granted, waiting], 'unlock'), ['granted']);
    assert.deepEqual(chosen([waiting, converting], 'convert'), ['converting']);
    assert.deepEqual(chosen([granted, converting, waiting], 'unlock'), ['granted', 'converting']);
  });

  test('what waits, to cancel it', () => {
    assert.deepEqual(chosen([granted, waiting], 'cancel'), ['waiting']);
    assert.deepEqual(chosen([granted, converting], 'cancel'), ['converting']);
  });

  test('if there is none such, any other, whose state is then complained of', () => {
    assert.deepEqual(chosen([waiting], 'unlock'), ['waiting']);
    assert.deepEqual(chosen([granted], 'cancel'), ['granted']);
  });

  test("nobody else's, no orphan, and none of the node itself", () => {
    const others: LockInfo[] = [
      { ...granted, owner: { kind: 'process', pid: 6, command: 'sh' } },
      { ...granted, owner: { kind: 'orphan', pid: 5, command: 'sh' } },
      { ...granted, owner: { kind: 'node', pid: 5, command: '' } },
    ];
    assert.deepEqual(chosen(others, 'unlock'), []);
  });
});

describe('a lock is named', () => {
  test('in one way', () => {
    checkLockWords('default:1.7.00000001', {}, 'unlock');
    checkLockWords(undefined, { name: 'n' }, 'unlock');
    checkLockWords(undefined, { 'name-hex': '00' }, 'unlock');
  });
  test('and not in none, or in two', () => {
    assert.throws(() => checkLockWords(undefined, {}, 'unlock'), { code: 'DLM_USAGE', message: 'ID is missing' });
    assert.throws(() => checkLockWords('default:1.7.00000001', { name: 'n' }, 'unlock'), { code: 'DLM_USAGE' });
    assert.throws(() => checkLockWords(undefined, { name: 'n', 'name-hex': '00' }, 'unlock'), { code: 'DLM_USAGE' });
  });
});

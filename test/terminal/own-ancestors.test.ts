/**
 * Who is told that the lock in the way belongs to a process above it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LockInfo, OwnerInfo } from '../../src/core/index.js';
import { describeAncestors } from '../../src/terminal/own-ancestors.js';

const node = 1;

function held(owner: Partial<OwnerInfo>, more: Partial<LockInfo> = {}): LockInfo {
  return {
    id: 'default:1.7.0000002a', lockspace: 'default', resource: 'r', resourceHex: '72', state: 'granted', mode: 'EX', requested: null, position: null,
    flags: [], master: 1, ageMillis: 1, token: null, node, owner: { kind: 'process', pid: process.ppid, command: 'sh', ...owner }, ...more,
  };
}

test('a process that called, or is above the caller, and whose command runs under the lock', () => {
  assert.deepEqual(describeAncestors([held({})], { pid: process.ppid, node }), [
    `pid ${process.ppid} is the process that called dlm, and would wait for itself; to give its lock back first: dlm unlock default:1.7.0000002a`,
  ]);
  assert.match(describeAncestors([held({})], { pid: process.pid, node })[0]!, /is above this command/);
  assert.match(describeAncestors([held({ kind: 'session' })], { pid: process.pid, node })[0]!, /running under that lock/);
});

test('nobody else: a stranger, an orphan, a pid of another node, one who waits', () => {
  const stranger = 2 ** 22 + 1;
  const others = [held({ pid: stranger }), held({ kind: 'orphan' }), held({}, { node: 2 }), held({}, { state: 'waiting', mode: null, requested: 'EX' }), held({ kind: 'elsewhere', pid: null })];
  assert.deepEqual(describeAncestors(others, { pid: process.ppid, node }), []);
});

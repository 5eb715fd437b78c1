/**
 * Locks in plain words, and who is in whose way.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LockInfo, NodeStatus } from '../../src/core/index.js';
import { blockersOf, counted, describeLock, describeLocks, describePlace, describeResults, ordinal } from '../../src/terminal/describe.js';
import { describeSilent, describeStop, describeSuspension, hasOtherKey, suspectsOf } from '../../src/terminal/describe-status.js';

const lock = (id: string, more: Partial<LockInfo> = {}): LockInfo => ({
  id,
  lockspace: 'default',
  resource: 'counter',
  resourceHex: '',
  state: 'granted',
  mode: 'EX',
  requested: null,
  position: null,
  flags: [],
  master: 1,
  ageMillis: 12_000,
  token: null,
  node: 1,
  owner: { kind: 'session', pid: 4711, command: './backup.sh nightly' },
  ...more,
});
const waiting = (id: string, requested: LockInfo['requested'], position: number): LockInfo =>
  lock(id, { state: 'waiting', mode: null, requested, position });

describe('a lock in words', () => {
  const told: readonly [what: string, lock: LockInfo, words: string][] = [
    ['held', lock('a'), 'held in EX for 12 s by pid 4711 on node 1: ./backup.sh nightly'],
    [
      'converting',
      lock('a', { state: 'converting', mode: 'PR', requested: 'EX', position: 1 }),
      'held in PR and converting to EX for 12 s by pid 4711 on node 1: ./backup.sh nightly',
    ],
    ['asked for', waiting('a', 'PR', 1), 'asked for in PR for 12 s by pid 4711 on node 1: ./backup.sh nightly'],
    [
      'an orphan',
      lock('a', { owner: { kind: 'orphan', pid: 4711, command: 'sh' } }),
      'held in EX for 12 s by nobody, an orphan of pid 4711 on node 1: sh',
    ],
    ['the node’s own', lock('a', { owner: { kind: 'node', pid: 1, command: '' } }), 'held in EX for 12 s by node 1 itself'],
    ['of somebody unknown', lock('a', { owner: { kind: 'session', pid: null, command: '' } }), 'held in EX for 12 s by somebody on node 1'],
    [
      'with a command that would move the cursor',
      lock('a', { owner: { kind: 'session', pid: 1, command: '\x1b[2J' } }),
      'held in EX for 12 s by pid 1 on node 1: \\x1b[2J',
    ],
  ];
  for (const [what, info, words] of told) test(what, () => assert.equal(describeLock(info), words));

  test('many are counted after the fifth, and may be told with their resource', () => {
    const lines = describeLocks(Array.from({ length: 7 }, (_, index) => lock(String(index))), 'resource');
    assert.equal(lines.length, 6);
    assert.equal(lines[0], 'counter: held in EX for 12 s by pid 4711 on node 1: ./backup.sh nightly');
    assert.equal(lines[5], 'and 2 more');
  });
});

describe('who is in the way', () => {
  const reader = lock('reader', { mode: 'PR' });
  const idle = lock('idle', { mode: 'NL' });
  const first = waiting('first', 'EX', 1);
  const mine = waiting('mine', 'PR', 2);
  const last = waiting('last', 'EX', 3);
  const ids = (locks: LockInfo[]): string[] => locks.map(({ id }) => id);

  test('those who hold what excludes us', () => {
    const locks = [reader, idle, first];
    assert.deepEqual(ids(blockersOf(locks, { mode: 'EX', mine: first })), ['reader']);
  });

  test('otherwise those before us in the queue', () => {
    assert.deepEqual(ids(blockersOf([reader, idle, first, mine, last], { mode: 'PR', mine })), ['first']);
  });

  test('a conversion that waits holds its old mode, and goes before new requests', () => {
    const conversion = lock('conversion', { state: 'converting', mode: 'CR', requested: 'EX', position: 1 });
    assert.deepEqual(ids(blockersOf([reader, conversion, mine], { mode: 'PR', mine })), ['conversion']);
    assert.deepEqual(ids(blockersOf([conversion], { mode: 'EX', mine: null })), ['conversion']);
  });

  test('nobody, if they have gone', () => assert.deepEqual(blockersOf([], { mode: 'EX', mine: null }), []));

  test('our place is told among those of our queue', () => {
    assert.equal(describePlace([reader, first, mine, last], mine), '2nd of 3 in the queue');
    assert.equal(describePlace([reader, first], first), 'alone in the queue');
    assert.equal(describePlace([reader], reader), '');
    assert.equal(describePlace([reader], null), '');
    const asked = lock('asked', { node: 1, master: 2 });
    assert.equal(describePlace([asked], asked), 'and for the answer of node 2, which decides about it');
  });
});

test('results are explained', () => {
  assert.deepEqual(describeResults(['ALTMODE'], 'CW'), ['ALTMODE: granted in CW, the alternative that was asked for']);
  assert.deepEqual(describeResults([], 'EX'), []);
});

test('numbers are spoken', () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal), ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '102nd', '111th']);
  assert.equal(counted(1, 'lock'), '1 lock');
  assert.equal(counted(0, 'lock'), '0 locks');
});

describe('a lockspace that cannot be locked', () => {
  const summary = { name: 'mail', valueLength: 32, order: 'gfs', resources: 0, locks: 0, orphans: 0, standing: 'running', generation: 7, waitsFor: [], reason: '' };
  const status = (over: object): NodeStatus => ({ lockspaces: [{ ...summary, ...over }] }) as unknown as NodeStatus;

  test('says why: what is recovered, or that applications are suspended though locks are recovered', () => {
    for (const told of [describeStop, describeSuspension]) assert.deepEqual(told(status({}), 'mail'), []);
    assert.deepEqual(describeStop(status({ standing: 'locks', waitsFor: [2] }), 'mail'), ['nobody is granted anything in lockspace mail, recovering: locks 5/6, waiting for node 2']);
    assert.deepEqual(describeSuspension(status({ reason: 'node 3 (n3) is being fenced by node 1' }), 'mail'), [
      'nobody is granted anything new in lockspace mail, where applications are suspended; node 3 (n3) is being fenced by node 1',
    ]);
  });

  test('may wait for the word of a member that has not joined it, so those that cannot be reached are named', () => {
    const members = [{ node: 1, name: 'n1', link: 'other key', lockspaces: [] }, { node: 2, name: 'n2', link: 'self', lockspaces: ['mail'] }, { node: 3, name: 'n3', link: 'encrypted', lockspaces: [] }];
    const seen = (over: object): NodeStatus => ({ ...status(over), node: 2, cluster: { members } }) as unknown as NodeStatus;
    const stopped = seen({ standing: 'ready', reason: 'node 1 has not told whom it misses' });
    assert.deepEqual(describeSilent(stopped, 'mail'), ['the handshake with node 1 (n1), which is still a member, is refused: it and this node have no key in common']);
    assert.deepEqual([hasOtherKey(stopped, 'mail'), suspectsOf(stopped, 'mail')], [true, [1]]);
    for (const other of [describeSilent(seen({}), 'mail'), describeSilent(stopped, 'another')]) assert.deepEqual(other, []);
  });
});

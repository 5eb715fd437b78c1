/**
 * A node routes each input to the lockspace it is for, refuses what it cannot
 * route, keeps its deadlines, and does the same twice.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { incarnation, lkid, millis, nodeId, ownerId } from '../../src/core/base/ids.js';
import { Flag } from '../../src/core/lock/flags.js';
import { EX, modes } from '../../src/core/lock/mode.js';
import { defaultConfig } from '../../src/core/lockspace/lockspace.js';
import type { Effect } from '../../src/core/node/effect.js';
import type { Input, LockInput } from '../../src/core/node/input.js';
import { DlmNode } from '../../src/core/node/node.js';

const newNode = (): DlmNode => new DlmNode({ self: nodeId(1), incarnation: incarnation(1) });
const join = (lockspace: string): Input => ({ kind: 'joinLockspace', lockspace, config: defaultConfig });
const leave = (lockspace: string, force = false): Input => ({ kind: 'leaveLockspace', lockspace, force });
const lock = (lockspace: string, owner = 1, flags = 0): LockInput => ({
  kind: 'lock', lockspace, owner: ownerId(owner), name: 'R', mode: EX, flags, value: null, cookie: null,
});
const kinds = (effects: readonly Effect[]): string[] => effects.map((effect) => (effect.kind === 'refuse' ? effect.code : effect.kind));

/** A node that has joined these lockspaces. */
function nodeIn(...lockspaces: string[]): DlmNode {
  const node = newNode();
  for (const name of lockspaces) assert.deepEqual(node.step(millis(0), join(name)), []);
  return node;
}

describe('routing', () => {
  test('a lock in one lockspace is none in another', () => {
    const node = nodeIn('one', 'two');
    assert.deepEqual(kinds(node.step(millis(0), lock('one'))), ['complete']);
    assert.deepEqual(kinds(node.step(millis(0), lock('two'))), ['complete']);
    assert.deepEqual(kinds(node.step(millis(0), { kind: 'unlock', lockspace: 'two', lkid: lkid(1), flags: 0, value: null })), ['ENOENT']);
    assert.equal(node.lockCount, 2);
  });

  test('the end of an owner reaches every lockspace, in the order of their names', () => {
    const node = nodeIn('b', 'a', 'c');
    for (const name of ['a', 'b', 'c']) {
      node.step(millis(0), lock(name, 1));
      node.step(millis(0), { ...lock(name, 2), cookie: name });
    }
    const granted = node.step(millis(0), { kind: 'endOwner', owner: ownerId(1) });
    assert.deepEqual(granted.map((effect) => effect.kind === 'complete' && effect.cookie), ['a', 'b', 'c']);
    assert.deepEqual(node.lockspaceNames(), ['a', 'b', 'c']);
  });

  test('a dump is of one lockspace, or of one resource in it', () => {
    const node = nodeIn('one');
    node.step(millis(0), lock('one'));
    assert.equal(node.dump('one')?.resources.length, 1);
    assert.equal(node.dump('one', 'R')?.resources.length, 1);
    assert.equal(node.dump('one', 'S')?.resources.length, 0);
    assert.equal(node.dump('two'), null);
  });
});

describe('what a node holds', () => {
  test('is counted by lockspace, orphans apart', () => {
    const node = nodeIn('one');
    node.step(millis(0), lock('one', 1, Flag.PERSISTENT));
    node.step(millis(0), lock('one', 2));
    node.step(millis(0), { kind: 'endOwner', owner: ownerId(1) });
    const { valueLength, resources, locks, orphans } = node.counts('one')!;
    assert.deepEqual({ valueLength, resources, locks, orphans }, { valueLength: 32, resources: 1, locks: 2, orphans: 1 });
    assert.equal(node.counts('two'), null);
    assert.deepEqual([node.hasOrphansOf(ownerId(1)), node.hasOrphansOf(ownerId(2))], [true, false]);
  });

  test('is told by owner, by lockspace, or both, without the orphans', () => {
    const node = nodeIn('one', 'two');
    for (const [name, owner] of [['one', 1], ['one', 2], ['two', 1]] as const) {
      node.step(millis(0), { ...lock(name, owner), cookie: `${name} ${owner}` });
    }
    const held = (owner: number | null, lockspace: string | null): unknown[] =>
      node.held(owner === null ? null : ownerId(owner), lockspace).map(({ cookie }) => cookie);
    assert.deepEqual(held(1, null), ['one 1', 'two 1']);
    assert.deepEqual(held(null, 'one'), ['one 1', 'one 2']);
    assert.deepEqual(held(2, 'two'), []);
    node.step(millis(0), { kind: 'endOwner', owner: ownerId(1) });
    assert.deepEqual(held(null, null), ['one 2']);
  });
});

describe('refused', () => {
  test('is every call in a lockspace that was not joined, with the call itself', () => {
    const node = newNode();
    const calls: Input[] = [
      lock('one'),
      { kind: 'convert', lockspace: 'one', lkid: lkid(1), mode: EX, flags: 0, value: null },
      { kind: 'unlock', lockspace: 'one', lkid: lkid(1), flags: 0, value: null },
      { kind: 'cancel', lockspace: 'one', lkid: lkid(1), flags: 0, status: 'ECANCEL' },
      { kind: 'purgeOwner', lockspace: 'one', owner: ownerId(1) },
      { kind: 'purgeOrphans', lockspace: 'one', formerOwner: null },
      leave('one'),
    ];
    for (const call of calls) {
      const [refusal] = node.step(millis(0), call);
      assert.ok(refusal?.kind === 'refuse');
      assert.deepEqual([refusal.code, refusal.rule?.name, refusal.call], ['ENOENT', 'lockspace-joined', call]);
    }
  });

  test('is joining a lockspace whose name makes the number of one that is joined: messages to one would reach the other', () => {
    const member = new DlmNode({ self: nodeId(1), incarnation: incarnation(1), hasEngine: true });
    assert.deepEqual(kinds(member.step(millis(0), join('ls-1dif4n9'))), ['announce']);
    const [refusal] = member.step(millis(0), join('ls-1xgswbs'));
    assert.ok(refusal?.kind === 'refuse');
    assert.deepEqual([refusal.code, refusal.rule?.name], ['EINVAL', 'lockspace-number-free']);
    assert.match(refusal.rule!.text, /that of lockspace 'ls-1dif4n9'/);
    assert.deepEqual(member.lockspaceNames(), ['ls-1dif4n9']);
    member.step(millis(0), leave('ls-1dif4n9'));
    assert.deepEqual(kinds(member.step(millis(0), join('ls-1xgswbs'))), ['announce']);
  });

  test('is leaving a lockspace that has locks, unless by force', () => {
    const node = nodeIn('one');
    node.step(millis(0), lock('one'));
    assert.deepEqual(kinds(node.step(millis(0), leave('one'))), ['EBUSY']);
    assert.deepEqual(node.step(millis(0), leave('one', true)), []);
    assert.equal(node.hasLockspace('one'), false);
    assert.equal(node.lockCount, 0);
  });

  test('is with its lockspace whatever has to wait there, and an end is forgotten', () => {
    const node = new DlmNode({ self: nodeId(1), incarnation: incarnation(1), hasEngine: true });
    node.step(millis(0), join('one'));
    const calls: Input[] = [lock('one'), { kind: 'purgeOrphans', lockspace: 'one', formerOwner: null }];
    for (const call of [...calls, { kind: 'endOwner', owner: ownerId(2) } as const]) assert.deepEqual(node.step(millis(0), call), []);
    const effects = node.step(millis(0), leave('one'));
    assert.deepEqual(effects.map((effect) => (effect.kind === 'refuse' ? [effect.call, effect.code] : effect.kind)), [
      'announce',
      ...calls.map((call) => [call, 'ENOENT']),
    ]);
  });

  test('is not joining a second time, which changes nothing', () => {
    const node = nodeIn('one');
    node.step(millis(0), lock('one'));
    assert.deepEqual(node.step(millis(0), join('one')), []);
    assert.equal(node.lockCount, 1);
  });
});

describe('deadlines', () => {
  const invalidate = (node: DlmNode, lockspace: string, now: number): void => {
    node.step(millis(now), lock(lockspace, now + 1));
    node.step(millis(now), { kind: 'endOwner', owner: ownerId(now + 1) });
  };

  test('there are none as long as nothing is to be forgotten', () => {
    const node = nodeIn('one');
    assert.equal(node.nextDeadline(), null);
    node.step(millis(0), lock('one'));
    assert.equal(node.nextDeadline(), null);
  });

  test('the next one is the earliest of all lockspaces, and gone when it was kept', () => {
    const node = nodeIn('one', 'two');
    invalidate(node, 'two', 5);
    invalidate(node, 'one', 7);
    assert.equal(node.nextDeadline(), 10_005);
    assert.deepEqual(node.step(millis(10_004), { kind: 'deadline' }), []);
    assert.equal(node.nextDeadline(), 10_005);
    node.step(millis(10_005), { kind: 'deadline' });
    assert.equal(node.nextDeadline(), 10_007);
    node.step(millis(10_007), { kind: 'deadline' });
    assert.equal(node.nextDeadline(), null);
  });

  test('a resource that is taken up again is not forgotten', () => {
    const node = nodeIn('one');
    invalidate(node, 'one', 0);
    node.step(millis(1), lock('one'));
    assert.equal(node.nextDeadline(), null);
  });
});

test('the same inputs at the same times have the same effects', () => {
  const inputs = Array.from({ length: 500 }, (_, index): [number, Input] => {
    const mode = modes[(index * 7) % 6]!;
    const lkidOfOld = lkid(1 + ((index * 13) % 40));
    const flags = index % 11 === 0 ? Flag.NOQUEUE : index % 17 === 0 ? Flag.PERSISTENT : 0;
    const calls: Input[] = [
      { ...lock('one', 1 + (index % 3), flags), mode, name: index % 2 === 0 ? 'R' : 'S' },
      { kind: 'convert', lockspace: 'one', lkid: lkidOfOld, mode, flags, value: null },
      { kind: 'unlock', lockspace: 'one', lkid: lkidOfOld, flags: 0, value: null },
      index % 50 === 0 ? { kind: 'endOwner', owner: ownerId(2) } : { kind: 'deadline' },
    ];
    return [index * 10, calls[(index * 5) % 4]!];
  });
  const run = (): string => {
    const node = nodeIn('one');
    const effects = inputs.map(([now, input]) => node.step(millis(now), input));
    return JSON.stringify([effects, node.dump('one'), node.nextDeadline()]);
  };
  assert.equal(run(), run());
  assert.match(run(), /"EAGAIN"|"wait"/);
});

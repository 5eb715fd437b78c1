/**
 * A lockspace keeps its resources apart by name, and forgets them with their
 * last lock; and its dump is a copy.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { millis, ownerId } from '../../src/core/base/ids.js';
import { EX, PR } from '../../src/core/lock/mode.js';
import type { Effect } from '../../src/core/node/effect.js';
import { Stage } from '../lock/story.js';

const lock = (stage: Stage, name: string, value: Uint8Array | null = null): Effect[] =>
  stage.node.step(millis(0), {
    kind: 'lock', lockspace: 'story', owner: ownerId(1), name, mode: EX, flags: value === null ? 0 : 8, value, cookie: name,
  });
const codeOf = ([effect]: Effect[]): string | undefined =>
  effect?.kind === 'refuse' ? `${effect.code} ${effect.rule?.name}` : effect?.kind;

describe('a name', () => {
  test('has 0 to 64 bytes', () => {
    const stage = new Stage();
    const answers = ['', 'x', 'x'.repeat(64), 'x'.repeat(65)].map((name) => codeOf(lock(stage, name)));
    assert.deepEqual(answers, ['complete', 'complete', 'complete', 'EINVAL name-length']);
  });

  test('may hold any bytes; two that differ in one are two resources', () => {
    const stage = new Stage();
    const names = ['\0', '\0\0', '\0\x01', '\xff', ' ', 'R', 'r'];
    for (const name of names) assert.equal(codeOf(lock(stage, name)), 'complete');
    for (const name of names) assert.equal(codeOf(lock(stage, name)), 'wait');
    assert.deepEqual(stage.node.dump('story')!.resources.map((resource) => resource.name), [...names].sort());
  });
});

describe('a value', () => {
  test('has exactly the length of the lockspace\'s values, in every call', () => {
    const stage = new Stage();
    for (const length of [0, 7, 9]) assert.equal(codeOf(lock(stage, 'R', new Uint8Array(length))), 'EINVAL valblk-needs-value');
    assert.equal(codeOf(lock(stage, 'R', new Uint8Array(8))), 'complete');
    const call = { lockspace: 'story', lkid: 1 as never, flags: 8, mode: PR } as const;
    for (const kind of ['convert', 'unlock'] as const) {
      assert.equal(codeOf(stage.node.step(millis(0), { kind, ...call, value: new Uint8Array(7) })), 'EINVAL valblk-needs-value');
    }
    assert.equal(codeOf(stage.node.step(millis(0), { kind: 'convert', ...call, value: null })), 'EINVAL valblk-needs-value');
  });

  test('is copied when it is written: what the caller does to its bytes afterwards changes nothing', () => {
    const stage = new Stage();
    lock(stage, 'R', new Uint8Array(8));
    const value = new Uint8Array(8).fill(1);
    stage.node.step(millis(0), { kind: 'convert', lockspace: 'story', lkid: 1 as never, mode: EX, flags: 8, value });
    value.fill(2);
    assert.deepEqual(stage.node.dump('story', 'R')!.resources[0]!.value, new Uint8Array(8).fill(1));
  });
});

describe('a dump', () => {
  test('shows a resource only while it has locks', () => {
    const stage = new Stage();
    assert.equal(stage.show('R'), 'nothing');
    stage.perform('A lock EX');
    stage.perform('B lock EX');
    assert.deepEqual([stage.node.lockCount, stage.node.dump('story')!.lockCount], [2, 2]);
    stage.perform('A unlock IVVALBLK');
    stage.perform('B unlock');
    assert.deepEqual(stage.node.dump('story')!.resources, []);
    assert.equal(stage.node.lockCount, 0);
  });

  test('tells an orphan and whose it was', () => {
    const stage = new Stage();
    stage.perform('A/7 lock EX PERSISTENT');
    stage.perform('owner 7 ends');
    const [orphan] = stage.node.dump('story', 'R')!.resources[0]!.granted;
    assert.deepEqual([orphan!.isOrphan, orphan!.owner], [true, 7]);
  });

  test('tells since when a lock has stood in its queue', () => {
    const stage = new Stage();
    stage.perform('A lock PR');
    stage.perform('5 ms pass');
    stage.perform('B lock EX');
    stage.perform('5 ms pass');
    stage.perform('A unlock');
    const [resource] = stage.node.dump('story', 'R')!.resources;
    assert.deepEqual(resource!.granted.map(({ since }) => since), [10]);
  });

  test('is a copy', () => {
    const stage = new Stage();
    stage.perform('A lock EX VALBLK');
    stage.perform('A convert EX VALBLK "v"');
    stage.node.dump('story', 'R')!.resources[0]!.value!.fill(0);
    assert.match(stage.show('R'), /value "v"/);
  });
});

/**
 * The sequence part of a token: it rises only when a grant excludes one that was
 * made under the current number, so that those who may work side by side share it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Resource } from '../../src/core/lock/resource.js';
import { nowhere } from '../../src/core/lockspace/resource-table.js';
import { compatible, modeNamed, modeNames, modes, type Mode } from '../../src/core/lock/mode.js';
import type { Effect } from '../../src/core/node/effect.js';
import { Stage } from './story.js';

/** The numbers that grants of these modes, one after another, are given. */
function tokensOf(text: string): number[] {
  const resource = new Resource('R', 1, nowhere);
  return text.split(' ').map((name) => resource.takeToken(modeNamed(name)!));
}

describe('a number', () => {
  test('starts at 1', () => assert.deepEqual(tokensOf('NL'), [1]));
  test('is shared by compatible holders', () => assert.deepEqual(tokensOf('PR PR CR NL PR'), [1, 1, 1, 1, 1]));
  test('rises with every exclusive grant', () => assert.deepEqual(tokensOf('EX EX EX'), [1, 2, 3]));
  test('rises once when readers follow a writer', () => assert.deepEqual(tokensOf('EX PR PR PR EX'), [1, 2, 2, 2, 3]));
  test('rises between PR and CW', () => assert.deepEqual(tokensOf('PR CW CW PR'), [1, 2, 2, 3]));
  test('does not rise for NL', () => assert.deepEqual(tokensOf('EX NL NL'), [1, 1, 1]));

  test('looks at all modes granted under it, not at the last', () => {
    assert.deepEqual(tokensOf('PR NL CW'), [1, 1, 2]);
    assert.deepEqual(tokensOf('CR CW CR EX'), [1, 1, 1, 2]);
  });

  test('has room for a great many grants', () => {
    const resource = new Resource('R', 1, nowhere);
    for (let grant = 1; grant <= 100_000; grant += 1) assert.equal(resource.takeToken(modeNamed('EX')!), grant);
  });
});

test('of any two grants that exclude each other, the later one has the greater number', () => {
  const sequences = modes.flatMap((a) => modes.flatMap((b) => modes.flatMap((c) => modes.map((d): Mode[] => [a, b, c, d]))));
  for (const sequence of sequences) {
    const resource = new Resource('R', 1, nowhere);
    const numbers = sequence.map((mode) => resource.takeToken(mode));
    for (const [earlier, mode] of sequence.entries()) {
      for (let later = earlier + 1; later < sequence.length; later += 1) {
        const story = sequence.map((one) => modeNames[one]).join(' ');
        if (compatible(mode, sequence[later]!)) assert.ok(numbers[later]! >= numbers[earlier]!, story);
        else assert.ok(numbers[later]! > numbers[earlier]!, story);
      }
    }
  }
});

test('a conversion takes a number like a grant, and a refused one keeps the old', () => {
  const stage = new Stage();
  stage.perform('A lock PR');
  stage.perform('B lock PR');
  assert.deepEqual(sequences(stage), [1, 1]);
  stage.perform('B unlock');
  stage.perform('A convert EX');
  assert.deepEqual(sequences(stage), [2]);
  stage.perform('A convert EX NOQUEUE');
  assert.deepEqual(sequences(stage), [3]);
  stage.perform('C lock NL');
  stage.perform('C convert EX NOQUEUE');
  assert.deepEqual(sequences(stage), [3, 3]);
});

test('a completion carries the number of its lock', () => {
  const stage = new Stage();
  stage.perform('A lock EX');
  const told = stage.node.step(0 as never, { kind: 'convert', lockspace: 'story', lkid: stage.idOf('A'), mode: modeNamed('PR')!, flags: 0, value: null });
  const complete = told.find((effect): effect is Extract<Effect, { kind: 'complete' }> => effect.kind === 'complete');
  assert.deepEqual([complete?.mastership, complete?.sequence], [1, 2]);
});

/** The numbers of the granted locks on R, the oldest lock first. */
function sequences(stage: Stage): number[] {
  const [resource] = stage.node.dump('story', 'R')!.resources;
  return [...resource!.granted].sort((one, other) => one.lkid - other.lkid).map(({ sequence }) => sequence);
}

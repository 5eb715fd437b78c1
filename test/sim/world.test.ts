/**
 * Worlds: the same seed is the same world, a node alone keeps every property, and
 * nodes that do not speak with one another are found out.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DlmNode } from '../../src/core/node/node.js';
import { realBreed, runWorld, type Report } from '../../src/core/sim/run.js';
import { Tally, seedCommand } from '../../src/core/sim/stakes.js';
import type { Breed } from '../../src/core/sim/world.js';

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

function explain({ failure, ...report }: Report): string {
  return failure === null ? '' : `${failure.property}: ${failure.message}\n${failure.where ?? failure.story.join('\n')}\n${seedCommand(report)}`;
}

describe('the same seed', () => {
  for (const nodes of [1, 3, 5]) {
    test(`is the same world, with ${nodes} nodes`, () => {
      for (const seed of [3, 4]) {
        const [first, again] = [runWorld({ seed, nodes, minutes: 1 }), runWorld({ seed, nodes, minutes: 1 })];
        assert.equal(again.fingerprint, first.fingerprint);
        assert.deepEqual(again, first);
      }
    });
  }

  test('and another seed another', () => {
    const fingerprints = seeds(10).map((seed) => runWorld({ seed, nodes: 1, minutes: 1 }).fingerprint);
    assert.equal(new Set(fingerprints).size, 10);
  });
});

describe('a node alone', () => {
  test('keeps every property, and each was at stake', () => {
    const tally = new Tally();
    for (const seed of seeds(150)) {
      const report = runWorld({ seed, nodes: 1, minutes: 1 });
      assert.equal(report.failure, null, explain(report));
      tally.add(report);
    }
    const { stakes, faults } = tally;
    for (const [property, kind] of [
      ['exclusion', 'grants'],
      ['departed', 'grantsPast'],
      ['pairing', 'completions'],
      ['tokens', 'conflicting'],
      ['fairness', 'pairs'],
      ['value-block', 'reads'],
      ['value-block', 'invalid'],
      ['bypass', 'waiting'],
      ['deadlocks', 'told'],
      ['masters', 'resources'],
      ['holdings', 'waiting'],
      ['notices', 'inTheWay'],
      ['notices', 'deaf'],
      ['orphans', 'orphans'],
      ['progress', 'explained'],
      ['leftovers', 'drained'],
    ] as const) {
      assert.ok(stakes[property]![kind]! > 0, `${property} ${kind} was never at stake`);
    }
    assert.ok(faults.crash! > 50 && faults.pause! > 50 && faults.leaveLockspace! > 50);
  });
});

describe('found out', () => {
  /** Nodes that each take themselves for all there is. */
  const strangers: Breed = {
    ...realBreed(3),
    bear: ({ self, incarnation }) => {
      const node = new DlmNode({ self, incarnation });
      return {
        step: (now, input) => (input.kind === 'view' || input.kind === 'received' ? [] : node.step(now, input)),
        nextDeadline: () => node.nextDeadline(),
        nameOf: () => null, isQueued: () => false, modeOf: () => null,
      };
    },
  };

  test('nodes that do not speak with one another', () => {
    const broken = seeds(20).map((seed) => runWorld({ seed, nodes: 3, minutes: 1 }, strangers).failure?.property ?? null);
    assert.ok(!broken.includes(null), broken.join());
    assert.ok(broken.includes('exclusion') && broken.includes('tokens'), broken.join());
  });

  test('a node that fails an assertion', () => {
    const breed: Breed = { ...realBreed(1), bear: () => ({ step: () => { throw new Error('wrong about itself'); }, nextDeadline: () => null, nameOf: () => null, isQueued: () => false, modeOf: () => null }) };
    const { failure } = runWorld({ seed: 1, nodes: 1, minutes: 1 }, breed);
    assert.equal(failure?.property, 'error');
    assert.match(failure.where!, /world\.test/);
  });

  test('the command that repeats a seed is told', () => {
    assert.equal(seedCommand(runWorld({ seed: 12, nodes: 3, minutes: 2 })), 'dlm sim run --seed 12 --nodes 3 --minutes 2');
  });
});

/**
 * Every conversion there is, alone and beside one holder of every mode: granted,
 * queued, or refused with NOQUEUE. What is expected is worked out from the table
 * of compatible pairs below, and from nothing in src.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { modeNames, type ModeName } from '../../src/core/lock/mode.js';
import { Stage } from './story.js';

/** Who may be held beside whom. */
const beside: Readonly<Record<ModeName, readonly ModeName[]>> = {
  NL: ['NL', 'CR', 'CW', 'PR', 'PW', 'EX'],
  CR: ['NL', 'CR', 'CW', 'PR', 'PW'],
  CW: ['NL', 'CR', 'CW'],
  PR: ['NL', 'CR', 'PR'],
  PW: ['NL', 'CR'],
  EX: ['NL'],
};

/** Every pair of modes that two locks can hold at once. */
const pairs = modeNames.flatMap((held) => beside[held].map((other) => [held, other] as const));

/** B stands on G in `held`, K beside it in `other`. */
function stageOf(held: ModeName, other: ModeName | null): Stage {
  const stage = new Stage();
  if (other !== null) stage.perform(`K lock ${other}`);
  assert.deepEqual(stage.perform(`B lock ${held}`), [`B OK ${held}`]);
  return stage;
}

describe('a lone lock', () => {
  test('is converted to any mode at once', () => {
    for (const from of modeNames) {
      for (const to of modeNames) {
        for (const flags of ['', 'NOQUEUE', 'HEADQUE', 'NOORDER', 'CONVDEADLK', 'ALTPR', 'ALTCW', 'NODLCKWT']) {
          const stage = stageOf(from, null);
          assert.deepEqual(stage.perform(`B convert ${to} ${flags}`), [`B OK ${to}`]);
          assert.equal(stage.show('R'), `G[B:${to}]`);
        }
      }
    }
  });
});

describe('beside one holder', () => {
  const cases = pairs.flatMap(([from, other]) => modeNames.map((to) => ({ from, other, to, fits: beside[other].includes(to) })));

  test('there are 20 pairs that two locks can hold, and so 120 conversions', () => {
    assert.deepEqual([pairs.length, cases.length], [20, 120]);
  });

  test('a conversion that is compatible with the holder is granted at once', () => {
    for (const { from, other, to } of cases.filter(({ fits }) => fits)) {
      for (const flags of ['', 'NOQUEUE', 'HEADQUE', 'NOORDER']) {
        const stage = stageOf(from, other);
        assert.deepEqual(stage.perform(`B convert ${to} ${flags}`), [`B OK ${to}`]);
        assert.equal(stage.show('R'), `G[K:${other} B:${to}]`);
      }
    }
  });

  test('one that is not keeps its mode, waits, and the holder is told', () => {
    for (const { from, other, to } of cases.filter(({ fits }) => !fits)) {
      const stage = stageOf(from, other);
      assert.deepEqual(stage.perform(`B convert ${to}`).sort(), ['B waits', `K blocks ${to}`]);
      assert.equal(stage.show('R'), `G[K:${other}] C[B:${from}>${to}]`);
    }
  });

  test('with NOQUEUE it is refused, and keeps its mode as well', () => {
    for (const { from, other, to } of cases.filter(({ fits }) => !fits)) {
      const stage = stageOf(from, other);
      assert.deepEqual(stage.perform(`B convert ${to} NOQUEUE`), [`B EAGAIN ${from}`]);
      assert.equal(stage.show('R'), `G[K:${other} B:${from}]`);
      assert.deepEqual(stage.perform(`B convert ${to} NOQUEUE NOQUEUEBAST`).sort(), [`B EAGAIN ${from}`, `K blocks ${to}`]);
    }
  });

  test('down is always among those granted at once', () => {
    for (const { from, to, fits } of cases) {
      const isDown = modeNames.indexOf(to) < modeNames.indexOf(from) && !(from === 'PR' && to === 'CW');
      if (isDown) assert.ok(fits);
    }
  });

  test('a conversion that waits is granted when the holder goes', () => {
    for (const { from, other, to } of cases.filter(({ fits }) => !fits)) {
      const stage = stageOf(from, other);
      stage.perform(`B convert ${to}`);
      assert.deepEqual(stage.perform('K unlock').sort(), [`B OK ${to}`, 'K EUNLOCK']);
      assert.equal(stage.show('R'), `G[B:${to}]`);
    }
  });

  test('ALTPR and ALTCW take the alternative where only it is compatible', () => {
    for (const { from, other, to } of cases.filter(({ fits }) => !fits)) {
      for (const alternative of ['PR', 'CW'] as const) {
        const stage = stageOf(from, other);
        const words = stage.perform(`B convert ${to} ALT${alternative}`).sort();
        const isTaken = to !== alternative && beside[other].includes(alternative);
        assert.deepEqual(words, isTaken ? [`B OK ${alternative} +ALTMODE`] : ['B waits', `K blocks ${to}`]);
      }
    }
  });
});

describe('a new request beside one holder', () => {
  const cases = modeNames.flatMap((held) => modeNames.map((asked) => ({ held, asked, fits: beside[held].includes(asked) })));

  function stageWith(held: ModeName): Stage {
    const stage = new Stage();
    stage.perform(`K lock ${held}`);
    return stage;
  }

  test('is granted if it is compatible, and else waits, and the holder is told', () => {
    for (const { held, asked, fits } of cases) {
      const stage = stageWith(held);
      assert.deepEqual(stage.perform(`B lock ${asked}`).sort(), fits ? [`B OK ${asked}`] : ['B waits', `K blocks ${asked}`]);
      assert.equal(stage.show('R'), fits ? `G[K:${held} B:${asked}]` : `G[K:${held}] W[B>${asked}]`);
    }
  });

  test('with NOQUEUE is refused instead, and leaves nothing behind', () => {
    for (const { held, asked, fits } of cases) {
      const stage = stageWith(held);
      assert.deepEqual(stage.perform(`B lock ${asked} NOQUEUE`), [fits ? `B OK ${asked}` : 'B EAGAIN']);
      if (!fits) assert.deepEqual(stage.perform('B unlock'), ['refused ENOENT']);
      if (!fits) assert.equal(stage.show('R'), `G[K:${held}]`);
    }
  });
});

/**
 * Outside a quorate view a lock can be given back, and nothing can be taken.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerId, type Lkid } from '../../src/core/base/ids.js';
import { Prng } from '../../src/core/base/prng.js';
import { Flag, Result } from '../../src/core/lock/flags.js';
import { EX, IV, PR } from '../../src/core/lock/mode.js';
import type { Effect } from '../../src/core/node/effect.js';
import { Troupe } from '../cluster/troupe.js';

const value = new Uint8Array(32).fill(7);

/** Two nodes; the first has written a value and holds EX, the second waits to read it. */
function begin(): { troupe: Troupe; effects: [number, Effect][]; lkidOf: (node: number) => Lkid } {
  const effects: [number, Effect][] = [];
  const prng = new Prng('not quorate');
  const troupe = new Troupe((count) => prng.below(count), (node, effect) => effects.push([node, effect]));
  troupe.start(1);
  troupe.start(2);
  troupe.settle();
  troupe.joinAll('a');
  const lkidOf = (node: number): Lkid => effects.flatMap(([of, effect]) => (of === node && effect.kind === 'complete' ? [effect.lkid] : [])).at(-1)!;
  for (const node of [1, 2]) {
    const mode = node === 1 ? EX : PR;
    troupe.input(node, { kind: 'lock', lockspace: 'a', owner: ownerId(node), name: 'r', mode, flags: Flag.VALBLK, value, cookie: `c${node}` });
    troupe.settle();
    // A conversion downward writes.
    if (node === 1) for (const next of [PR, EX] as const) troupe.input(1, { kind: 'convert', lockspace: 'a', lkid: lkidOf(1), mode: next, flags: Flag.VALBLK, value });
    troupe.settle();
  }
  return { troupe, effects, lkidOf };
}

test('an unlock ends the lock for its owner at once, and for the others when there is a quorum again', () => {
  const { troupe, effects, lkidOf } = begin();
  const held = lkidOf(1);
  troupe.newView(false);
  troupe.settle();
  assert.equal(troupe.standing('a'), 'n1: no quorum, n2: no quorum');
  effects.length = 0;

  troupe.input(1, { kind: 'unlock', lockspace: 'a', lkid: held, flags: Flag.VALBLK, value });
  const [told] = effects.flatMap(([, effect]) => (effect.kind === 'complete' ? [effect] : []));
  assert.equal(told?.status, 'EUNLOCK');
  assert.equal(told.mode, IV);
  assert.equal(told.results, Result.NOTSTORED, 'its value is not stored, and it is told so');
  troupe.settle();
  assert.ok(!effects.some(([node, effect]) => node === 2 && effect.kind === 'complete'), 'nothing is granted outside a quorate view');

  troupe.newView(true);
  troupe.settle();
  const granted = effects.flatMap(([node, effect]) => (node === 2 && effect.kind === 'complete' ? [effect] : []));
  assert.deepEqual(granted.map(({ status, mode }) => [status, mode]), [['OK', PR]]);
  assert.equal(granted[0]!.results & Result.VALNOTVALID, Result.VALNOTVALID, 'what the holder had written is lost');
  assert.equal(effects.filter(([node, effect]) => node === 1 && effect.kind === 'complete').length, 1, 'the owner hears of it once');
});

test('a request waits for a quorate view', () => {
  const { troupe, effects, lkidOf } = begin();
  troupe.newView(false);
  troupe.settle();
  troupe.input(1, { kind: 'unlock', lockspace: 'a', lkid: lkidOf(1), flags: 0, value: null });
  effects.length = 0;
  troupe.input(1, { kind: 'lock', lockspace: 'a', owner: ownerId(3), name: 'other', mode: EX, flags: 0, value: null, cookie: 'late' });
  troupe.settle();
  assert.equal(effects.length, 0);
  troupe.newView(true);
  troupe.settle();
  assert.ok(effects.some(([node, effect]) => node === 1 && effect.kind === 'complete' && effect.cookie === 'late' && effect.status === 'OK'));
});

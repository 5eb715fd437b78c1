/**
 * Outside a quorate view a lock can be given back, and nothing can be taken.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerId, type Lkid } from '../../src/core/base/ids.js';
import { Prng } from '../../src/core/base/prng.js';
import { Flag, Result } from '../../src/core/lock/flags.js';
import { EX, IV, NL, PR } from '../../src/core/lock/mode.js';
import type { Effect } from '../../src/core/node/effect.js';
import { parseScript } from '../../src/core/sim/scenario/script.js';
import { Stage } from '../../src/core/sim/scenario/stage.js';
import { perform } from '../../src/core/sim/scenario/verbs.js';
import { Troupe } from '../cluster/troupe.js';

const value = new Uint8Array(32).fill(7);

/** Node 2 holds EX of what node 1 masters, or node 1 itself does, and has written a value; the other one waits to read it. */
function hold(holder: number): { troupe: Troupe; effects: [number, Effect][]; lkidOf(node: number): Lkid; settled(node: number): string[] } {
  const effects: [number, Effect][] = [];
  const prng = new Prng(`hold ${holder}`);
  const troupe = new Troupe((count) => prng.below(count), (node, effect) => effects.push([node, effect]));
  troupe.start(1);
  troupe.start(2);
  troupe.settle();
  troupe.joinAll('a');
  const lkidOf = (node: number): Lkid => effects.flatMap(([of, effect]) => (of === node && effect.kind === 'complete' ? [effect.lkid] : [])).at(-1)!;
  const settled = (node: number): string[] =>
    effects.flatMap(([of, effect]) => (of === node && effect.kind === 'complete' ? [`${effect.status} ${effect.mode} ${effect.results}`] : []));
  const take = (node: number, mode: typeof EX | typeof PR | typeof NL): void => {
    troupe.input(node, { kind: 'lock', lockspace: 'a', owner: ownerId(node), name: 'r', mode, flags: Flag.VALBLK, value, cookie: `c${node}` });
    troupe.settle();
  };
  // Whoever comes first is the master.
  if (holder === 2) take(1, NL);
  take(holder, EX);
  // A conversion downward writes.
  for (const next of [PR, EX] as const) {
    troupe.input(holder, { kind: 'convert', lockspace: 'a', lkid: lkidOf(holder), mode: next, flags: Flag.VALBLK, value });
    troupe.settle();
  }
  take(3 - holder, PR);
  effects.splice(0, effects.findLastIndex(([node, effect]) => node === holder && effect.kind === 'complete'));
  return { troupe, effects, lkidOf, settled };
}

test('an unlock ends the lock for its owner at once, and for the others when there is a quorum again', () => {
  const { troupe, effects, lkidOf } = hold(1);
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
  const { troupe, effects, lkidOf } = hold(1);
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

for (const [where, holder] of [['here', 1], ['elsewhere', 2]] as const) {
  for (const to of [PR, NL] as const) {
    test(`a lock mastered ${where} is converted downward to ${to} at once, and others are let in when there is a quorum again`, () => {
      const { troupe, effects, lkidOf, settled } = hold(holder);
      const held = lkidOf(holder);
      troupe.newView(false);
      troupe.settle();
      effects.length = 0;

      troupe.input(holder, { kind: 'convert', lockspace: 'a', lkid: held, mode: to, flags: Flag.VALBLK, value });
      const [told, ...more] = settled(holder);
      const [status, mode, results] = told!.split(' ');
      assert.deepEqual([status, mode, more.length], ['OK', String(to), 0]);
      assert.ok((Number(results) & Result.NOTSTORED) !== 0, 'its value is not stored, and it is told so');
      troupe.settle();
      assert.deepEqual(settled(3 - holder), [], 'nothing is granted outside a quorate view');

      troupe.newView(true);
      troupe.settle();
      assert.deepEqual(settled(3 - holder), [`OK ${PR} ${Result.VALNOTVALID}`], 'what the holder had written is lost');
      assert.equal(settled(holder).length, 1, 'the owner hears of it once');
      troupe.input(holder, { kind: 'unlock', lockspace: 'a', lkid: held, flags: 0, value: null });
      troupe.settle();
      assert.equal(settled(holder).length, 2, 'the lock goes on as ever');
    });
  }

  test(`what is asked next of a lock mastered ${where} waits for what has been told early`, () => {
    const { troupe, effects, lkidOf, settled } = hold(holder);
    const held = lkidOf(holder);
    troupe.newView(false);
    troupe.settle();
    effects.length = 0;
    troupe.input(holder, { kind: 'convert', lockspace: 'a', lkid: held, mode: PR, flags: 0, value: null });
    troupe.input(holder, { kind: 'convert', lockspace: 'a', lkid: held, mode: EX, flags: 0, value: null });
    assert.equal(settled(holder).length, 1, 'what takes something waits');
    troupe.newView(true);
    troupe.settle();
    assert.ok(effects.every(([, { kind }]) => kind !== 'refuse'));
    assert.equal(settled(3 - holder).length, 1, 'the reader is let in');
    troupe.input(3 - holder, { kind: 'unlock', lockspace: 'a', lkid: lkidOf(3 - holder), flags: 0, value: null });
    troupe.settle();
    assert.equal(settled(holder).at(-1)!.split(' ').slice(0, 2).join(' '), `OK ${EX}`);
  });

  test(`a lock mastered ${where} that was converted downward can be given back before anybody hears of it`, () => {
    const { troupe, effects, lkidOf, settled } = hold(holder);
    const held = lkidOf(holder);
    troupe.newView(false);
    troupe.settle();
    effects.length = 0;
    troupe.input(holder, { kind: 'convert', lockspace: 'a', lkid: held, mode: PR, flags: 0, value: null });
    troupe.input(holder, { kind: 'unlock', lockspace: 'a', lkid: held, flags: 0, value: null });
    assert.deepEqual(settled(holder).map((line) => line.split(' ')[0]), ['OK', 'EUNLOCK']);
    troupe.newView(true);
    troupe.settle();
    assert.equal(settled(holder).length, 2);
    assert.equal(settled(3 - holder).length, 1);
    troupe.input(3 - holder, { kind: 'convert', lockspace: 'a', lkid: lkidOf(3 - holder), mode: EX, flags: 0, value: null });
    troupe.settle();
    assert.equal(settled(3 - holder).at(-1)!.split(' ').slice(0, 2).join(' '), `OK ${EX}`, 'nothing is left of it');
  });
}

for (const [where, holder] of [['here', 1], ['elsewhere', 2]] as const) {
  for (const kind of ['convert', 'unlock'] as const) {
    test(`the engine was silent, and nobody has noticed: ${kind} of a lock mastered ${where} is made good`, () => {
      const { troupe, effects, lkidOf, settled } = hold(holder);
      const held = lkidOf(holder);
      troupe.input(holder, { kind: 'engineDeadline' });
      effects.length = 0;
      troupe.input(holder, { kind, lockspace: 'a', lkid: held, mode: NL, flags: 0, value: null });
      assert.equal(settled(holder).length, 1);
      troupe.newView(true);
      troupe.settle();
      assert.equal(settled(holder).length, 1);
      assert.equal(settled(3 - holder).length, 1, 'the reader is let in');
    });
  }
}

test('a lock that no master knows is given back once', () => {
  const stage = new Stage();
  const tell = (text: string): void => parseScript(`${text}\n----\n`).forEach(({ commands }) => commands.forEach((command) => perform(stage, command)));
  tell('cluster 3 disk0@2\nlock 3 disk0 NL\nlock 2 disk0 NL\nhold 1>2 proceed:directory\ncrash 3\nview\nview quorate=no');
  const { locks } = stage.node(2).stack('story')!.lockspace;
  const lkid = stage.locks.get('2 disk0')!.lkid!;
  for (let count = 0; count < 2; count += 1) stage.step(2, { kind: 'unlock', lockspace: 'story', lkid, flags: 0, value: null });
  assert.equal(stage.locks.size, 0, 'its owner was told');
  assert.equal(locks.size, 1, 'there it is until it can be ended');
  tell('release\nview');
  assert.equal(locks.size, 0);
});

/**
 * What follows failures, in every order there is: random stories, in which an onlooker
 * sees to it that nobody begins too early, and in the end everything goes on.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Prng } from '../../src/core/base/prng.js';
import { Aftermath } from './aftermath.js';

const orders: readonly [order: string, hasApplications: boolean][] = [
  ['gfs', true],
  ['fence-first', false],
  ['none', false],
  ['suspend<dlm fence<dlm dlm<app app<resume', true],
  ['suspend<dlm fence<resume dlm<resume', true],
  ['fence<app app<dlm', true],
];

/** One story: nodes come, fail, leave and come back, while everything else goes on. */
function live(seed: number, order: string, hasApplications: boolean): Aftermath {
  const prng = new Prng(`aftermath ${seed}`);
  const stage = new Aftermath((count) => prng.below(count), order, hasApplications);
  const count = prng.between(2, 5);
  for (let id = 1; id <= count; id += 1) stage.start(id);
  if (prng.chance(700)) stage.settle();
  for (let act = 0; act < prng.between(1, 6); act += 1) {
    const up = stage.up.map(({ id }) => id);
    const down = Array.from({ length: count }, (_, index) => index + 1).filter((id) => !up.some((one) => one === id));
    const kind = prng.below(10);
    if (kind < 5 && up.length > 1) stage.fail(prng.pick(up), prng.pick(['zombie', 'off']));
    else if (kind < 6 && up.length > 1) stage.leave(prng.pick(up));
    else if (kind < 8 && up.length > 0) stage.cut(prng.pick(up));
    else if (down.length > 0) {
      const id = prng.pick(down);
      // Whoever is started anew has been switched off before.
      for (const life of stage.lives) if (life.id === id) life.state = 'off';
      stage.start(id);
    }
    for (let turns = prng.pick([0, 3, 30, 300]); turns > 0 && stage.turn(); turns -= 1);
  }
  stage.settle();
  stage.assertAllGoOn();
  return stage;
}

const seeds = Number(process.env['SEEDS'] ?? 400);

describe(`${seeds} stories of failures`, () => {
  for (const [order, hasApplications] of orders) {
    test(`in the order ${order}`, (t) => {
      const sum: Record<string, number> = {};
      for (let seed = 1; seed <= seeds; seed += 1) {
        try {
          for (const [what, count] of Object.entries(live(seed, order, hasApplications).counts)) sum[what] = (sum[what] ?? 0) + count;
        } catch (error) {
          throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
        }
      }
      t.diagnostic(Object.entries(sum).map(([what, count]) => `${what} ${count}`).join(', '));
      const needed = ['zombie', 'off', 'left', 'cut', 'dlm', 'fence', 'attempt failed'];
      if (order === 'gfs') needed.push('fence before dlm', 'dlm before fence', 'recover', 'resume', 'recovery failed', 'dlm while a zombie may write');
      for (const what of needed) assert.ok((sum[what] ?? 0) > 0, `${what} never happened`);
    });
  }
});

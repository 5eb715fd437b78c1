/**
 * Chance repeats itself: the same seed draws the same, a fork draws what its label
 * says, whatever was drawn before.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Prng } from '../../src/core/base/prng.js';

const draw = (prng: Prng, count = 20): number[] => Array.from({ length: count }, () => prng.next());

describe('prng', () => {
  test('the same seed draws the same, another seed something else', () => {
    assert.deepEqual(draw(new Prng('7')), draw(new Prng('7')));
    assert.notDeepEqual(draw(new Prng('7')), draw(new Prng('8')));
  });

  test('a fork does not depend on what was drawn before it', () => {
    const used = new Prng('7');
    draw(used);
    assert.deepEqual(draw(used.fork('network')), draw(new Prng('7').fork('network')));
    assert.notDeepEqual(draw(used.fork('network')), draw(used.fork('engine')));
  });

  test('a range has both its ends, and every value about as often', () => {
    const prng = new Prng('ranges');
    const counts = [0, 0, 0, 0];
    for (let round = 0; round < 8000; round += 1) counts[prng.between(2, 5) - 2]! += 1;
    for (const count of counts) assert.ok(count > 1800 && count < 2200, `${counts}`);
  });

  test('weights and chances are kept', () => {
    const prng = new Prng('weights');
    const drawn = { never: 0, seldom: 0, often: 0 };
    for (let round = 0; round < 8000; round += 1) drawn[prng.weighted([['never', 0], ['seldom', 1], ['often', 3]] as const)] += 1;
    assert.equal(drawn.never, 0);
    assert.ok(drawn.often > 2.5 * drawn.seldom && drawn.often < 3.5 * drawn.seldom, JSON.stringify(drawn));
    assert.equal(prng.chance(0), false);
    assert.equal(prng.chance(1000), true);
  });

  test('shuffling loses nothing', () => {
    const things = [1, 2, 3, 4, 5, 6, 7, 8];
    const mixed = new Prng('cards').shuffled(things);
    assert.notDeepEqual(mixed, things);
    assert.deepEqual([...mixed].sort(), things);
  });
});

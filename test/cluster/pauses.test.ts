/**
 * An application that cannot put a slot in order is asked again, where nobody else could be:
 * after a pause that grows, which is told. Who has not failed at it is asked at once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/core/base/prng.js';
import { millis } from '../../src/core/base/ids.js';
import { Aftermath } from './aftermath.js';

const ls = 'data';

function stageOf(nodes: readonly number[]): Aftermath {
  const prng = new Prng('pauses');
  const stage = new Aftermath((count) => prng.below(count), 'gfs', true);
  for (const id of nodes) stage.start(id);
  stage.settle();
  return stage;
}

/** Go on until this node is asked to put something in order, and have it try in vain. Returns when it was asked, and what was told right after. */
function failOnce(stage: Aftermath, id: number): { at: number; words: string } {
  const life = stage.life(id);
  while (life.work.length === 0) assert.ok(stage.turn(), `node ${id} is asked: ${stage.standing()}`);
  const [work] = life.work.splice(0);
  const at = stage.now;
  stage.input(life, { kind: 'slotRecovered', lockspace: ls, slot: work!.slot, since: work!.since, isDone: false });
  return { at, words: life.node.standstill(ls)!.words };
}

test('the only application that could do it is asked again after one second, and after twice as long each time', () => {
  const stage = stageOf([1, 2]);
  stage.fail(2, 'off');
  const first = failOnce(stage, 1);
  assert.match(first.words, /^slot 2 of node 2 is to be recovered by node 1, after 1 attempt in vain, the next one 1 s after the last$/);
  assert.deepEqual(stage.life(1).work, [], 'it is not asked at once');
  const asked = [first, ...Array.from({ length: 6 }, () => failOnce(stage, 1))];
  assert.deepEqual(asked.map(({ at }, index) => at - (asked[index - 1]?.at ?? at)), [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
  assert.match(asked.at(-1)!.words, /, after 7 attempts in vain, the next one 32 s after the last$/);
  stage.settle();
  stage.assertAllGoOn();
});

test('a pause that is over asks for no time any more, also where nothing may begin', () => {
  const stage = stageOf([1, 2]);
  stage.fail(2, 'off');
  failOnce(stage, 1);
  const { node } = stage.life(1);
  const until = node.nextDeadline()!;
  assert.equal(until, stage.now + 1_000);
  stage.input(stage.life(1), { kind: 'engineDeadline' });
  stage.now = until;
  stage.input(stage.life(1), { kind: 'deadline' });
  assert.ok((node.nextDeadline() ?? Infinity) > until);
  assert.deepEqual(stage.life(1).work, []);
  stage.newView();
  stage.settle();
  stage.assertAllGoOn();
});

test('where others could do it they are asked at once, and each waits only for what it has tried itself', () => {
  const stage = stageOf([1, 2, 3]);
  stage.fail(3, 'off');
  const asked = [1, 2, 1, 2, 1].map((id) => failOnce(stage, id).at);
  assert.deepEqual(asked, [0, 0, 1_000, 1_000, 3_000].map((after) => millis(asked[0]! + after)));
});

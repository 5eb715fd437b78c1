/**
 * A slot that no application survives putting in order: each that tries it ends, with its
 * node, and comes back to be asked again. What such a one leaves behind it has not touched,
 * since it had never resumed, or been granted a lock where nobody resumes; so the list of what is to be put in order does not grow.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId } from '../../src/core/base/ids.js';
import { Prng } from '../../src/core/base/prng.js';
import { Aftermath, fencingOn } from './aftermath.js';

const ls = 'data';

const pendingAt = (stage: Aftermath, id: number): (number | null)[] => stage.life(id).node.stack(ls)!.aftermath.work.pending.map(({ slot }) => slot);

function stageOf(order: string, seed: number, nodes: readonly number[]): Aftermath {
  const prng = new Prng(`poison ${seed}`);
  const stage = new Aftermath((count) => prng.below(count), order, true, { ...fencingOn, startup: [] });
  for (const id of nodes) stage.start(id);
  stage.settle();
  return stage;
}

/** Have all who are up recovered the locks of the others together, or are about to? */
function knowAll(stage: Aftermath): boolean {
  const ids = stage.up.map(({ id }) => id).sort().join();
  return stage.up.every(({ node }) => {
    const recovery = node.stack(ls)?.recovery;
    return recovery !== undefined && recovery.phase !== 'members' && recovery.slots.map((member) => member.node).join() === ids && node.view!.members.map((member) => member.node).join() === ids;
  });
}

/** Go on until somebody is at work. */
function askedIn(stage: Aftermath): number {
  for (let turns = 0; turns < 10_000; turns += 1) {
    const asked = stage.up.find(({ work }) => work.length > 0);
    if (asked !== undefined) return asked.id;
    assert.ok(stage.turn(), `somebody is asked: ${stage.standing()}`);
  }
  return assert.fail(`nobody is asked: ${stage.standing()}`);
}

for (const order of ['gfs', 'suspend<dlm fence<dlm dlm<app app<resume', 'fence<app app<dlm']) {
  test(`whoever tries it ends with its node and comes again: no more is to be done than before (${order})`, () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const stage = stageOf(order, seed, [1, 2, 3]);
      stage.fail(3, 'off');
      for (let round = 0; round < 20; round += 1) {
        const id = askedIn(stage);
        // It is at it until all know all: who is asked and never answers.
        stage.life(id).work.splice(0);
        while (!knowAll(stage) && stage.turn());
        stage.fail(id, 'off');
        // An agent may have switched off whoever has come back just then.
        for (const one of [1, 2]) if (!stage.up.some((life) => life.id === nodeId(one))) stage.start(one);
      }
      const id = askedIn(stage);
      assert.deepEqual(pendingAt(stage, id).sort(), [1, 2, 3], `seed ${seed}`);
      stage.settle();
      stage.assertAllGoOn();
    }
  });
}

test('what has resumed and fails in the middle of a recovery is to be put in order, also where only a newcomer is left to say so', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const stage = stageOf('gfs', seed, [1, 2]);
    stage.start(3);
    // The newcomer has recovered the locks together with the others, and nobody has resumed since.
    while (stage.life(3).node.stack(ls)?.recovery.phase !== 'directory') assert.ok(stage.turn());
    stage.fail(1, 'off');
    stage.fail(2, 'off');
    askedIn(stage);
    assert.deepEqual(pendingAt(stage, 3), [1, 2], `seed ${seed}`);
    stage.settle();
    stage.assertAllGoOn();
  }
});

test('what may have resumed as far as a survivor knows is to be put in order', () => {
  const resumed = new Set<boolean>();
  for (let seed = 1; seed <= 60; seed += 1) {
    const stage = stageOf('gfs', seed, [1, 2]);
    stage.start(3);
    const survivor = stage.life(2);
    // It has done its part for all to resume, and has not heard whether they may.
    while (survivor.node.stack(ls)!.recovery.phase !== 'resume' || survivor.node.stack(ls)!.recovery.asks !== null) {
      assert.ok(stage.turn());
      if (stage.life(3).app === 'running') break;
    }
    for (let turns = seed % 4; turns > 0; turns -= 1) stage.turn();
    const hadResumed = stage.life(3).app === 'running';
    resumed.add(hadResumed);
    stage.fail(3, 'off');
    let hasSeen = false;
    for (let turns = 0; turns < 10_000 && stage.turn(); turns += 1) hasSeen ||= pendingAt(stage, 2).includes(3);
    if (hadResumed) assert.ok(hasSeen, `seed ${seed}`);
    stage.settle();
    stage.assertAllGoOn();
  }
  assert.ok(resumed.has(true));
});

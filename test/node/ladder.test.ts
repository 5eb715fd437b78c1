/**
 * What a lockspace waits for is said at each rung, with whom and why.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/core/base/prng.js';
import { nodeId } from '../../src/core/base/ids.js';
import { Aftermath, fencingOn } from '../cluster/aftermath.js';

/** Whoever asks is the lowest node. */
const rungOf = (stage: Aftermath): string => {
  const [life] = [...stage.up].sort((one, other) => one.id - other.id);
  const standstill = life!.node.standstill('data');
  return standstill === null ? 'nothing' : `${standstill.rung} ${standstill.waitsFor.join(',')}: ${standstill.words}`;
};

test('the rungs of a failure under gfs, from the first to the last', () => {
  const prng = new Prng('ladder');
  const stage = new Aftermath((count) => prng.below(count), 'gfs', true, { ...fencingOn, startup: [] });
  for (const id of [1, 2, 3]) stage.start(id);
  assert.equal(rungOf(stage), 'ringid : no view shows this node in the lockspace yet');
  stage.settle();
  assert.equal(rungOf(stage), 'nothing');

  stage.areAgentsBroken = true;
  stage.fail(3, 'zombie');
  const seen = new Set<string>();
  for (let turns = 0; stage.turn() && turns < 2000; turns += 1) seen.add(rungOf(stage).split(' ')[0]!);
  assert.match(rungOf(stage), /^fencing 1: node 3 \(n3\) could not be fenced in \d+ attempts? of node 1: exit 1$/);
  assert.equal(stage.life(1).node.stack('data')!.standing, 'running', 'dlm recovery does not wait for the fence');
  assert.ok(!stage.life(1).node.stack('data')!.aftermath.gate.isOpen, 'and ordinary callers do');

  stage.input(stage.life(2), { kind: 'fenceAck', victim: nodeId(3), words: 'pulled the plug' });
  for (const life of stage.lives) if (life.id === nodeId(3)) life.state = 'off';
  stage.areAgentsBroken = false;
  for (let turns = 0; stage.turn() && turns < 2000; turns += 1) seen.add(rungOf(stage).split(' ')[0]!);
  assert.equal(rungOf(stage), 'nothing');
  stage.assertAllGoOn();
  for (const rung of ['fencing', 'app']) assert.ok(seen.has(rung), `${rung} was seen, beside ${[...seen].join(', ')}`);
});

test('a member is not taken for fenced, and neither is somebody who has not failed', () => {
  const prng = new Prng('ack');
  const stage = new Aftermath((count) => prng.below(count), 'fence-first', false, { ...fencingOn, startup: [] });
  for (const id of [1, 2]) stage.start(id);
  stage.settle();
  assert.throws(() => stage.input(stage.life(1), { kind: 'fenceAck', victim: nodeId(2), words: '' }), /EBUSY that node is a member/);
  assert.throws(() => stage.input(stage.life(1), { kind: 'fenceAck', victim: nodeId(7), words: '' }), /ENOENT no failure of that node/);
});

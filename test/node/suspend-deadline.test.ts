/**
 * An application that does not suspend in time, or cannot, ends its node. That takes a while, in which the node is asked
 * again and again what is due: it has said so once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig } from '../../src/core/lockspace/lockspace.js';
import type { Effect } from '../../src/core/node/effect.js';
import { Ensemble } from '../../src/core/sim/ensemble.js';

const suspendMillis = 500;

/** Node 1, whose application is to suspend, since node 2 is gone. */
function suspending(): { ensemble: Ensemble; effects: Effect[] } {
  const effects: Effect[] = [];
  const ensemble = new Ensemble({ effect: (node, effect) => node === 1 && effects.push(effect) });
  const config = { ...defaultConfig, order: 'suspend<dlm dlm<resume' };
  for (const id of [1, 2]) {
    ensemble.start(id);
    ensemble.step(id, { kind: 'joinLockspace', lockspace: 'data', config, application: { suspendMillis } });
  }
  ensemble.decide();
  for (const id of [1, 2]) ensemble.tell(id);
  for (let [head] = ensemble.heads(); head !== undefined; [head] = ensemble.heads()) ensemble.deliver(head);
  ensemble.crash(2);
  ensemble.decide();
  ensemble.tell(1);
  assert.ok(effects.some(({ kind }) => kind === 'suspend'));
  return { ensemble, effects };
}

const reasons = (effects: readonly Effect[]): string[] => effects.flatMap((effect) => (effect.kind === 'giveUp' ? [effect.reason] : []));

/** Time passes, and the node is asked whenever it wants to be, a hundred times at most. */
function pass(ensemble: Ensemble, millis: number): void {
  const end = ensemble.now + millis;
  for (let count = 0; count < 100; count += 1) {
    const next = ensemble.player(1).node.nextDeadline();
    if (next === null || next > end) return;
    ensemble.now = Math.max(ensemble.now, next);
    ensemble.step(1, { kind: 'deadline' });
  }
}

test('a node whose application does not suspend in time gives up once, and holds everybody up until it has ended', () => {
  const { ensemble, effects } = suspending();
  pass(ensemble, suspendMillis - 1);
  assert.deepEqual(reasons(effects), []);
  pass(ensemble, 5_000);
  assert.deepEqual(reasons(effects), ['the application of lockspace data did not suspend within 500 ms']);
  assert.equal(ensemble.player(1).node.stack('data')!.standing, 'ready');
});

test('so does one whose application cannot suspend', () => {
  const { ensemble, effects } = suspending();
  ensemble.step(1, { kind: 'suspended', lockspace: 'data', isDone: false });
  pass(ensemble, 5_000);
  assert.deepEqual(reasons(effects), ['the application of lockspace data could not be suspended']);
  assert.equal(ensemble.player(1).node.stack('data')!.standing, 'ready');
});

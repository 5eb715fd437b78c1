/**
 * A node that says nothing is not waited for after a signal; but what has been granted is not renounced by one that
 * comes later, for the command under the lock.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { LockHandle } from '../../src/core/index.js';
import { unlessHung } from '../../src/terminal/asking.js';
import type { SignalWatch } from '../../src/terminal/signals.js';

const granted = {} as LockHandle;
const waiting = { shown: 'disk', patience: { nonblock: false } };

function asked(context: TestContext): { answer: (lock: LockHandle) => void; signal: () => void; outcome: Promise<LockHandle>; renounced: () => number } {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const abort = new AbortController();
  const signals = { aborted: abort.signal, first: 'SIGTERM' } as unknown as SignalWatch;
  let resolve: (lock: LockHandle) => void = () => undefined;
  const promise = new Promise<LockHandle>((done) => (resolve = done));
  let count = 0;
  const outcome = unlessHung(promise, waiting, signals, () => void (count += 1));
  return { answer: resolve, signal: () => abort.abort(), outcome, renounced: () => count };
}

test('a signal while nobody answers: after a while the lock is renounced', async (context) => {
  const { signal, outcome, renounced } = asked(context);
  signal();
  context.mock.timers.tick(10_000);
  await assert.rejects(outcome, /SIGTERM came while waiting for disk/);
  assert.equal(renounced(), 1);
});

test('a signal when the lock is held is for the command: the lock is kept for as long as that takes to end', async (context) => {
  const { answer, signal, outcome, renounced } = asked(context);
  answer(granted);
  assert.equal(await outcome, granted);
  signal();
  context.mock.timers.tick(10_000);
  assert.equal(renounced(), 0);
});

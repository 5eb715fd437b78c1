/**
 * What becomes of an attempt to fence that was called off: an agent may have done its work
 * all the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incarnation, nodeId } from '../../src/core/base/ids.js';
import { AftermathDriver } from '../../src/core/host/aftermath-driver.js';
import type { FenceHistory } from '../../src/core/host/fence-history.js';
import type { FenceMethods, FenceOutcome } from '../../src/core/host/fence-methods.js';
import type { Host } from '../../src/core/host/host.js';
import type { Input } from '../../src/core/node/input.js';

const victim = nodeId(3);
const life = incarnation(7);

/** An agent that runs until the test says how it ends. */
interface Attempt {
  readonly signal: AbortSignal;
  end(result: FenceOutcome['result']): void;
}

function stage(): { driver: AftermathDriver; attempts: Attempt[]; told: Input[] } {
  const attempts: Attempt[] = [];
  const told: Input[] = [];
  const fence: FenceMethods['fence'] = (node, { signal } = {}) => new Promise((resolve) => {
    const end = (result: FenceOutcome['result']): void => resolve({ node, result, by: 'bmc', isAssumed: false, isVerified: true, reason: 'so it is', millis: 1, attempts: [] });
    attempts.push({ signal: signal!, end });
  });
  const driver = new AftermathDriver({
    host: { turn: (input: Input) => void told.push(input) } as unknown as Host,
    methods: { fence } as unknown as FenceMethods,
    history: { outcome: () => undefined } as unknown as FenceHistory,
    log: () => undefined,
    giveUp: () => undefined,
  });
  return { driver, attempts, told };
}

const ask = (attempt: number) => ({ kind: 'fence', victim, incarnation: life, attempt }) as const;
const callOff = { kind: 'cancelFence', victim, incarnation: life } as const;
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one that was called off and has fenced the node ends the next one, which would hit another life', async () => {
  const { driver, attempts, told } = stage();
  driver.fence(ask(1));
  driver.cancel(callOff);
  driver.fence(ask(1));
  assert.deepEqual(attempts.map(({ signal }) => signal.aborted), [true, false]);
  attempts[0]!.end('fenced');
  await nextTurn();
  assert.equal(attempts[1]!.signal.aborted, true);
  attempts[1]!.end('cancelled');
  await nextTurn();
  assert.deepEqual(told.map((input) => input.kind === 'fenceResult' && input.isFenced), [true]);
});

test('one that was called off and has not fenced it is not told, and the next one goes on', async () => {
  const { driver, attempts, told } = stage();
  driver.fence(ask(1));
  driver.cancel(callOff);
  driver.fence(ask(1));
  attempts[0]!.end('cancelled');
  await nextTurn();
  assert.equal(attempts[1]!.signal.aborted, false);
  assert.equal(told.length, 0);
  attempts[1]!.end('failed');
  await nextTurn();
  assert.deepEqual(told.map((input) => input.kind === 'fenceResult' && input.isFenced), [false]);
});

test('one that has fenced an earlier life leaves the next one alone, which is for another', async () => {
  const { driver, attempts } = stage();
  driver.fence(ask(1));
  driver.fence({ ...ask(1), incarnation: incarnation(8) });
  attempts[0]!.end('fenced');
  await nextTurn();
  assert.equal(attempts[1]!.signal.aborted, false);
});

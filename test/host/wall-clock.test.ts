/**
 * Somebody sets the wall clock while a node runs: nobody waits longer or shorter for it,
 * and nothing that is held is lost. Durations are measured by a clock that nobody can set.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { codeOf, served } from '../contract/ports.js';

const hour = 3_600_000;

/** From now on the wall clock of this process, and so of the node in it, is wrong by so much. */
function setClock(context: TestContext, byMillis: number): void {
  const right = Date.now.bind(Date);
  context.mock.method(Date, 'now', () => right() + byMillis);
}

describe('the wall clock is set', () => {
  for (const [way, byMillis] of [['ahead', hour], ['back', -hour]] as const) {
    test(`an hour ${way}: who waits has his time, and who holds keeps what he holds`, async (context) => {
      const { client, another } = await served(context);
      const held = await (await client.lockspace()).lock('a');
      let isLost = false;
      held.on('lost', () => (isLost = true));
      const space = await (await another()).lockspace();
      let isAnswered = false;
      const patient = space.lock('a', { timeout: 60_000 }).finally(() => (isAnswered = true));
      const impatient = codeOf(space.lock('a', { timeout: 50 }));

      const before = Date.now();
      setClock(context, byMillis);
      assert.ok(Math.abs(Date.now() - before - byMillis) < hour / 2, 'the clock has been set');
      assert.equal(await impatient, 'DLM_TIMED_OUT');
      assert.deepEqual([isAnswered, isLost], [false, false]);
      await held.unlock();
      await (await patient).unlock();
    });
  }
});

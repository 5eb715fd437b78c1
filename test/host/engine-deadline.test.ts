/**
 * The moment from which on the others may count a node as gone, and whether it stops early enough.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { checkBudget, EngineDeadline } from '../../src/core/host/engine-deadline.js';

/** Resolves when it has passed, and when it has stayed so. */
function deadlineOf(t: TestContext, lingerMillis: number): { deadline: EngineDeadline; heard: string[]; passed: Promise<number>; stayed: Promise<number> } {
  const deadline = new EngineDeadline(lingerMillis);
  t.after(() => deadline.set(Infinity));
  const heard: string[] = [];
  const when = (what: 'passed' | 'stayed'): Promise<number> =>
    new Promise((resolve) => {
      deadline[what] = () => {
        heard.push(what);
        resolve(performance.now());
      };
    });
  return { deadline, heard, passed: when('passed'), stayed: when('stayed') };
}

describe('the deadline of an engine', () => {
  test('passes when nothing was heard, and stays passed', async (t) => {
    const { deadline, heard, passed, stayed } = deadlineOf(t, 20);
    const at = performance.now() + 30;
    deadline.set(at);
    assert.ok((await passed) >= at);
    await stayed;
    assert.deepEqual(heard, ['passed', 'stayed']);
  });

  test('does not pass before the moment to which it was moved on', async (t) => {
    const { deadline, passed } = deadlineOf(t, 1000);
    deadline.set(performance.now() + 20);
    const at = performance.now() + 120;
    deadline.set(at);
    assert.ok((await passed) >= at);
  });

  test('that was moved on after it had passed can pass again', async (t) => {
    const { deadline, heard, passed, stayed } = deadlineOf(t, 40);
    deadline.set(performance.now() + 10);
    await passed;
    const at = performance.now() + 100;
    deadline.set(at);
    const stayedAt = await stayed;
    assert.ok(stayedAt >= at, 'it stayed passed although the engine was heard again');
    assert.deepEqual(heard, ['passed', 'passed', 'stayed']);
  });
});

test('an engine that lets others go on before a node has stopped is refused with both numbers', () => {
  checkBudget({});
  checkBudget({ budget: { stopMillis: 20_000, regrantMillis: 30_000 } });
  assert.throws(() => checkBudget({ budget: { stopMillis: 10_000, regrantMillis: 15_000 } }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'DLM_CONFIG_INVALID');
    assert.match(error.message, /stops after 16 s .* after 15 s already/);
    return true;
  });
});

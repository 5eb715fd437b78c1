/**
 * Whoever waits for an answer is told for whom, once a change; be it the node of this machine.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { NodeStatus } from '../../src/core/index.js';
import { answered } from '../../src/terminal/slow-answer.js';

/** What is said in as many seconds to somebody whose answer never comes. */
async function saidIn(context: TestContext, seconds: number, status: () => Promise<NodeStatus>): Promise<string[]> {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const said: string[] = [];
  void answered({ what: 'word', lockspace: 'default', status, note: (words) => said.push(words) }, new Promise(() => undefined));
  for (let second = 0; second < seconds; second += 1) {
    context.mock.timers.tick(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return said;
}

test('one more attempt in vain is no news', async (context) => {
  let attempts = 0;
  const status = async (): Promise<NodeStatus> => {
    attempts += 1;
    const reason = `node 2 could not be fenced in ${attempts} attempt${attempts === 1 ? '' : 's'} of node 1`;
    return { cluster: null, lockspaces: [{ name: 'default', standing: 'members', waitsFor: [], reason }] } as unknown as NodeStatus;
  };
  const said = await saidIn(context, 4, status);
  assert.equal(said.length, 1);
  assert.match(said[0]!, /^waiting for word\n {2}nobody is granted anything in lockspace default, .* in 1 attempt of node 1$/);
});

test('a node that does not even tell how it is says nothing', async (context) => {
  assert.deepEqual(await saidIn(context, 6, () => new Promise(() => undefined)), ['waiting for word\n  the node here does not answer']);
});

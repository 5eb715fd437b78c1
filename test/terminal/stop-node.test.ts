/**
 * Signals that ask a node to stop while an application is attached: when is one a second one?
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { attach, serveNode } from '../../src/core/index.js';
import { NodeStop, secondSignalMillis } from '../../src/terminal/stop-node.js';
import { scratch, silent } from '../host/scratch.js';

test('a signal long after one that was refused is a first one again, and so is one that finds other applications', async (t) => {
  const dir = scratch(t);
  const base = `${dir}/clusters`;
  mkdirSync(base, { mode: 0o700 });
  const node = await serveNode({ dir, log: silent, cluster: { cluster: 'demo', base } });
  const client = await attach({ dir });
  t.after(async () => {
    await client.close();
    await node.leave({ force: true });
  });
  const hooks = { onSuspend: silent, onRecover: silent, onResume: silent };
  const application = async (lockspace: string) => (await client.lockspace(lockspace)).attach(hooks, { isClient: false });
  const mail = await application('mail');
  let now = 0;
  const said: string[] = [];
  const stop = new NodeStop(node, (words) => said.push(words), () => now);
  const stays = (lockspaces: string): string => `the node stays: an application is attached to lockspace ${lockspaces}; end it first, or send a second signal within 10 s: then it is killed, and the node counts as failed`;

  await stop.ask();
  now += secondSignalMillis + 1;
  await stop.ask();
  assert.deepEqual(said, [stays('mail'), stays('mail')]);
  const store = await application('store');
  now += 1;
  await stop.ask();
  assert.deepEqual([said.at(-1), said.length], [stays('mail, store'), 3]);
  await (await client.lockspace()).lock('still served').then((lock) => lock.unlock());

  await mail.detach();
  await store.detach();
  now += 1;
  await stop.ask();
  assert.equal(await node.left, 'it was told to leave');
  assert.deepEqual([said.length, node.hasFailed], [3, false]);
});

/** A node that drains for somebody else, and a first signal that was told so. */
async function draining(t: TestContext, calledOff?: AbortSignal) {
  const dir = scratch(t);
  const node = await serveNode({ dir, log: silent });
  const client = await attach({ dir });
  t.after(async () => {
    await client.close();
    await node.leave({ force: true });
  });
  const lock = await (await client.lockspace()).lock('held');
  const drained = node.leave({ drain: true, ...(calledOff === undefined ? {} : { signal: calledOff }) });
  const said: string[] = [];
  let tell: () => void;
  const told = new Promise<void>((resolve) => (tell = resolve));
  const stop = new NodeStop(node, (words) => void (said.push(words), tell()));
  const asked = stop.ask();
  await told;
  assert.deepEqual(said, ['the node is leaving already, as soon as the locks that are held have ended; a second signal does not wait for them']);
  return { node, client, lock, drained, said, stop, asked };
}

test('while somebody else has the node drain, the first signal says so and the second forces', async (t) => {
  const { node, drained, said, stop, asked } = await draining(t);
  await stop.ask();
  assert.equal(await node.left, 'it was told to leave by force');
  assert.equal(said.length, 1);
  await drained;
  await asked;
});

test('a node that was asked by a signal leaves though somebody else has called off his drain', async (t) => {
  const callOff = new AbortController();
  const { node, client, lock, drained, asked } = await draining(t, callOff.signal);
  callOff.abort();
  await assert.rejects(drained, { code: 'DLM_CANCELLED' });
  await assert.rejects((await client.lockspace()).lock('another'), { code: 'DLM_NO_NODE', message: /is leaving/ });
  await lock.unlock();
  assert.equal(await node.left, 'it was told to leave');
  await asked;
});

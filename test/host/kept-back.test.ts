/**
 * What is asked while a lockspace cannot be locked is kept back, and may be cancelled until it is asked; what is asked
 * after that is another thing.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { openNode, serveNode, LockHandle, LockspaceClient, type NodeClient, type ServedNode } from '../../src/core/index.js';
import { ChildRegister } from '../../src/core/host/child-register.js';
import { nodePlaces } from '../../src/core/host/places.js';
import { ProcessFamily } from '../../src/core/host/process-family.js';
import type { Served } from '../../src/core/host/served.js';
import { codeOf } from '../contract/ports.js';
import { scratch, silent } from './scratch.js';
import { ended, idler } from './troupe.js';
import { WireTap } from './wire-tap.js';

/** Where a cluster of one may be. */
function clusterIn(test: TestContext): { dir: string; cluster: { cluster: string; base: string } } {
  const folder = scratch(test);
  for (const name of ['c', 'n']) mkdirSync(`${folder}/${name}`, { mode: 0o700 });
  return { dir: `${folder}/n`, cluster: { cluster: 'demo', base: `${folder}/c` } };
}

/** Ask for a lock in a lockspace that is being joined: until it is there, whatever is asked is kept back. */
function waitForAnother(client: NodeClient): Promise<LockHandle> {
  void client.port.joinLockspace('another', {});
  return new LockspaceClient(client.port, 'another', 32).lock('b');
}

describe('what is kept back', () => {
  it('is not done when it was cancelled, also where something else was asked of the lock since', async (test) => {
    const client = await openNode(clusterIn(test));
    const lock = await (await client.lockspace()).lock('a', { mode: 'PR' });
    const other = waitForAnother(client);
    const callOff = new AbortController();
    const called = lock.convert('EX', { signal: callOff.signal });
    callOff.abort();
    await assert.rejects(called, { code: 'DLM_CANCELLED' });
    await lock.convert('CR');
    assert.equal(lock.mode, 'CR');
    await other;
    await client.close();
  });

  it('is refused when its client lets go of the node', async (test) => {
    const client = await openNode(clusterIn(test));
    const asked = waitForAnother(client);
    asked.catch(() => undefined);
    await client.close();
    assert.equal(await codeOf(asked), 'DLM_NO_NODE');
  });
});

/** A node that grants nothing yet: a command of its predecessor still runs. */
async function successor(test: TestContext, place: Parameters<typeof serveNode>[0] & { dir: string }): Promise<{ node: Served; tap: WireTap; end: () => Promise<void> }> {
  const survivor = idler(test);
  new ChildRegister(nodePlaces(place.dir)).add(ProcessFamily.of(survivor.pid)!);
  const node = await serveNode({ ...place, log: silent });
  test.after(() => node.leave({ force: true }));
  const tap = new WireTap(test, place.dir);
  await tap.greet();
  const end = async (): Promise<void> => {
    survivor.kill('SIGKILL');
    await ended(survivor);
  };
  return { node: node as unknown as Served, tap, end };
}

const ask = (id: number, lockspace: string, name: string): object => ({ id, op: 'lock', lockspace, name, mode: 'EX' });

describe('what a successor is asked', () => {
  it('is not what was cancelled before, though it has the same number', async (test) => {
    const { tap, end } = await successor(test, { dir: scratch(test) });
    await tap.ask({ id: 0, op: 'joinLockspace', lockspace: 'default' });
    tap.say(ask(1, 'default', 'a'), { id: 2, op: 'cancel', lockspace: 'default', request: 1 }, ask(1, 'default', 'b'));
    assert.deepEqual([(await tap.next())!['id'], (await tap.next())!['id']], [1, 2]);
    await end();
    assert.deepEqual([(await tap.next())!['id'], (await tap.next())!['status']], [1, 'OK']);
    const locks = (await tap.ask({ id: 3, op: 'locks' }))!['result'] as { resource: string }[];
    assert.deepEqual(locks.map(({ resource }) => resource), ['b']);
  });

  it('is refused when it leaves before it could be asked, also to its own process', async (test) => {
    const { node, end } = await successor(test, { dir: scratch(test) });
    const { client } = node as unknown as ServedNode;
    const asked = (await client.lockspace()).lock('a');
    asked.catch(() => undefined);
    await (node as unknown as ServedNode).leave({ force: true });
    assert.equal(await codeOf(asked), 'DLM_NO_NODE');
    await end();
  });

  it('is kept back, too, while the lockspace is not there yet', async (test) => {
    const { node, tap, end } = await successor(test, { dir: scratch(test) });
    node.watch.onceFree(() => void node.host.joinLockspace('late'));
    tap.say(ask(1, 'late', 'a'));
    await tap.ask({ id: 2, op: 'status' });
    await end();
    const { id, result } = (await tap.next()) as { id?: unknown; result?: unknown } & object;
    assert.deepEqual([id, (result as { lkid: number }).lkid > 0], [1, true]);
    assert.equal((await tap.next())!['status'], 'OK');
  });
});

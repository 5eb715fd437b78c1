/**
 * A lockspace that is asked for with the greeting is there when it is wanted, and only
 * the one that was asked for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attach, type NodeClient } from '../../src/core/index.js';
import { served } from '../contract/ports.js';

const namesOf = async (client: NodeClient): Promise<string[]> => (await client.lockspaces()).map(({ name }) => name);

/** Locks something, to see that it can. */
async function lockIn(client: NodeClient, name: string): Promise<void> {
  const space = await client.lockspace(name);
  assert.equal(space.valueLength, 32);
  const lock = await space.lock('a');
  await lock.unlock();
}

test('a lockspace is joined with the greeting', async (context) => {
  const { dir } = await served(context);
  const client = await attach({ dir, lockspace: 'early' });
  await lockIn(client, 'early');
  await lockIn(client, 'early');
  assert.deepEqual(await namesOf(client), ['early']);
  await client.close();
});

test('another one is joined when it is wanted', async (context) => {
  const { dir } = await served(context);
  const client = await attach({ dir, lockspace: 'early' });
  await lockIn(client, 'late');
  assert.deepEqual(await namesOf(client), ['early', 'late']);
  await client.close();
});

test('whoever wants it to be new is not given the one that was joined', async (context) => {
  const { dir } = await served(context);
  const client = await attach({ dir, lockspace: 'early' });
  await assert.rejects(client.lockspace('early', { isNew: true }), { code: 'DLM_LOCKSPACE_EXISTS' });
  await client.close();
});

test('a lockspace that cannot be joined is refused to whoever wants it, and to nobody else', async (context) => {
  const { dir } = await served(context);
  const client = await attach({ dir, lockspace: 'no such name' });
  await lockIn(client, 'default');
  await client.close();
  const other = await attach({ dir, lockspace: 'no such name' });
  await assert.rejects(other.lockspace('no such name'), { code: 'DLM_NAME_INVALID' });
  await other.close();
});

test('a client that holds nothing can be let go of, more than once', async (context) => {
  const { dir } = await served(context);
  const client = await attach({ dir });
  await client.close();
  await client.close();
  await assert.rejects(client.status(), { code: 'DLM_NO_NODE' });
});

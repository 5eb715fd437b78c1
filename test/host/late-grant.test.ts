/**
 * A request that is given up when its owner has ended already: what becomes of it is told to nobody, so nobody listens.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { openNode, serveNode } from '../../src/core/index.js';
import { giveUpForGood } from '../../src/core/host/late-grant.js';
import type { Served } from '../../src/core/host/served.js';
import { scratch, silent } from './scratch.js';
import { WireTap } from './wire-tap.js';

test('giving up leaves no listener behind where the owner of the request has ended', async (context) => {
  const folder = scratch(context);
  for (const name of ['c', 'm', 'n']) mkdirSync(`${folder}/${name}`, { mode: 0o700 });
  const cluster = { cluster: 'demo', base: `${folder}/c` };
  const master = await openNode({ dir: `${folder}/m`, cluster: { ...cluster, name: 'master' } });
  context.after(() => master.close());
  await (await master.lockspace()).lock('a');
  const node = await serveNode({ dir: `${folder}/n`, cluster, log: silent });
  context.after(() => node.leave({ force: true }));
  const tap = new WireTap(context, `${folder}/n`);
  await tap.greet();
  await tap.ask({ id: 0, op: 'joinLockspace', lockspace: 'default' });
  await tap.ask({ id: 1, op: 'lock', lockspace: 'default', name: 'a', mode: 'EX' });
  assert.equal((await tap.next())!['event'], 'waiting');

  const { host } = node as unknown as Served;
  const attend = context.mock.method(host, 'attend');
  const owner = [...host.owners()].find(({ kind }) => kind === 'session')!;
  const [lock] = host.node.held(owner.id, null);
  host.endOwner(owner);
  giveUpForGood(host, 'default', lock!.lkid);
  assert.equal(attend.mock.callCount(), 0);
});

/**
 * A node that comes back ends the case of its earlier life, and others are granted what that
 * held: so it comes back only when nobody is left who may still use it, whatever the engine.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { serveNode, type ClusterOptions } from '../../src/core/index.js';
import { ChildRegister } from '../../src/core/host/child-register.js';
import { nodePlaces, prepareFolder } from '../../src/core/host/places.js';
import { ProcessFamily } from '../../src/core/host/process-family.js';
import { scratch } from '../host/scratch.js';

/** Nobody listens there: the attempt to join tells that it was made by failing. */
const silentEtcd = { endpoints: ['http://127.0.0.1:1'], ttlMillis: 20_000, joinMillis: 300 };
const atEtcd: ClusterOptions = { cluster: 'web', engine: 'etcd', etcd: silentEtcd, listen: 'tcp:127.0.0.1:0', insecure: true, fence: 'lease' };

test('a node asks to be let in when the protected command of its earlier life has ended, and not before', async (test) => {
  const dir = scratch(test);
  const places = nodePlaces(dir);
  prepareFolder(places.run, places.scope);
  const command = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  const family = ProcessFamily.of(command.pid!)!;
  test.after(() => family.signal('SIGKILL'));
  new ChildRegister(places).add(family);

  let tell = (_: string): void => undefined;
  const isTold = new Promise<string>((resolve) => (tell = resolve));
  const log = (line: string): void => {
    if (line.includes(`process ${command.pid} may still use`)) tell('waits');
  };
  let hasAsked = false;
  const joined = assert.rejects(serveNode({ dir, cluster: atEtcd, log }), { code: 'DLM_NO_NODE' }).then(() => {
    hasAsked = true;
    return 'has asked';
  });
  assert.equal(await Promise.race([isTold, joined]), 'waits');
  assert.equal(hasAsked, false);

  command.kill('SIGKILL');
  await joined;
  assert.ok(family.isGone);
});

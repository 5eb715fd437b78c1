/**
 * The node's socket as curl sees it, and its file.
 */
import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { catalogue, type LockspaceSummary } from '../../src/core/index.js';
import { served } from '../contract/ports.js';
import { http } from './wire-tap.js';

describe('plain requests', () => {
  it('show the node, its lockspaces and its locks', async (test) => {
    const { dir, client } = await served(test);
    const space = await client.lockspace();
    const lock = await space.lock('a/b c');
    assert.deepEqual((await http(dir, 'GET', '/v1/status')).body['lockspaces'], (await client.status()).lockspaces);
    assert.equal(JSON.parse((await http(dir, 'GET', '/v1/lockspaces')).text).length, 1);
    const content = await http(dir, 'GET', '/v1/lockspaces/default');
    assert.equal(content.body['locks'], 1);
    const idsOf = async (query: string): Promise<string[]> =>
      (JSON.parse((await http(dir, 'GET', `/v1/locks${query}`)).text) as { id: string }[]).map(({ id }) => id);
    assert.deepEqual(await idsOf(''), [lock.id]);
    assert.deepEqual(await idsOf('?lockspace=default&name=a%2Fb+c'), [lock.id]);
    assert.deepEqual(await idsOf('?nameHex=612f622063'), [lock.id]);
    assert.deepEqual(await idsOf('?orphans=1'), []);
    assert.match((await http(dir, 'GET', '/v1/metrics')).text, /^dlm_locks\{lockspace="default"\} 1$/m);
  });

  it('make and remove lockspaces', async (test) => {
    const { dir } = await served(test);
    const made = await http(dir, 'POST', '/v1/lockspaces', '{"name":"one","valueLength":8,"nodir":true}');
    const { generation, ...summary } = made.body as unknown as LockspaceSummary;
    assert.ok(generation > 0);
    const open = { order: 'none', nodir: true, reason: '', standing: 'running', waitsFor: [], members: [1], slots: [] };
    assert.deepEqual(summary, { name: 'one', valueLength: 8, resources: 0, locks: 0, orphans: 0, ...open });
    assert.equal((await http(dir, 'POST', '/v1/lockspaces', '{"name":"one","isNew":true}')).status, 409);
    assert.equal((await http(dir, 'POST', '/v1/lockspaces', '{"name":"one","nodir":false}')).body.error?.code, 'DLM_LOCKSPACE_EXISTS');
    assert.equal((await http(dir, 'POST', '/v1/lockspaces', '{"name":"one","nodir":1}')).status, 400);
    assert.equal((await http(dir, 'DELETE', '/v1/lockspaces/one')).status, 200);
    assert.equal((await http(dir, 'DELETE', '/v1/lockspaces/one')).status, 404);
  });

  it('stop the node: not while it has locks, unless forced', async (test) => {
    const { dir, client } = await served(test);
    await (await client.lockspace()).lock('a');
    assert.equal((await http(dir, 'POST', '/v1/leave')).body.error?.code, 'DLM_NODE_IN_USE');
    assert.equal((await http(dir, 'POST', '/v1/leave', '{"force":true}')).status, 200);
    await assert.rejects(http(dir, 'GET', '/v1/status'), { code: 'ENOENT' });
  });

  const wrong: readonly (readonly [string, string, number, string | undefined])[] = [
    ['GET', '/', 404, undefined],
    ['GET', '/v2/status', 404, undefined],
    ['GET', '/v1/session', 426, undefined],
    ['POST', '/v1/status', 405, undefined],
    ['GET', '/v1/lockspaces/none', 404, undefined],
    ['GET', '/v1/lockspaces/%ff', 400, undefined],
    ['GET', '/v1/locks?lockspace=none', 404, undefined],
    ['GET', '/v1/locks?what=1', 400, undefined],
    ['GET', '/v1/locks?nameHex=x', 400, undefined],
    ['POST', '/v1/lockspaces', 400, '{"name":1}'],
    ['POST', '/v1/lockspaces', 400, '{"name":"a","name":"b"}'],
    ['POST', '/v1/lockspaces', 400, '{"name":"a/b"}'],
    ['POST', '/v1/lockspaces', 400, '{"name":"a","more":1}'],
    ['POST', '/v1/lockspaces', 400, 'name=a'],
    ['POST', '/v1/leave', 400, '{"force":"yes"}'],
    ['POST', '/v1/lockspaces', 413, `{"name":"${'a'.repeat(70_000)}"}`],
  ];
  for (const [method, path, status, body] of wrong) {
    it(`are refused with a reason: ${method} ${path} ${body?.slice(0, 25) ?? ''}`, async (test) => {
      const { dir } = await served(test);
      const answer = await http(dir, method, path, body);
      assert.equal(answer.status, status);
      const { code, message, hint, exit } = answer.body.error!;
      assert.ok(message.length > 10 && hint.length > 0);
      assert.equal(exit, catalogue[code as keyof typeof catalogue].exit);
    });
  }

  it('that are no HTTP are hung up on', async (test) => {
    const { dir } = await served(test);
    const socket = connect({ path: `${dir}/control.sock` });
    test.after(() => socket.destroy());
    socket.write('\u0000\u0001garbage\r\n\r\n');
    const answer = Buffer.concat((await socket.toArray()) as Buffer[]).toString();
    assert.match(answer, /^HTTP\/1\.1 400 /);
  });
});

describe('the socket', () => {
  it('is there for its owner only, and so is its folder', async (test) => {
    const { dir } = await served(test);
    assert.equal(lstatSync(`${dir}/control.sock`).mode & 0o777, 0o600);
    assert.equal(lstatSync(dir).mode & 0o077, 0);
  });
});

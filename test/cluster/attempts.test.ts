/**
 * A join that does not succeed: the node may be a member's, so that no lonely one takes its
 * place. The etcd of these tests is a port at which nobody listens.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { attach, askNode, corosyncNodes, openNode, serveNode, type ClusterOptions, type DlmError } from '../../src/core/index.js';
import { leaseTiming, leastTtlMillis } from '../../src/core/host/engine/etcd-lease.js';
import { stoppingMillis } from '../../src/core/host/engine-deadline.js';
import { nodePlaces } from '../../src/core/host/places.js';
import { wasEverClustered } from '../../src/core/host/state-file.js';
import { etcdFlags } from '../../src/terminal/etcd-flags.js';
import { scratch } from '../host/scratch.js';

const silentEtcd = { endpoints: ['http://127.0.0.1:1'], ttlMillis: 20_000, joinMillis: 300 };
const atEtcd: ClusterOptions = { cluster: 'web', engine: 'etcd', etcd: silentEtcd, listen: 'tcp:127.0.0.1:0', insecure: true, fence: 'lease' };
const log = (): void => undefined;

const corosyncRuns = await corosyncNodes().then(
  () => true,
  () => false,
);

async function refusesLonelyNode(dir: string): Promise<void> {
  await assert.rejects(attach({ dir, start: true }), {
    code: 'DLM_START_REFUSED',
    message: /has been part of a cluster, or was to be/,
    hint: /dlm node join --cluster web( .+)? --detach; .* dlm node join --alone --detach/,
  });
  await assert.rejects(serveNode({ dir, log }), { code: 'DLM_START_REFUSED' });
  assert.equal(existsSync(`${dir}/control.sock`), false);
}

/** What those are told who find no node. */
async function hintsFor(dir: string): Promise<string[]> {
  const errors = [attach({ dir }), askNode({ dir, method: 'GET', path: '/v1/status' })].map((asked) => asked.then(() => assert.fail('a node answers'), (error: DlmError) => error));
  return (await Promise.all(errors)).map(({ code, hint }) => `${code}: ${hint}`);
}

async function mayBeLonely(dir: string): Promise<void> {
  assert.equal(wasEverClustered(nodePlaces(dir)), false);
  const node = await serveNode({ dir, log });
  await node.leave();
}

/** Both ways to be a member. */
const ways: Readonly<Record<string, (dir: string, cluster: ClusterOptions) => Promise<unknown>>> = {
  'a node that stays': (dir, cluster) => serveNode({ dir, cluster, log }),
  'a command that is one': (dir, cluster) => openNode({ dir, cluster }),
};

for (const [who, join] of Object.entries(ways)) {
  describe(`${who}, and its first join fails`, () => {
    it('since etcd does not answer: no lonely node is started after it', async (test) => {
      const dir = scratch(test);
      assert.deepEqual(new Set(await hintsFor(dir)), new Set(['DLM_NO_NODE: start one with: dlm node join --detach']));
      await assert.rejects(join(dir, atEtcd), { code: 'DLM_NO_NODE', message: /etcd does not answer in time/ });
      await refusesLonelyNode(dir);
      assert.deepEqual(new Set(await hintsFor(dir)), new Set(['DLM_NO_NODE: be a member again with: dlm node join --cluster web --etcd http://127.0.0.1:1 --detach']));
    });

    it('since corosync is not there: the same', { skip: corosyncRuns && 'corosync runs here' }, async (test) => {
      const dir = scratch(test);
      await assert.rejects(join(dir, { cluster: 'web', engine: 'corosync', fence: 'none' }), { code: 'DLM_START_FAILED' });
      await refusesLonelyNode(dir);
    });

    it('on the local engine, since there is nobody to join: the same', async (test) => {
      const [dir, base] = [scratch(test), scratch(test)];
      await assert.rejects(join(dir, { cluster: 'web', base, mustExist: true }), { code: 'DLM_START_REFUSED', message: /has no members/ });
      await refusesLonelyNode(dir);
    });

    it('on the local engine, since the folder of the cluster is not for us: the same', async (test) => {
      const [dir, base] = [scratch(test), scratch(test)];
      chmodSync(base, 0o777);
      await assert.rejects(join(dir, { cluster: 'web', base }), { code: 'DLM_NOT_PERMITTED' });
      await refusesLonelyNode(dir);
    });

    for (const [what, code, wrong] of [
      ['name of the cluster', 'DLM_NAME_INVALID', { cluster: 'a b/c' }],
      ['name of the node', 'DLM_NAME_INVALID', { name: 'a b' }],
      ['endpoint', 'DLM_USAGE', { etcd: { ...silentEtcd, endpoints: ['nonsense'] } }],
      ['link that leaves the machine', 'DLM_USAGE', { listen: 'tcp:192.0.2.1:4000', insecure: false }],
      ['way to fence', 'DLM_CONFIG_INVALID', { fence: 'process' }],
    ] as const) {
      it(`by a ${what} that cannot be: nothing is remembered`, async (test: TestContext) => {
        const dir = scratch(test);
        await assert.rejects(join(dir, { ...atEtcd, ...wrong }), { code });
        await mayBeLonely(dir);
      });
    }
  });
}

describe('the lease of a cluster at etcd', () => {
  it('is refused if it leaves too little time to stop, before anything is asked; the help says how long it must be', async (test) => {
    const least = leastTtlMillis(stoppingMillis);
    for (const ttlMillis of [5_000, 10_000, 12_000, least - 1_000]) {
      const dir = scratch(test);
      await assert.rejects(serveNode({ dir, cluster: { ...atEtcd, etcd: { ...silentEtcd, ttlMillis } }, log }), {
        code: 'DLM_USAGE',
        message: new RegExp(`^--etcd-ttl must be at least ${least / 1_000} s, and ${ttlMillis / 1_000} s were given`),
      });
      await mayBeLonely(dir);
    }
    assert.match(etcdFlags['etcd-ttl'].summary!, new RegExp(`at least ${least / 1_000}s`));
  });

  it('is just long enough at the least', () => {
    const left = (ttlMillis: number): number => leaseTiming(ttlMillis).regrantMillis - leaseTiming(ttlMillis).stopMillis;
    const least = leastTtlMillis(stoppingMillis);
    assert.ok(left(least) > stoppingMillis && left(least - 1_000) <= stoppingMillis);
  });
});

it('an etcd that does not answer is named in the log, once', async (test) => {
  const lines: string[] = [];
  await assert.rejects(serveNode({ dir: scratch(test), cluster: atEtcd, log: (line) => lines.push(line) }), { code: 'DLM_NO_NODE' });
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0]!, / etcd: http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*; trying again$/);
});

it('a node that came to life on purpose after a failed join serves as ever', async (test) => {
  const dir = scratch(test);
  await assert.rejects(serveNode({ dir, cluster: atEtcd, log }), { code: 'DLM_NO_NODE' });
  const node = await serveNode({ dir, isAlone: true, log });
  await node.leave();
});

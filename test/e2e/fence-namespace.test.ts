/**
 * A host that is a network namespace, fenced by the agent for test hosts: everything in
 * it ends, and nothing else.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { parseConfig } from '../../src/core/host/config.js';
import { fenceMethods } from '../../src/core/host/fence-methods.js';
import { identify } from '../../src/core/host/process-facts.js';
import { needs } from './install.js';

const agent = fileURLToPath(new URL('../../bin/fence_dlm_testhost', import.meta.url));

test('all processes of a network namespace end, and one outside does not', { timeout: 120_000 }, async (t) => {
  needs('iproute2');
  const name = `dlmf${process.pid}`;
  execFileSync('ip', ['netns', 'add', name]);
  t.after(() => execFileSync('ip', ['netns', 'del', name]));
  const start = async (program: string, words: string[]): Promise<number> => {
    const child = spawn(program, [...words, 'sh', '-c', 'sleep 600 & echo ready; wait'], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    await new Promise((ready) => child.stdout.once('data', ready));
    t.after(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
      }
    });
    return child.pid!;
  };
  const inside = await start('ip', ['netns', 'exec', name]);
  const outside = await start('env', []);

  const { config } = parseConfig(`device host ${agent} \nconnect host node=1 netns=${name}\nconnect host node=2 netns=${name}x\n`, 'dlm.conf');
  const methods = fenceMethods(config.fence, {});
  const outcome = await methods.fence(1);
  assert.deepEqual([outcome.result, outcome.isVerified], ['fenced', true]);
  assert.deepEqual([identify(inside), execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' })], [null, '']);
  assert.notEqual(identify(outside), null);
  assert.equal((await methods.fence(2)).result, 'failed');
});

/**
 * The agent for hosts that are no machines: it ends the processes of a host, and only those.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fenceMethods, type FenceMethods } from '../../src/core/host/fence-methods.js';
import { identify, type ProcessId } from '../../src/core/host/process-facts.js';
import { Hosts } from './hosts.js';

const program = fileURLToPath(new URL('../../bin/fence_dlm_testhost', import.meta.url));

/** A host of two processes, as their list says; `lines` makes the list of them. */
function host(t: TestContext, lines: (processes: ProcessId[]) => string[]): { methods: FenceMethods; processes: ProcessId[] } {
  const hosts = new Hosts(t);
  const agent = join(hosts.folder, 'fence_dlm_testhost');
  copyFileSync(program, agent);
  chmodSync(agent, 0o755);
  const processes = [1, 2].map(() => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    return identify(child.pid!)!;
  });
  writeFileSync(join(hosts.folder, 'pids'), `${lines(processes).join('\n')}\n`);
  const config = hosts.config(`device host ${agent} pid_file=FOLDER/pids\nconnect host node=1\n\ndevice other ${agent} pid_file=FOLDER/nothing\nconnect other node=2\n`);
  return { methods: fenceMethods(config, {}), processes };
}

const answers = async (methods: FenceMethods, node: number): Promise<string[]> => (await methods.test(node)).attempts.map(({ verdict }) => verdict);

test('the agent for test hosts ends all processes of the host, and says when it is off', async (t) => {
  const { methods, processes } = host(t, (all) => all.map(({ pid, started }) => `${pid} ${started}`));
  assert.deepEqual(await answers(methods, 1), ['is on']);
  const outcome = await methods.fence(1);
  assert.deepEqual([outcome.result, outcome.isVerified], ['fenced', true]);
  assert.deepEqual(processes.map(({ pid }) => identify(pid)), [null, null]);
  assert.deepEqual(await answers(methods, 1), ['is off']);
});

test('it leaves alone who has the pid of one that has ended', async (t) => {
  const { methods, processes } = host(t, ([first, second]) => [`${first!.pid}`, `${second!.pid} ${second!.started - 1}`]);
  assert.equal((await methods.fence(1)).result, 'fenced');
  assert.deepEqual(processes.map(({ pid }) => identify(pid) === null), [true, false]);
});

test('where it cannot tell which processes a host has, the host is neither on nor off', async (t) => {
  const { methods } = host(t, () => []);
  assert.deepEqual(await answers(methods, 2), ['failed']);
  assert.equal((await methods.fence(2)).result, 'failed');
});

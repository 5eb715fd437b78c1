/**
 * Starting a node in the background: once, out of nobody's way, and not where it
 * would do harm. These tests run the program as it was built.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { attach, startDetached } from '../../src/core/index.js';
import { codeOf } from '../contract/ports.js';
import { scratch } from './scratch.js';
import { player } from './troupe.js';

const dlm = fileURLToPath(new URL('../../bin/dlm', import.meta.url));
const run = promisify(execFile);

/** A folder whose node, if there is one in the end, leaves after the test. */
function stage(test: TestContext): string {
  let dir = '';
  test.after(async () => {
    const client = await attach({ dir }).catch(() => null);
    await client?.leave({ force: true });
  });
  dir = scratch(test);
  return dir;
}

/** A socket that nobody listens on any more. */
async function leaveStaleSocket(test: TestContext, dir: string): Promise<void> {
  const node = player(test);
  await node.serve(dir);
  node.kill('SIGKILL');
  await node.ended;
}

/** The files that a process has open, without what it closed meanwhile. */
function filesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

describe('a node in the background', () => {
  it('is started by the first who needs it, who is told so', async (test) => {
    const dir = stage(test);
    assert.equal(await codeOf(attach({ dir })), 'DLM_NO_NODE');
    const words: string[] = [];
    const client = await attach({ dir, start: true, onStart: (told) => words.push(told) });
    assert.equal(client.startedNode, true);
    assert.match(words.join(), /^started a node in the background: only those who use .* see these locks; it stops by itself/);
    const second = await attach({ dir, start: true, onStart: (told) => words.push(told) });
    assert.equal(second.startedNode, false);
    assert.equal(words.length, 1);
    const { start, pid } = await client.status();
    assert.equal(start, 'automatic');
    assert.notEqual(pid, process.pid);
    assert.deepEqual((await second.status()).pid, pid);
    await Promise.all([client.close(), second.close()]);
  });

  it('is started on purpose once', async (test) => {
    const dir = stage(test);
    const client = await startDetached({ dir });
    assert.equal((await client.status()).start, 'joined');
    await assert.rejects(startDetached({ dir }), { code: 'DLM_NODE_EXISTS', message: /process \d+$/ });
    await client.close();
  });

  it('has a session of its own and none of the files of whoever started it', async (test) => {
    const dir = stage(test);
    writeFileSync(`${dir}/held`, '');
    const file = openSync(`${dir}/held`, 'r');
    // The starter inherits descriptors 7 and 9, as from a shell, and has a pipe for its output.
    const starter = await run('bash', ['-c', `exec 7<"$0" 9<"$0"; exec "${dlm}" lock a -- true`, `${dir}/held`], {
      env: { ...process.env, DLM_DIR: dir },
    });
    closeSync(file);
    assert.equal(starter.stdout, '', 'and its output ends with it');
    const client = await attach({ dir });
    const { pid } = await client.status();
    await client.close();
    const files = filesOf(pid);
    assert.deepEqual(files.filter((path) => path.endsWith('/held')), []);
    assert.equal(Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/\(.*\)/s, 'x').split(' ')[5]), pid, 'it leads a session');
  });

  it('is one, and serves all, when fifty commands race against a stale socket', { timeout: 120_000 }, async (test) => {
    const dir = stage(test);
    await leaveStaleSocket(test, dir);
    writeFileSync(`${dir}/count`, '0\n');
    const add = 'n=$(cat "$0"); echo $((n + 1)) > "$0"';
    const commands = Array.from({ length: 50 }, () =>
      run(dlm, ['lock', 'counter', '--verbose', '--', 'sh', '-c', add, `${dir}/count`], { env: { ...process.env, DLM_DIR: dir } }),
    );
    const told = (await Promise.all(commands)).filter(({ stderr }) => stderr.includes('started a node'));
    assert.equal(told.length, 1, 'one node was started');
    assert.equal(readFileSync(`${dir}/count`, 'utf8'), '50\n');
  });
});

describe('a node that is not started', () => {
  it('would be beside a cluster', async (test) => {
    const dir = stage(test);
    writeFileSync(`${dir}/dlm.conf`, '');
    await assert.rejects(attach({ dir, start: true }), { code: 'DLM_START_REFUSED', message: /dlm\.conf describes a cluster/ });
    const other = stage(test);
    writeFileSync(`${other}/state.json`, '{"incarnation":1,"everClustered":true}');
    await assert.rejects(attach({ dir: other, start: true }), { code: 'DLM_START_REFUSED', message: /has been part of a cluster/ });
    assert.equal(existsSync(`${dir}/node.lock`), false);
  });

  it('cannot keep its state: its last words are told', async (test) => {
    const dir = stage(test);
    mkdirSync(`${dir}/state.json.new`);
    await assert.rejects(attach({ dir, start: true }), {
      code: 'DLM_START_FAILED',
      message: /did not come up: cannot write .*state\.json[^\n]*$/,
      hint: /node\.log$/,
    });
  });

  it('does not answer in time: it is ended, and the next one finds the place free', async (test) => {
    const dir = stage(test);
    const words = ['--cluster=web', '--etcd=http://127.0.0.1:1', '--fence=lease', '--listen=tcp:127.0.0.1:0', '--insecure'];
    const start = startDetached({ dir, mayBeAlone: true, startTimeout: 4_000 }, words);
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    await assert.rejects(start, { code: 'DLM_START_FAILED', message: /did not answer in time, and was ended/, hint: /node\.log$/ });
    assert.ok(timers() <= before, 'nothing is left that would keep the command from ending');
    const client = await startDetached({ dir, mayBeAlone: true }, ['--alone']);
    assert.equal((await client.status()).start, 'joined');
    await client.close();
  });

  it('was refused, on purpose as it was to start: with the code, the words and the hint of the node, each once', async (test) => {
    const dir = stage(test);
    await assert.rejects(startDetached({ dir, mayBeAlone: true }, ['--cluster=a b/c']), {
      code: 'DLM_NAME_INVALID',
      message: 'the node did not come up: "a b/c" cannot be the name of a cluster',
      hint: /^give 1 to 32 letters, [^;]*; its log is .*node\.log$/,
    });
  });

  it('has no folder to be in', async () => {
    assert.equal(await codeOf(attach({ dir: '/proc/self/none', start: true })), 'DLM_STATE_UNUSABLE');
  });

  it('is being started by somebody else for too long', async (test) => {
    const dir = stage(test);
    const starter = player(test);
    await starter.takeKernelLock(`${dir}/start.lock`, 0);
    await assert.rejects(attach({ dir, start: true, startTimeout: 50 }), { code: 'DLM_START_FAILED', message: /another process has been starting/ });
  });
});

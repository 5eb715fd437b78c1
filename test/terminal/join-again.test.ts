/**
 * Where a node has been a member, whoever finds none is told the line with which it is
 * one again; it can be pasted, whatever was chosen then.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../kill/processes.js';
import { Desk, type Ended } from './shell.js';

test('the hint of 96 is the line that made the node a member', { timeout: 60_000 }, async () => {
  const desk = new Desk();
  try {
    mkdirSync(join(desk.work, 'our clusters'), { mode: 0o700 });
    const joined = await desk.dlm('node', 'join', '--cluster', 'demo', '--cluster-dir', 'our clusters', '--node', '7', '--name', 'seven', '--detach');
    assert.equal(joined.exit, 0, joined.err);
    await desk.dlm('node', 'leave');
    const { exit, err } = await desk.dlm('lock', 'a', '--', 'true');
    assert.equal(exit, 96);
    const [, line] = /^hint: be a member again with: (.*); or, if the cluster is no more: /m.exec(err) ?? [];
    assert.equal(line, `dlm node join --cluster demo --node 7 --name seven --cluster-dir '${desk.work}/our clusters' --detach`);
    const asked = await desk.dlm('locks');
    assert.deepEqual([asked.exit, /^hint: be a member again with: (.*)$/m.exec(asked.err)?.[1]], [95, line]);
    const again = await desk.shell(line);
    assert.equal(again.exit, 0, again.err);
    assert.match((await desk.dlm('members')).out, /^7 +seven +self /m);
  } finally {
    await desk.clear();
  }
});

/** Somebody holds `a` and somebody waits for it, at a node that is told to leave, or killed: what is the one told who waits? */
async function toldWhoWaits(desk: Desk, end: (pid: number) => Promise<unknown>): Promise<Ended> {
  await desk.dlm('lock', 'a', '-q', '--owner-pid', String(process.pid));
  const waiting = desk.dlm('lock', 'a', '--', 'true');
  await until('it waits', async () => (await desk.dlm('locks')).out.includes('waiting'));
  await end((JSON.parse((await desk.dlm('node', 'status', '--json')).out) as { pid: number }).pid);
  return waiting;
}

test('so is the hint for whoever waits at a node that ends, whether it says so or not', { timeout: 120_000 }, async () => {
  const desk = new Desk();
  const line = `dlm node join --cluster demo --cluster-dir ${desk.work} --detach`;
  try {
    chmodSync(desk.work, 0o700);
    for (const end of [() => desk.dlm('node', 'leave', '--force'), async (pid: number) => process.kill(pid, 'SIGKILL')]) {
      const joined = await desk.shell(line);
      assert.equal(joined.exit, 0, joined.err);
      const { exit, err } = await toldWhoWaits(desk, end);
      assert.deepEqual([exit, /^hint: be a member again with: (.*)$/m.exec(err)?.[1]], [95, line]);
    }
  } finally {
    await desk.clear();
  }
});

test('where no member stays that a command could be one beside, the hint names the same cluster', { timeout: 60_000 }, async () => {
  const desk = new Desk();
  try {
    chmodSync(desk.work, 0o700);
    const { exit, err } = await desk.dlm('lock', 'a', '--in-process', '--cluster', 'demo', '--cluster-dir', '.', '--', 'true');
    assert.equal(exit, 96);
    assert.ok(err.includes(`hint: start one that stays with: dlm node join --cluster demo --cluster-dir ${desk.work} --detach; or add --alone to be the first\n`), err);
  } finally {
    await desk.clear();
  }
});

test('a signal while a node in the background is waited for says that the node goes on', { timeout: 60_000 }, async () => {
  const desk = new Desk();
  mkdirSync(desk.dir, { mode: 0o700 });
  // Somebody else is starting one, for ever.
  const other = spawn('flock', ['-x', join(desk.dir, 'start.lock'), 'sleep', '60'], { detached: true, stdio: 'ignore' });
  const childrenOf = (pid: number): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  try {
    await until('the lock is taken', () => Promise.resolve(childrenOf(other.pid!) !== ''));
    const join = spawn('dlm', ['node', 'join', '--detach'], { env: desk.env, stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    join.stderr.on('data', (text: Buffer) => (err += text.toString()));
    // It asks for the lock by a program of its own.
    await until('it waits', () => Promise.resolve(childrenOf(join.pid!) !== ''));
    join.kill('SIGINT');
    const [, signal] = (await once(join, 'close')) as [number | null, string | null];
    assert.equal(signal, 'SIGINT');
    assert.match(err, /^dlm: SIGINT came; a node that was started by then goes on in the background\nhint: see: dlm node status; to end it: dlm node leave\n$/);
  } finally {
    process.kill(-other.pid!, 'SIGKILL');
    await desk.clear();
  }
});

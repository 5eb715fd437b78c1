/**
 * A node leaves a cluster: not while its own people hold locks, unless they are waited
 * for or sent away; and what it decided about for others goes on elsewhere.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { attach } from '../../src/core/index.js';
import { test } from '../kill/bounded.js';
import { isRunning, until } from '../kill/processes.js';
import { program, type Actor } from '../kill/stage.js';
import { Fleet, isRunningWith } from './fleet.js';

const busyExit = 80;
const lostExit = 84;
const inUseExit = 99;
const many = 300;

test('while locks are held it does not leave; it waits for them, or ends them', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const first = fleet.at(2, 'lock', 'one', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'one');
  await until('it holds', () => fleet.has('began-one'));
  const refused = fleet.at(2, 'node', 'leave');
  assert.equal(await refused.exit, inUseExit);
  assert.match(refused.said(), /the node still has a lock\n +one: held in EX for .* on node 2: .*hold\.sh/);

  const drain = fleet.at(2, 'node', 'leave', '--drain');
  await until('it drains', () => fleet.log(2).includes('takes no new locks'));
  assert.notEqual(await fleet.at(2, 'lock', 'two', '-n', '-q', '--', 'true').exit, 0);
  assert.equal(await fleet.at(1, 'lock', 'one', '-n', '-q', '--', 'true').exit, busyExit);
  fleet.tell('finish-one');
  assert.deepEqual(await Promise.all([first.exit, drain.exit]), [0, 0]);
  await fleet.until([1, 3], 'the others go on', isRunningWith(1, 3));
  assert.match(fleet.log(1), /node 2 \(n2\) has left\n/);
  await fleet.sayAt(1, 'lock', 'one', '-n', '-q', '--', 'true');

  const second = fleet.at(3, 'lock', 'one', '-q', '--', 'sh', `${fleet.scriptsAt}beats.sh`, 'forced');
  const child = await fleet.pidOf('forced');
  const next = fleet.at(1, 'lock', 'one', '-q', '--', 'sh', '-c', `date +%s%N > ${fleet.folder}/granted`);
  await fleet.sayAt(3, 'node', 'leave', '--force', '-q');
  assert.equal(isRunning(child), false);
  assert.deepEqual(await Promise.all([second.exit, next.exit]), [lostExit, 0]);
  const last = BigInt(fleet.read('beats-forced').trim().split('\n').at(-1)!);
  assert.ok(last < BigInt(fleet.read('granted').trim()));
});

test(`a node leaves that decides about ${many} names: everybody keeps all locks`, async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const names = Array.from({ length: many }, (_, at) => `name ${at}`);
  const clients = await Promise.all([1, 2, 3].map((node) => attach({ dir: fleet.place(node) })));
  test.after(() => Promise.all(clients.map((client) => client.close().catch(() => undefined))));
  const [first, second, third] = await Promise.all(clients.map((client) => client.lockspace()));
  await fleet.until([1, 2, 3], 'all lock', isRunningWith(1, 2, 3));
  const places = await Promise.all(names.map((name) => first!.lock(name, { mode: 'NL' })));
  const held = await Promise.all(names.flatMap((name) => [second!.lock(name, { mode: 'CR' }), third!.lock(name, { mode: 'PW' })]));
  await Promise.all(places.map((lock) => lock.unlock()));
  const waiting = second!.lock(names[0]!, { mode: 'EX' });
  assert.equal(await fleet.masterOf(names[1]!, 2), 1);

  await fleet.sayAt(1, 'node', 'leave', '-q');
  await fleet.until([2, 3], 'the others go on', isRunningWith(2, 3));
  for (const node of [2, 3]) assert.equal((await fleet.locksOf(node)).filter(({ state }) => state === 'granted').length, many);
  assert.ok([2, 3].includes((await fleet.masterOf(names[1]!, 2))!));
  for (const name of names.slice(1, 6)) {
    await assert.rejects(second!.lock(name, { mode: 'PR', flags: ['NOQUEUE'] }), { code: 'DLM_BUSY' });
  }
  await Promise.all(held.map((lock) => lock.unlock()));
  await (await waiting).unlock();
  for (const node of [2, 3]) assert.deepEqual(await fleet.locksOf(node), []);
});

const nobody = 65_534;
/** A process of root's cannot be ended by anybody else; what others may run, they may read. */
const canBeNobody = process.getuid?.() === 0 && spawnSync(program, ['--version'], { uid: nobody, gid: nobody }).status === 0;

test('a command that it may not end keeps it a member, also by force', { skip: !canBeNobody && 'only root can be somebody else, in a place that all may read' }, async (test) => {
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  chmodSync(fleet.folder, 0o711);
  const asNobody = (node: number, ...words: string[]): Actor => fleet.run([program, ...words], { env: fleet.envOf(node), uid: nobody, gid: nobody, stdio: ['pipe', 'pipe', 'pipe'] });
  chownSync(fleet.clusters, nobody, nobody);
  for (const node of [1, 2]) {
    mkdirSync(fleet.place(node), { mode: 0o700 });
    chownSync(fleet.place(node), nobody, nobody);
    const joining = asNobody(node, 'node', 'join', '--cluster', 'demo', '--cluster-dir', fleet.clusters, '--node', String(node), '--detach');
    assert.equal(await joining.exit, 0, joining.said());
  }
  const child = spawn('sleep', ['1000']);
  test.after(() => child.kill('SIGKILL'));
  const guard = asNobody(1, 'session');
  const requests = [{ op: 'joinLockspace' }, { op: 'lock', name: 'one', mode: 'EX' }, { op: 'protect', pid: child.pid }];
  for (const [id, request] of requests.entries()) guard.process.stdin!.write(`${JSON.stringify({ id, ...(request.op === 'protect' ? {} : { lockspace: 'default' }), ...request })}\n`);
  await until('it holds, and is known', () => guard.said().includes('"complete"') && guard.said().includes('"id":2'));

  const next = asNobody(2, 'lock', 'one', '-q', '--', 'sh', '-c', `echo granted beside $(ps -o pid= -p ${child.pid})`);
  const leave = asNobody(1, 'node', 'leave', '--force');
  await until('its end was waited for in vain', () => next.said() !== '' || fleet.log(1).includes('stays a member until they have ended'));
  child.kill('SIGKILL');
  assert.deepEqual(await Promise.all([next.exit, leave.exit]), [0, 0]);
  assert.equal(next.said().trim(), 'granted beside', 'the command had ended before another one was granted its lock');
  assert.match(leave.said(), /^dlm: a command has not ended, though it was killed: /m);
  assert.match(fleet.log(1), new RegExp(`stays a member until they have ended, which KILL did not do: process ${child.pid} `));
});

/**
 * A member that is stopped answers nobody: whoever looks or asks for a lock is told, and is not left to guess.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { LockHandle, attach } from '../../src/core/index.js';
import { test } from '../kill/bounded.js';
import { signalAll, until } from '../kill/processes.js';
import { program } from '../kill/stage.js';
import { Fleet, everybody, isRunningWith } from './fleet.js';

const busyExit = 80;
const timedOutExit = 81;
const cancelledExit = 83;

const silence = 'node 2 does not answer; its locks are not listed';

test('the list of all locks, and a plan, name a member that does not tell', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'lvb', 'set', 'ours', '1');
  await fleet.sayAt(2, 'lvb', 'set', 'theirs', '2');
  await fleet.until([1, 2], 'both lock', isRunningWith(1, 2));
  assert.doesNotMatch(await fleet.sayAt(1, 'locks', '-a'), /answer/);
  assert.match(await fleet.sayAt(1, 'locks', '-a'), /theirs/);

  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  const words = await fleet.sayAt(1, 'locks', '-a');
  assert.match(words, new RegExp(`^dlm: ${silence}$`, 'm'));
  assert.match(words, /^ours /m);
  const json = fleet.run(['sh', '-c', `"$0" locks -a --json 2>"$1/words"`, program, fleet.folder], { env: fleet.envOf(1) });
  assert.equal(await json.exit, 0);
  assert.deepEqual((JSON.parse(json.said()) as { resource: string }[]).map(({ resource }) => resource), ['ours']);
  assert.equal(fleet.read('words'), `dlm: ${silence}\n`);
  assert.match(await fleet.sayAt(1, 'recover', 'plan', '--node', '2'), new RegExp(`^dlm: ${silence}$`, 'm'));
  const plan = JSON.parse(await fleet.sayAt(1, 'recover', 'plan', '--node', '2', '--json')) as { unlisted: unknown };
  assert.deepEqual(plan.unlisted, [{ node: 2, why: 'silent' }]);
});

test('what this node does not know of is said to be known elsewhere', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const id = (await fleet.sayAt(2, 'lock', 'there', '-q', '--owner-pid', String(process.pid))).trim();
  await fleet.until([1, 2], 'both lock', isRunningWith(1, 2));
  const refused = fleet.at(1, 'lock', 'there', '-n', '--', 'true');
  assert.equal(await refused.exit, busyExit);
  assert.match(refused.said(), /held in EX for .* on node 2: .*\nhint: wait for it with -w SECONDS, or see who holds it with: dlm locks -a there\n/);
  assert.equal(await fleet.sayAt(1, 'locks', 'there'), 'dlm: this node knows of no locks on there; ask all members with: dlm locks -a there\n');
  assert.equal(await fleet.sayAt(1, 'locks', '-a', 'nowhere'), 'dlm: there are no locks on nowhere\n');
  assert.match(await fleet.sayAt(1, 'locks', '-a', 'there'), new RegExp(id));

  await fleet.sayAt(1, 'lvb', 'get', 'there').catch(() => undefined);
  const kept = (await fleet.sayAt(1, 'lock', 'there', '-m', 'NL', '-q', '--owner-pid', String(process.pid))).trim();
  assert.match(await fleet.sayAt(1, 'lockspace', 'show', 'default', 'there'), /\(node 2 decides about it, and has its queues: see them with: dlm locks -a there\)/);
  assert.doesNotMatch(await fleet.sayAt(2, 'lockspace', 'show', 'default', 'there'), /see them with/);
  await fleet.sayAt(1, 'unlock', kept);
  await fleet.sayAt(2, 'unlock', id);
});

test('where several are silent all are named, and none of them is picked out to be ended', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  for (const node of everybody) await fleet.sayAt(node, 'lockspace', 'create', 'default', '-q');
  fleet.at(3, 'lock', 'there', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'there');
  await until('it is held', () => fleet.has('began-there'));
  const [registrar, holder] = [fleet.pidAt(1), fleet.pidAt(3)];
  assert.equal(fleet.registrar(), 1);

  // As long as the registrar stands still nobody is told that the other one has failed.
  signalAll([registrar], 'SIGSTOP');
  signalAll([holder], 'SIGKILL');
  const waiter = fleet.at(2, 'lock', 'there', '-w', '8', '--', 'true');
  assert.equal(await waiter.exit, timedOutExit);
  assert.match(waiter.said(), /not granted within 8 s: node 1 and 3, one of which may decide about it, do not answer$/m);
  assert.match(waiter.said(), /^hint: see which of them is stopped, and let it go on: dlm members$/m);

  signalAll([registrar], 'SIGCONT');
  await fleet.until([1, 2], 'both lock', isRunningWith(1, 2));
  assert.equal(await fleet.at(2, 'lock', 'there', '-q', '-w', '10', '--', 'true').exit, 0);
});

test('who does not want to wait is not made to by the silence of who decides', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const owner = ['-q', '--owner-pid', String(process.pid)];
  const theirs = (await fleet.sayAt(2, 'lock', 'there', '-m', 'NL', ...owner)).trim();
  await fleet.sayAt(2, 'lock', 'free', '-m', 'NL', ...owner);
  const ours = (await fleet.sayAt(1, 'lock', 'there', '-m', 'NL', ...owner)).trim();
  await fleet.until([1, 2], 'both lock', isRunningWith(1, 2));
  assert.equal(await fleet.masterOf('there', 1), 2);

  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  const refused = fleet.at(1, 'lock', 'there', '-n', '--', 'true');
  assert.equal(await refused.exit, busyExit);
  assert.match(refused.said(), /^dlm: EX on there was not granted at once: node 2, which decides about it, does not answer\n/);
  assert.match(refused.said(), /^hint: let node 2 go on; if it must be ended: dlm recover run --node 2 --force$/m);
  const named = fleet.at(1, 'lock', 'free', '-w', '0.1', ...owner);
  const chosen = fleet.at(1, 'lock', 'there', '-n', '-E', '7', ...owner);
  assert.deepEqual([await chosen.exit, chosen.said()], [7, '']);
  assert.equal(await named.exit, timedOutExit);

  signalAll([fleet.pidAt(2)], 'SIGCONT');
  await fleet.until([1, 2], 'they are together again', isRunningWith(1, 2));
  // What was granted meanwhile, to whom it was denied, is given back.
  for (const name of ['there', 'free']) await fleet.sayAt(1, 'lock', name, '-w', '20', '-q', '--', 'true');
  const left = await fleet.ask(2, (client) => client.locks());
  assert.deepEqual(left?.map(({ resource, mode, requested }) => [resource, mode, requested]), [['free', 'NL', null], ['there', 'NL', null], ['there', 'NL', null]]);
  await fleet.sayAt(1, 'unlock', ours);
  await fleet.sayAt(2, 'unlock', theirs);
});

/** Two nodes that both have a lock on `there`, about which the second decides. */
async function decidedElsewhere(test: TestContext): Promise<Fleet> {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const kept = ['-m', 'NL', '-q', '--owner-pid', String(process.pid)];
  await fleet.sayAt(2, 'lock', 'there', ...kept);
  await fleet.sayAt(1, 'lock', 'there', ...kept);
  await fleet.until([1, 2], 'both lock', isRunningWith(1, 2));
  assert.equal(await fleet.masterOf('there', 1), 2);
  return fleet;
}

test('a lock that nobody waits for any more is given back when it is granted, though the one who asked is still there', async (test) => {
  const fleet = await decidedElsewhere(test);

  const client = await attach({ dir: fleet.place(1) });
  test.after(() => client.close());
  const space = await client.lockspace('default');
  const handle = new LockHandle(space);
  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  space.start(handle, 'there', { flags: ['NOQUEUE'], owner: { pid: process.pid } });
  const asked = handle.settled();
  // A session carries out one request after another: the lock has been asked for.
  await client.status();
  handle.renounce();
  await client.status();
  signalAll([fleet.pidAt(2)], 'SIGCONT');
  // The master had the request before it heard that nobody wants it.
  await asked.catch(() => undefined);
  await until('it is given back', async () => (await fleet.locksOf(1, 'there')).every(({ mode, requested }) => mode === 'NL' && requested === null));
});

test('who waits for so long and no longer is not kept waiting by the silence of his own node', async (test) => {
  const fleet = await Fleet.of([1]);
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'lock', 'here', '-q', '--owner-pid', String(process.pid));
  const waiting = fleet.at(1, 'lock', 'here', '-w', '3', '--', 'true');
  await until('it waits', async () => (await fleet.locksOf(1, 'here')).some(({ state }) => state === 'waiting'));
  signalAll([fleet.pidAt(1)], 'SIGSTOP');
  assert.equal(await waiting.exit, timedOutExit);
  assert.match(waiting.said(), /^dlm: EX on here was not granted within 3 s\n {2}the node here does not answer$/m);
});

test('a shell that does not want to wait is not made to by the silence of who decides', async (test) => {
  const fleet = await decidedElsewhere(test);

  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  const shell = fleet.run(['bash', '-c', 'eval "$("$0" shellenv bash)"; dlm_lock there -n; echo "first $?"; dlm_lock there -w 0.1; echo "second $?"', program], { env: fleet.envOf(1) });
  assert.equal(await shell.exit, 0);
  assert.match(shell.said(), new RegExp(`node 2, which decides about it, does not answer\n[^]*first ${busyExit}\n[^]*second ${timedOutExit}\n`));

  signalAll([fleet.pidAt(2)], 'SIGCONT');
  await fleet.sayAt(1, 'lock', 'there', '-w', '20', '-q', '--', 'true');
});

test('what was asked of a silent node is done when it answers, though nobody waits for that any more', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const owner = ['-q', '--owner-pid', String(process.pid)];
  const theirs = (await fleet.sayAt(2, 'lock', 'there', '-m', 'CW', ...owner)).trim();
  const ours = (await fleet.sayAt(1, 'lock', 'there', '-m', 'CW', ...owner)).trim();
  const waiting = fleet.at(1, 'lock', 'there', '--', 'true');
  const wanted = await until('it waits', async () => (await fleet.locksOf(1, 'there')).find(({ state }) => state === 'waiting'));

  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  const asked = [fleet.at(1, 'cancel', wanted.id), fleet.at(1, 'unlock', ours)];
  await until('both say for whom they wait', () => asked.every((one) => one.said().includes('there is no link to node 2 (n2)')));
  signalAll(asked.map(({ pid }) => pid), 'SIGTERM');
  await Promise.all(asked.map(({ exit }) => exit));
  signalAll([fleet.pidAt(2)], 'SIGCONT');
  assert.equal(await waiting.exit, cancelledExit);
  await until('the other lock is all there is', async () => (await fleet.locksOf(1, 'there')).length === 0);
  await fleet.sayAt(2, 'unlock', theirs);
});

test('who needs nothing but an answer is told whose it is, and what has ended is no orphan', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const owner = ['-q', '--owner-pid', String(process.pid)];
  for (const name of ['kept', 'left']) await fleet.sayAt(2, 'lock', name, '-m', 'NL', ...owner);
  const kept = (await fleet.sayAt(1, 'lock', 'kept', '-m', 'PR', ...owner)).trim();
  const left = fleet.at(1, 'lock', 'left', '-m', 'PR', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'left');
  await until('it holds', () => fleet.has('began-left'));
  await fleet.until([1, 2], 'both lock', isRunningWith(1, 2));
  assert.equal(await fleet.masterOf('left', 1), 2);

  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  fleet.tell('finish-left');
  assert.equal(await left.exit, 0);
  assert.match(await fleet.sayAt(1, 'locks', 'left'), /^left +\S+ +ended +PR /m);
  assert.equal(await fleet.sayAt(1, 'orphans', 'list'), 'dlm: this node has no orphans; those of other nodes, which are adopted and purged there, are among: dlm locks --all-nodes\n');
  assert.match(await fleet.sayAt(1, 'lockspace', 'show', 'default', 'left'), / PR .* somebody who has ended$/m);

  const read = fleet.at(1, 'lvb', 'get', 'kept');
  const given = fleet.at(1, 'unlock', kept);
  const cannot = 'there is no link to node 2 \\(n2\\), which is still a member';
  await until('both say for whom they wait', () => new RegExp(`^dlm: waiting for the value of kept\\n  ${cannot}`).test(read.said()) && new RegExp(`^dlm: waiting for word that lock ${kept} is given back\\n  ${cannot}`).test(given.said()));
  signalAll([fleet.pidAt(2)], 'SIGCONT');
  assert.deepEqual([await read.exit, await given.exit], [85, 0]);
  assert.equal(await fleet.sayAt(1, 'locks'), 'dlm: this node knows of no locks; ask all members with: dlm locks -a\n');
});

/**
 * Applications of a real cluster: told to suspend, to recover and to resume, one with
 * another; recovered when they fail, in whatever way; and gone in good order when asked.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { attach, attachApplication, type RecoverTask } from '../../src/core/index.js';
import { test } from '../kill/bounded.js';
import { isRunning, signalAll, until } from '../kill/processes.js';
import type { Actor } from '../kill/stage.js';
import { Fleet, isRunningWith } from './fleet.js';

const busyExit = 80;
const lostExit = 84;
const inUseExit = 94;
const nodeInUseExit = 99;
const noClusterExit = 114;
const recoveryOverExit = 115;

const store = ['-l', 'store'] as const;

/** Each hook writes down what it was told; `words`: more for the line of a hook, by event. */
function application(fleet: Fleet, node: number, words: Partial<Record<'suspend' | 'recover' | 'resume', string>> = {}, ...more: string[]): Actor {
  const hook = (event: 'suspend' | 'recover' | 'resume'): string =>
    `echo "$DLM_EVENT slot=$DLM_SLOT failed=$DLM_FAILED_SLOT node=$DLM_FAILED_NODE" >> ${fleet.folder}/told-${node}; ${words[event] ?? ''}`;
  return fleet.at(node, 'app', 'attach', ...store, '--pass', 'KILL_STAGE', '--on-suspend', hook('suspend'), '--on-recover', hook('recover'), '--on-resume', hook('resume'), ...more);
}

const said = (application: Actor, words: RegExp, count = 1): boolean => [...application.said().matchAll(new RegExp(words.source, 'gm'))].length >= count;

/** One after another, so that each has the slot of its number. */
async function attachAll(fleet: Fleet, nodes: readonly number[], words: Parameters<typeof application>[2] = {}, ...more: string[]): Promise<Map<number, Actor>> {
  const all = new Map<number, Actor>();
  for (const node of nodes) {
    all.set(node, application(fleet, node, words, ...more));
    await until(`application ${node} runs`, () => said(all.get(node)!, /^resumed /m));
  }
  return all;
}

test('a node is killed: all suspend, one recovers its slot, by an identity that only it has, and all resume', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const { folder } = fleet;
  const recover = `printf %s "$DLM_RECOVERY" > ${folder}/identity; "$DLM" lock ${store.join(' ')} data -n -- true && echo got > ${folder}/got; while [ "$DLM_FAILED_SLOT" != all ] && [ ! -e ${folder}/go ]; do sleep 0.02; done`;
  const all = await attachAll(fleet, [1, 2, 3], { recover }, '--pass', 'DLM');
  assert.equal(fleet.read('told-1'), 'recover slot=1 failed=all node=\nresume slot=1 failed= node=\n');
  assert.equal(fleet.read('told-2'), 'resume slot=2 failed= node=\n');

  await fleet.kill(2);
  await until('it recovers', () => said(all.get(1)!, /^recover slot 2 of node 2 generation \d+$/m));
  await until('application 3 is suspended', () => said(all.get(3)!, /^suspended generation \d+$/m));
  await until('the recoverer was granted its lock', () => fleet.has('got'));
  await fleet.until([1, 3], 'locks are recovered', ({ lockspaces }) => lockspaces.every(({ standing }) => standing === 'running' || standing === 'resume'));
  for (const node of [1, 3]) assert.equal(await fleet.at(node, 'lock', ...store, 'other', '-n', '-q', '--', 'true').exit, busyExit, 'nobody else is granted anything');
  assert.doesNotMatch(all.get(1)!.said(), /recovered slot/);
  fleet.tell('go');
  for (const node of [1, 3]) await until(`application ${node} goes on`, () => said(all.get(node)!, /^resumed /m, 2));
  assert.equal(await all.get(2)!.exit, lostExit, 'it has lost its node');
  assert.equal(fleet.read('told-3'), 'resume slot=3 failed= node=\nsuspend slot=3 failed= node=\nresume slot=3 failed= node=\n');
  assert.match(fleet.read('told-1'), /\nsuspend slot=1 failed= node=\nrecover slot=1 failed=2 node=2\nresume slot=1 failed= node=\n$/);

  const identity = fleet.read('identity');
  assert.match(identity, /^store\/\d+\/[0-9a-f]{32}$/);
  const late = fleet.run([fleet.env['DLM']!, 'lock', ...store, 'other', '--', 'true'], { env: { ...fleet.envOf(1), DLM_RECOVERY: identity } });
  assert.equal(await late.exit, recoveryOverExit, late.said());
  const elsewhere = fleet.run([fleet.env['DLM']!, 'lock', 'other', '-q', '--', 'true'], { env: { ...fleet.envOf(1), DLM_RECOVERY: identity } });
  assert.equal(await elsewhere.exit, 0, 'another lockspace does not care');
  const [secret] = identity.split('/').slice(-1);
  for (const text of [fleet.log(1), fleet.log(3), all.get(1)!.said(), late.said()]) assert.ok(!text.includes(secret!), 'it is nowhere to be read');
});

test('an application is killed: what it has left running is ended before others recover, and its node lives on', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const daemon = `sh ${fleet.scriptsAt}beats.sh "$DLM_SLOT" &`;
  const first = await attachAll(fleet, [1], { recover: `[ "$DLM_FAILED_SLOT" = all ] || date +%s%N > ${fleet.folder}/recovering` });
  const second = await attachAll(fleet, [2], { resume: `cd ${fleet.folder}; ${daemon}` });
  const child = await fleet.pidOf('2');
  const waiting = fleet.at(1, 'lock', ...store, 'data', '-q', '--', 'true');
  assert.equal(await waiting.exit, 0);
  signalAll([second.get(2)!.pid], 'SIGKILL');
  await until('application 1 goes on', () => said(first.get(1)!, /^resumed /m, 2));
  assert.match(first.get(1)!.said(), /^recovered slot 2 of node 2$/m);
  assert.equal(isRunning(child), false);
  const last = BigInt(fleet.read('beats-2').trim().split('\n').at(-1)!);
  assert.ok(last < BigInt(fleet.read('recovering').trim()), 'nothing was done any more when it was recovered');
  assert.deepEqual((await fleet.statusOf(2))!.lockspaces.filter(({ name }) => name === 'store'), []);
  await fleet.sayAt(2, 'lock', 'else', '-q', '--', 'true');
  assert.match(await fleet.sayAt(1, 'recover', 'show'), /^ {2}why {6}application of node 2 died$/m);
  assert.match(await fleet.sayAt(1, 'recover', 'verify'), /happened in order/, 'there was nobody to fence');

  const again = await attachAll(fleet, [2]);
  assert.doesNotMatch(again.get(2)!.said(), /^recover/m, 'nothing is left to be done');
});

test('a plan names the application that would recover, and says why where there is none', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const appOf = async (victim: number): Promise<string> => /^ {2}app +(by .*)$/m.exec(await fleet.sayAt(3 - victim, 'recover', 'plan', '--node', String(victim)))![1]!;
  for (const node of [1, 2]) await fleet.sayAt(node, 'lockspace', 'create', 'store', '--order', 'gfs');
  await fleet.until([1, 2], 'both have it', isRunningWith(1, 2));
  const after = 'after suspend, fence, dlm';
  assert.equal(await appOf(2), `by nobody, ${after}: no application is attached, so nothing is run`);
  await attachAll(fleet, [2]);
  assert.equal(await appOf(1), `by nobody, ${after}: node 1 has no application, so nothing is left to be put in order`);
  assert.equal(await appOf(2), `by nobody, ${after}: no other node has an application, so it waits until one has`);
  assert.match(await fleet.sayAt(2, 'recover', 'plan', '--node', '1'), /^ {2}suspend +by node 2, at once\n[^]*^ {2}resume +by node 2, after/m);
  await attachAll(fleet, [1]);
  assert.equal(await appOf(2), `by node 1, ${after}`);
});

test('what it holds is not given on before its slot is in order', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const { folder } = fleet;
  const first = await attachAll(fleet, [1], { recover: `[ "$DLM_FAILED_SLOT" = all ] || while [ ! -e ${folder}/go ]; do sleep 0.02; done` });
  const second = await attachAll(fleet, [2], { resume: `cd ${folder}; "$DLM" lock ${store.join(' ')} data -q -- sh ${fleet.scriptsAt}beats.sh 2 &` }, '--pass', 'DLM');
  await fleet.pidOf('2');
  const next = fleet.at(1, 'lock', ...store, 'data', '-q', '--', 'sh', '-c', `echo yes > ${folder}/granted`);
  await until('it waits', async () => (await fleet.locksOf(1, 'data')).some(({ state }) => state === 'waiting'));
  signalAll([second.get(2)!.pid], 'SIGKILL');
  await until('it is being recovered', () => said(first.get(1)!, /^recover slot 2/m));
  assert.equal(fleet.has('granted'), false);
  fleet.tell('go');
  assert.equal(await next.exit, 0, next.said());
});

test('it ends in good order: suspended before, nothing is recovered and nobody else suspended', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const all = await attachAll(fleet, [1, 2]);
  const holder = fleet.at(2, 'lock', ...store, 'data', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'data');
  await until('somebody holds a lock', () => fleet.has('began-data'));
  const refused = fleet.at(2, 'node', 'leave');
  assert.notEqual(await refused.exit, 0);
  signalAll([all.get(2)!.pid], 'SIGTERM');
  await until('it says what it waits for', () => said(all.get(2)!, /suspended; leaves when the last lock/));
  fleet.tell('finish-data');
  assert.deepEqual([await holder.exit, await all.get(2)!.exit], [0, 0]);
  assert.match(fleet.read('told-2'), /^resume [^\n]*\nsuspend [^\n]*\n$/);
  assert.match(all.get(2)!.said(), /^left lockspace store$/m);
  await fleet.until([1], 'node 1 goes on', ({ lockspaces }) => lockspaces.every(({ standing, members }) => standing === 'running' && members.join() === '1'));
  assert.doesNotMatch(fleet.read('told-1'), /suspend/);
});

test('one that does not suspend in time takes its node with it; the others go on and recover its slot', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const first = await attachAll(fleet, [1]);
  const second = await attachAll(fleet, [2], { suspend: 'sleep 1000' }, '--suspend-timeout', '300ms');
  const third = await attachAll(fleet, [3]);
  await fleet.kill(3);
  assert.equal(await second.get(2)!.exit, lostExit);
  await until('node 2 is gone', () => fleet.pidAt(2) === 0);
  await until('both slots are in order, and it goes on', () => said(first.get(1)!, /^recovered slot [23] of node [23]$/m, 2) && /resumed \S+ \S+ slot 1\n$/.test(first.get(1)!.said()));
  assert.match(fleet.log(2), /the application of lockspace store did not suspend within 300 ms/);
  assert.equal(await third.get(3)!.exit, lostExit);
});

test('a recovery that fails is given to the next node', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const first = await attachAll(fleet, [1], { recover: '[ "$DLM_FAILED_SLOT" = all ]' });
  const others = await attachAll(fleet, [2, 3]);
  await fleet.kill(3);
  await until('the next one does it', () => said(others.get(2)!, /^recovered slot 3 of node 3$/m));
  for (const one of [first.get(1)!, others.get(2)!]) await until('all go on', () => said(one, /^resumed /m, 2));
  assert.match(first.get(1)!.said(), /--on-recover has ended with exit code 1; another node is asked/);
});

test('refused: alone, twice, and where locks are held', async (test) => {
  const fleet = await Fleet.of([1]);
  test.after(() => fleet.clear());
  await fleet.sayAt(9, 'node', 'join', '--detach', '-q');
  const alone = application(fleet, 9);
  assert.equal(await alone.exit, noClusterExit);
  assert.match(alone.said(), /member of no cluster[^]*hint: .*dlm node join --cluster/);
  await fleet.sayAt(9, 'node', 'leave', '-q');

  await fleet.sayAt(1, 'lockspace', 'create', 'store', '-q');
  const holder = fleet.at(1, 'lock', ...store, 'data', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'data');
  await until('somebody holds a lock', () => fleet.has('began-data'));
  const used = application(fleet, 1);
  assert.equal(await used.exit, inUseExit, used.said());
  fleet.tell('finish-data');
  await holder.exit;
  await attachAll(fleet, [1]);
  const twice = application(fleet, 1);
  assert.equal(await twice.exit, inUseExit, twice.said());
  assert.equal(await fleet.at(1, 'lockspace', 'remove', 'store', '--force').exit, inUseExit);
});

test('a node with an application stays, and goes on, when it is asked to leave; asked twice by signals it ends with it', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const all = await attachAll(fleet, [1, 2]);
  for (const words of [[], ['--drain']]) {
    const leaving = fleet.at(2, 'node', 'leave', ...words);
    assert.equal(await leaving.exit, nodeInUseExit);
    assert.match(leaving.said(), /an application is attached to lockspace store[^]*hint: end it first/);
  }
  const pid = fleet.pidAt(2);
  signalAll([pid], 'SIGTERM');
  await until('the node says so', () => /the node stays: an application is attached to lockspace store; end it first/.test(fleet.log(2)));
  assert.doesNotMatch(fleet.log(2), /locks are held|takes no new locks/);
  await fleet.sayAt(2, 'lock', ...store, 'data', '-q', '--', 'true');

  signalAll([pid], 'SIGTERM');
  assert.equal(await all.get(2)!.exit, lostExit);
  await until('its slot is put in order', () => said(all.get(1)!, /^recovered slot 2 of node 2$/m));
});

test('a node whose folder is taken away from under an application counts as failed: its slot is put in order', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const all = await attachAll(fleet, [1, 2]);
  const pid = fleet.pidAt(2);
  rmSync(fleet.place(2), { recursive: true });
  assert.equal(await all.get(2)!.exit, lostExit);
  await until('its process has ended', () => !isRunning(pid));
  await fleet.until([1], 'it is alone', ({ members }) => members.length === 1);
  await until('its slot is put in order', () => said(all.get(1)!, /^recovered slot 2 of node 2$/m));
});

test('in a program: its own functions are called, and it locks while others have to wait', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const client = await attach({ dir: fleet.place(1) });
  const told: string[] = [];
  const space = await client.lockspace('store');
  const application = await space.attach(
    {
      onSuspend: ({ slot }) => void told.push(`suspend ${slot}`),
      onRecover: async ({ locks, failedSlot }: RecoverTask) => {
        const lock = await locks.lock('data', { flags: ['NOQUEUE'] });
        await lock.convert('PR');
        await lock.convert('EX', { flags: ['NOQUEUE'] });
        await assert.rejects(space.lock('data2', { flags: ['NOQUEUE'] }), { code: 'DLM_BUSY' });
        await lock.unlock();
        told.push(`recover ${failedSlot}`);
      },
      onResume: ({ slot }) => void told.push(`resume ${slot}`),
      onTrouble: (what, error) => void told.push(`${what} failed: ${String(error)}`),
    },
    { isClient: false },
  );
  await until('it runs', () => application.state === 'running');
  const second = await attachAll(fleet, [2]);
  await fleet.kill(2);
  await until('it goes on', () => told.length === 5);
  assert.deepEqual(told, ['recover null', 'resume 1', 'suspend 1', 'recover 2', 'resume 1']);
  await second.get(2)!.exit;
  await application.detach();
  assert.deepEqual([application.state, told.at(-1)], ['detached', 'suspend 1']);
  await attachApplication(client.port, 'store', { onSuspend: () => undefined, onRecover: () => undefined, onResume: () => undefined }, { isClient: false }).then((again) => again.detach());
  await client.close();
  await fleet.until([1], 'node 1 goes on', isRunningWith(1));
});

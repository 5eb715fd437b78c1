/**
 * A command that is itself a member of the cluster for as long as it runs: it joins and
 * leaves in good order, shares its locks with everybody, and when it is killed the others
 * recover, and are granted what it held when its command has ended.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from '../kill/bounded.js';
import { isRunning, signalAll, until } from '../kill/processes.js';
import type { Actor } from '../kill/stage.js';
import { Fleet, isRunningWith } from './fleet.js';

const busyExit = 80;
const noValueExit = 85;
const refusedExit = 96;

/** Somebody who has no node, and a folder of his own: number 9 here. */
const stranger = 9;

/** Run dlm as a member meanwhile; the words after the first `--` are those of the command. */
function guest(fleet: Fleet, words: readonly string[], node = stranger): Actor {
  const at = words.includes('--') ? words.indexOf('--') : words.length;
  return fleet.at(node, ...words.slice(0, at), '--in-process', '--cluster', 'demo', '--cluster-dir', fleet.clusters, ...words.slice(at));
}

test('it holds against all, is seen by all, ends with the exit code of its command, and has left', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const command = ['sh', '-c', `sh ${fleet.scriptsAt}hold.sh guest; exit 7`];
  const holder = guest(fleet, ['lock', 'far', '-q', '--', ...command]);
  await until('it holds', () => fleet.has('began-guest'));
  for (const node of [1, 2]) {
    const busy = fleet.at(node, 'lock', 'far', '-n', '--', 'true');
    assert.equal(await busy.exit, busyExit);
    assert.match(busy.said(), /held in EX for .* by pid \d+ on node 3: sh -c/);
  }
  const listed = await fleet.sayAt(1, 'node', 'list');
  assert.match(listed, /^3 .*default$/m);
  const waiting = fleet.at(1, 'lock', 'far', '-q', '--', 'true');
  await until('it waits', async () => (await fleet.locksOf(1, 'far')).some(({ state }) => state === 'waiting'));
  fleet.tell('finish-guest');
  assert.deepEqual(await Promise.all([holder.exit, waiting.exit]), [7, 0]);
  await fleet.until([1, 2], 'they go on', isRunningWith(1, 2));
  assert.match(fleet.log(1), /node 3 \(\S+\) has left\n/);
  assert.deepEqual(readdirSync(`${fleet.place(stranger)}/guests`), []);
});

test('it is not the first of a cluster, unless that is meant; then others can join it', async (test) => {
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  const refused = guest(fleet, ['lock', 'far', '--', 'true']);
  assert.equal(await refused.exit, refusedExit);
  assert.match(refused.said(), /cluster demo has no members on this machine that could be joined/);
  const first = guest(fleet, ['lock', 'far', '-q', '--alone', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'first']);
  await until('it holds', () => fleet.has('began-first'));
  assert.equal(await guest(fleet, ['lock', 'far', '-n', '-q', '--', 'true']).exit, busyExit);
  // Not number 2: a guest had it a moment ago, and a number that comes from another folder in the same second is refused.
  await fleet.join(3);
  assert.equal(await fleet.at(3, 'lock', 'far', '-n', '-q', '--', 'true').exit, busyExit);
  fleet.tell('finish-first');
  assert.equal(await first.exit, 0);
  await fleet.sayAt(3, 'lock', 'far', '-q', '--', 'true');
});

test('it is killed while it holds: its command is ended, and only then the lock is given on', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const holder = guest(fleet, ['lock', 'far', '-q', '--', 'sh', `${fleet.scriptsAt}beats.sh`, 'guest']);
  const child = await fleet.pidOf('guest');
  const next = fleet.at(2, 'lock', 'far', '-q', '--', 'sh', '-c', `date +%s%N > ${fleet.folder}/granted`);
  await until('it waits', async () => (await fleet.locksOf(2, 'far')).some(({ state }) => state === 'waiting'));
  signalAll([holder.pid], 'SIGKILL');
  assert.equal(await next.exit, 0, next.said());
  assert.equal(isRunning(child), false);
  const last = BigInt(fleet.read('beats-guest').trim().split('\n').at(-1)!);
  assert.ok(last < BigInt(fleet.read('granted').trim()));
  assert.match(fleet.log(1), /node 3 \(\S+\) has failed\n/);

  await guest(fleet, ['lock', 'far', '-q', '--', 'true']).exit;
  assert.deepEqual(readdirSync(`${fleet.place(stranger)}/guests`), [], 'the next one has cleared away what it left');
});

test('many at a time in one folder: each is another life, and the count is exact', async (test) => {
  const fleet = await Fleet.of([1]);
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'lvb', 'set', 'tally', '0', '-q');
  const actors = Array.from({ length: 6 }, () => guest(fleet, ['lvb', 'incr', 'tally', '-q'], 1));
  for (const actor of actors) assert.equal(await actor.exit, 0, actor.said());
  assert.deepEqual(actors.map((actor) => Number(actor.said())).sort(), [1, 2, 3, 4, 5, 6]);
  assert.equal(await fleet.sayAt(1, 'lvb', 'get', 'tally'), '6\n');
  const here = [...fleet.log(1).matchAll(/node (\d+) \(\S+\) is here/g)];
  assert.equal(here.length, 7);
  const state = JSON.parse(readFileSync(`${fleet.place(1)}/state.json`, 'utf8')) as { incarnation: number };
  const own = (await fleet.statusOf(1))!.incarnation;
  assert.ok(state.incarnation >= own + actors.length);
});

test('to look, to read a value, and not to write one that nobody would keep', async (test) => {
  const fleet = await Fleet.of([1]);
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'lvb', 'set', 'kept', 'here', '-q');
  const holder = fleet.at(1, 'lock', 'far', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'far');
  await until('it holds', () => fleet.has('began-far'));
  const list = guest(fleet, ['locks']);
  assert.equal(await list.exit, 0);
  assert.match(list.said(), /far .*hold\.sh far/);
  const read = guest(fleet, ['lvb', 'get', 'kept']);
  assert.equal(await read.exit, 0);
  assert.equal(read.said(), 'here\n');
  const write = guest(fleet, ['lvb', 'set', 'lost', 'there']);
  assert.equal(await write.exit, noValueExit);
  assert.match(write.said(), /nobody else holds a lock on that resource/);
  fleet.tell('finish-far');
  assert.equal(await holder.exit, 0);
});

test('a node that was a member is not one of no cluster by itself, only when somebody says so', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  await guest(fleet, ['lock', 'far', '-q', '--', 'true']).exit;
  await fleet.sayAt(2, 'node', 'leave', '-q');
  for (const node of [2, stranger]) {
    for (const words of [['node', 'join'], ['node', 'join', '--detach'], ['lock', 'far', '--', 'true']]) {
      const refused = fleet.at(node, ...words);
      assert.equal(await refused.exit, refusedExit, refused.said());
      assert.match(refused.said(), /has been part of a cluster/);
    }
    assert.equal(existsSync(`${fleet.place(node)}/control.sock`), false);
  }
  await fleet.sayAt(2, 'node', 'join', '--alone', '--detach', '-q');
  await fleet.sayAt(2, 'lock', 'far', '-n', '-q', '--', 'true');
  await fleet.sayAt(2, 'node', 'leave', '-q');
  await fleet.join(2);
});

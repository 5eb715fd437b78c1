/**
 * A command that is itself a member of the cluster for as long as it runs: it joins and
 * leaves in good order, shares its locks with everybody, and when it is killed the others
 * recover, and are granted what it held when its command has ended.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { freePorts } from '../host/free-ports.js';
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

test('a signal that comes while it looks whether its key is the right one, or while it joins a lockspace: it has left, and not failed', async (test) => {
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  const [own, other] = await freePorts(2);
  const key = (): string => randomBytes(32).toString('base64');
  await fleet.join(1, '--listen', `tcp:127.0.0.1:${own}`, '--key-file', fleet.file('key', key()));
  const looking = guest(fleet, ['lock', 'far', '--listen', `tcp:127.0.0.1:${other}`, '--key-file', fleet.file('other', key()), '--', 'true']);
  await until('it is a member', () => /node 2 \(\S+\) is here\n/.test(fleet.log(1)));
  signalAll([looking.pid], 'SIGTERM');
  assert.equal(await looking.exit, 143, looking.said());
  await until('it is none any more', () => /node 2 \(\S+\) has /.test(fleet.log(1)));
  assert.match(fleet.log(1), /node 2 \(\S+\) has left\n/);

  // Sockets of this machine know no keys; the one who is stopped keeps the lockspace from recovering.
  const unlike = await Fleet.of([1, 2]);
  test.after(() => unlike.clear());
  await unlike.sayAt(1, 'lock', 'far', '-q', '--', 'true');
  await unlike.sayAt(2, 'lock', 'far', '-q', '--', 'true');
  const stopped = unlike.pidAt(unlike.registrar() === 1 ? 2 : 1);
  const lives = unlike.registrar();
  signalAll([stopped], 'SIGSTOP');
  const joining = guest(unlike, ['lvb', 'get', 'far']);
  await until('it waits for the lockspace', () => /node 3 \(\S+\) is here\n/.test(unlike.log(lives)) && unlike.log(lives).trimEnd().endsWith('recovers with node 1, 2, 3'));
  signalAll([joining.pid], 'SIGTERM');
  assert.equal(await joining.exit, 143, joining.said());
  signalAll([stopped], 'SIGCONT');
  await until('it is none any more', () => /node 3 \(\S+\) has /.test(unlike.log(lives)));
  assert.match(unlike.log(lives), /node 3 \(\S+\) has left\n/);
});

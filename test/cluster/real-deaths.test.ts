/**
 * What a node leaves behind that is killed: its commands, which are ended first, the
 * values it may have been writing, and the register of the members.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { identify } from '../../src/core/host/process-facts.js';
import { test } from '../kill/bounded.js';
import { isRunning, signalAll, until } from '../kill/processes.js';
import { countOf, everybody, Fleet, isRunningWith } from './fleet.js';

const notValidExit = 86;
const timedOutExit = 81;

for (const [victim, who] of [[2, 'a node'], [1, 'the registrar']] as const) {
  test(`a command of ${who} that will not end is killed before what it held is given on, also when dlm is gone`, async (test) => {
    const fleet = await Fleet.of();
    test.after(() => fleet.clear());
    assert.equal(fleet.registrar(), 1);
    const guards = ['one', 'two'].map((name) => fleet.at(victim, 'lock', name, '-q', '--', 'sh', `${fleet.scriptsAt}beats.sh`, name));
    const pids = [await fleet.pidOf('one'), await fleet.pidOf('two')];
    const takers = ['one', 'two'].map((name) => fleet.at(3, 'lock', name, '-q', '--', 'sh', '-c', `date +%s%N > ${fleet.folder}/granted-${name}`));
    await until('both wait', async () => (await fleet.locksOf(3)).filter(({ state }) => state === 'waiting').length === 2);
    // The second command has nobody left who would end it, but the other nodes.
    signalAll([guards[1]!.pid, fleet.pidAt(victim)], 'SIGKILL');
    for (const [at, name] of ['one', 'two'].entries()) {
      assert.equal(await takers[at]!.exit, 0);
      assert.equal(isRunning(pids[at]!), false);
      const last = BigInt(fleet.read(`beats-${name}`).trim().split('\n').at(-1)!);
      assert.ok(last < BigInt(fleet.read(`granted-${name}`).trim()), `${name} wrote at ${last}, and was given on before, at ${fleet.read(`granted-${name}`)}`);
    }
  });
}

test('the value that a killed node may have been writing is not valid on the others', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'lvb', 'set', 'v', 'first', '-q');
  for (const node of [2, 3]) assert.equal(await fleet.sayAt(node, 'lvb', 'get', 'v'), 'first\n');
  await fleet.sayAt(2, 'lvb', 'set', 'v', 'second', '-q');
  for (const node of everybody) assert.equal(await fleet.sayAt(node, 'lvb', 'get', 'v'), 'second\n');
  fleet.at(1, 'lock', 'v', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'writer');
  await until('it writes', () => fleet.has('began-writer'));
  await fleet.kill(1);
  for (const node of [2, 3]) {
    const reader = fleet.at(node, 'lvb', 'get', 'v');
    assert.equal(await reader.exit, notValidExit, reader.said());
  }
  await fleet.sayAt(3, 'lvb', 'set', 'v', 'third', '-q');
  assert.equal(await fleet.sayAt(2, 'lvb', 'get', 'v'), 'third\n');
});

test('a counter does not begin again when the node dies that decided about it', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  fleet.at(2, 'lock', 'tickets', '-m', 'NL', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'place');
  await until('node 2 has its place', () => fleet.has('began-place'));
  assert.equal(await fleet.sayAt(1, 'lvb', 'incr', 'tickets'), '1\n');
  assert.equal(await fleet.sayAt(3, 'lvb', 'incr', 'tickets'), '2\n');
  assert.equal(await fleet.masterOf('tickets', 2), 2);
  await fleet.kill(2);
  for (const node of [1, 3]) {
    const late = fleet.at(node, 'lvb', 'incr', 'tickets');
    assert.equal(await late.exit, notValidExit, late.said());
  }
  assert.equal(await fleet.sayAt(1, 'lvb', 'incr', 'tickets', '--allow-invalid'), '3\n');
});

test('nor does one that each node has added to more than once: the copy that a node keeps is always of its last addition', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  await fleet.sayAt(2, 'lvb', 'set', 'tickets', '0', '-q');
  for (let count = 1; count <= 6; count += 1) assert.equal(await fleet.sayAt(1 + 2 * (count % 2), 'lvb', 'incr', 'tickets'), `${count}\n`);
  assert.equal(await fleet.masterOf('tickets', 1), 2);
  await fleet.kill(2);
  for (const node of [1, 3]) {
    const late = fleet.at(node, 'lvb', 'incr', 'tickets');
    assert.equal(await late.exit, notValidExit, late.said());
  }
  assert.equal(await fleet.sayAt(1, 'lvb', 'incr', 'tickets', '--allow-invalid'), '7\n');
});

test('the registrar is killed while another member is stopped: what needs that one waits, and says so', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  assert.equal(fleet.registrar(), 1);
  // A lockspace that the one who will be stopped has nothing to do with: not even its word about who has failed is needed.
  for (const node of [1, 2]) await fleet.sayAt(node, 'lockspace', 'create', 'pair', '--order', 'none', '-q');
  const kept = fleet.at(2, 'lock', 'kept', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'kept');
  await until('it is kept', () => fleet.has('began-kept'));
  const loops = everybody.map((node) => fleet.scriptAt(node, 'loop.sh', 'a'));
  await until('all are at it', () => everybody.every((node) => fleet.read('ledger').includes(`n${node}.a`)));

  const stopped = fleet.pidAt(3);
  signalAll([stopped], 'SIGSTOP');
  await fleet.kill(1);
  await until('another is registrar', () => fleet.registrar() === 2);
  await fleet.until([2], 'it waits for the stopped one', ({ members, lockspaces }) => {
    const found = lockspaces.find(({ name }) => name === 'default');
    return members.join() === '2,3' && found?.standing === 'members' && found.waitsFor.join() === '3';
  });
  assert.match(await fleet.sayAt(2, 'node', 'status'), /default: .*recovering: members 1\/6, waiting for node 3/);
  assert.equal(await fleet.at(2, 'lock', 'x', '-l', 'pair', '-q', '-w', '10', '--', 'true').exit, 0);
  const waiter = fleet.at(2, 'lock', 'x', '-w', '1.5', '--', 'true');
  assert.equal(await waiter.exit, timedOutExit);
  assert.match(waiter.said(), /recovering: members 1\/6, waiting for node 3/);

  signalAll([stopped], 'SIGCONT');
  await fleet.until([2, 3], 'they lock', isRunningWith(2, 3));
  await fleet.join(1);
  await fleet.until(everybody, 'all lock', isRunningWith(...everybody));
  const written = countOf(fleet).number;
  await until('they get on', () => countOf(fleet).number >= written + 6);
  assert.equal(await fleet.at(3, 'lock', 'kept', '-n', '-q', '--', 'true').exit, 80);
  fleet.tell('finish-kept');
  fleet.tell('stop');
  assert.deepEqual(await Promise.all([kept, ...loops].map(({ exit }) => exit)), [0, 0, 0, 0]);
  assert.deepEqual(fleet.ledger.overlaps, []);
  assert.equal(countOf(fleet).number, countOf(fleet).writers.size, `as seen one after another:\n${fleet.read('seen')}`);
});

test('a member is stopped: what others decide about goes on', async (test) => {
  const fleet = await Fleet.of();
  test.after(() => fleet.clear());
  const holder = fleet.at(1, 'lock', 'here', '-m', 'NL', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'here');
  await until('it is there', () => fleet.has('began-here'));
  await fleet.sayAt(2, 'lock', 'here', '-q', '--', 'true');
  const stopped = fleet.pidAt(3);
  signalAll([stopped], 'SIGSTOP');
  await fleet.sayAt(1, 'lock', 'here', '-q', '-w', '10', '--', 'true');
  signalAll([stopped], 'SIGCONT');
  await fleet.sayAt(3, 'lock', 'here', '-q', '--', 'true');
  fleet.tell('finish-here');
  assert.equal(await holder.exit, 0);
});

test('a node that cannot write down in which generation it locks ends, and says why; the others go on', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const { pid, incarnation } = (await fleet.statusOf(1))!;
  // What it would write into is a folder, as good as a full disk.
  mkdirSync(`${fleet.place(1)}/life-${pid}.${identify(pid)!.started}.${incarnation}.new`);
  const lost = fleet.at(1, 'lock', 'data', '-q', '--', 'true');
  assert.equal(await lost.exit, 95, lost.said());
  await until('its process is gone', () => !isRunning(pid));
  assert.match(fleet.log(1), /\ndlm: cannot write \S+\/life-\S+: .*\nhint: see .*\n$/);
  await fleet.sayAt(2, 'lock', 'data', '-q', '--', 'true');
});

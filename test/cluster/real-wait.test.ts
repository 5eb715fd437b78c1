/**
 * dlm wait on a real cluster: at once where it is so already, when it comes true, and not
 * for longer than was wanted.
 */
import assert from 'node:assert/strict';
import { test } from '../kill/bounded.js';
import { signalAll, until } from '../kill/processes.js';
import { Fleet } from './fleet.js';

const usageExit = 64;
const timedOutExit = 81;
const unknownExit = 92;

test('for members, quorum and recoveries', async (test) => {
  const fleet = await Fleet.of([1]);
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'wait', 'quorate');
  for (const time of ['0', '1ms']) {
    await fleet.sayAt(1, 'wait', 'quorate', '-w', time);
    const notYet = fleet.at(1, 'wait', 'member', '2', '-w', time);
    assert.equal(await notYet.exit, timedOutExit);
    assert.match(notYet.said(), /the members are node 1/, 'it was looked at once');
  }
  const two = fleet.at(1, 'wait', 'member', '2');
  await until('it says what it waits for', () => /waiting for node 2 to be a member: the members are node 1/.test(two.said()));
  await fleet.join(2);
  assert.equal(await two.exit, 0, two.said());

  await fleet.sayAt(1, 'lock', 'data', '-q', '--', 'true');
  await fleet.sayAt(2, 'lock', 'data', '-q', '--', 'true');
  await fleet.sayAt(1, 'wait', 'recovered', '-w', '30');
  const { generation } = (await fleet.statusOf(1))!.lockspaces[0]!;
  await fleet.sayAt(1, 'wait', 'generation', String(generation));
  const next = fleet.at(1, 'wait', 'generation', String(generation + 1), 'default');
  const late = fleet.at(1, 'wait', 'generation', String(generation + 1), '-w', '0.2');
  assert.equal(await late.exit, timedOutExit, late.said());
  assert.match(late.said(), /waited 0\.2 s for lockspace default to be recovered in generation \d+: it is in generation \d+/);
  await fleet.kill(2);
  assert.equal(await next.exit, 0, next.said());
  assert.equal(await fleet.at(1, 'wait', 'recovered', 'nowhere').exit, unknownExit);
  for (const words of [['recovered'], ['generation', '1']]) {
    assert.equal(await fleet.at(1, 'wait', ...words, '-l', 'nowhere').exit, unknownExit, 'the option names the lockspace as well');
    assert.equal(await fleet.at(1, 'wait', ...words, 'default', '-l', 'nowhere').exit, usageExit);
  }
  for (const words of [['member'], ['recovered', 'a', 'b'], ['sunshine'], ['free']]) assert.equal(await fleet.at(1, 'wait', ...words).exit, usageExit, words.join(' '));
});

test('for a lock that somebody else holds', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const holder = fleet.at(1, 'lock', 'data', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'data');
  await until('it is held', () => fleet.has('began-data'));
  assert.equal(await fleet.at(2, 'wait', 'free', 'data', '--timeout', '0.3').exit, timedOutExit);
  const patient = fleet.at(2, 'wait', 'free', 'data');
  await until('it says who has it', () => /held in EX for .* on node 1: /.test(patient.said()));
  fleet.tell('finish-data');
  assert.deepEqual([await holder.exit, await patient.exit], [0, 0]);
});

test('not for longer than was wanted, nor after a signal, though the node here is stopped', async (test) => {
  const fleet = await Fleet.of([1]);
  test.after(() => fleet.clear());
  const patient = fleet.at(1, 'wait', 'member', '2');
  await until('it waits', () => /waiting for node 2/.test(patient.said()));
  const node = fleet.pidAt(1);
  signalAll([node], 'SIGSTOP');
  const lines = [['wait', 'member', '2'], ['wait', 'quorate'], ['wait', 'free', 'data'], ['lvb', 'incr', 'data']];
  const all = lines.map((words) => fleet.at(1, ...words, '-w', '1'));
  for (const late of all) {
    assert.equal(await late.exit, timedOutExit, late.said());
    assert.match(late.said(), /(waited 1 s for|was not granted within 1 s).*: the node behind \S+ has accepted the connection and says nothing\n/);
  }
  signalAll([patient.pid], 'SIGINT');
  assert.equal(await patient.exit, 130);
  assert.match(patient.said(), /SIGINT came while waiting for node 2 to be a member\n(?!.*lock)/);
  signalAll([node], 'SIGCONT');
});

/**
 * Giving up while the member that decides is stopped: it is done in time, and what is granted afterwards, when that one
 * goes on, is undone.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from '../kill/bounded.js';
import { signalAll, until } from '../kill/processes.js';
import { program } from '../kill/stage.js';
import { Fleet, isRunningWith } from './fleet.js';

const busyExit = 80;
const timedOutExit = 81;
const owner = ['-q', '--owner-pid', String(process.pid)];

/** Node 2 decides about `there`, on which node 1 has a lock as well. */
async function fleetWithMaster(test: TestContext, mode: string): Promise<{ fleet: Fleet; ours: string; theirs: string }> {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const theirs = (await fleet.sayAt(2, 'lock', 'there', '-m', 'NL', ...owner)).trim();
  const ours = (await fleet.sayAt(1, 'lock', 'there', '-m', mode, ...owner)).trim();
  await fleet.until([1, 2], 'both lock', isRunningWith(1, 2));
  assert.equal(await fleet.masterOf('there', 1), 2);
  return { fleet, ours, theirs };
}

/** What is left on `there`, as the member sees it that decides. */
async function left(fleet: Fleet): Promise<unknown[]> {
  const locks = await fleet.ask(2, (client) => client.locks({ name: 'there' }));
  return locks!.map(({ node, mode, requested }) => [node, mode, requested]).sort();
}

async function goOn(fleet: Fleet): Promise<void> {
  signalAll([fleet.pidAt(2)], 'SIGCONT');
  await fleet.until([1, 2], 'they are together again', isRunningWith(1, 2));
}

/** A script of somebody who uses node 1. */
const bashAt1 = (fleet: Fleet, script: string) =>
  fleet.run(['bash', '-c', `eval "$(dlm shellenv bash)" || exit; ${script}`], { env: { ...fleet.envOf(1), PATH: `${dirname(program)}:${process.env.PATH}` }, stdio: 'pipe' });

test('whoever waits for a short time gives up before those who do not wait know that nobody answers', async (test) => {
  const { fleet } = await fleetWithMaster(test, 'NL');
  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  const order: string[] = [];
  const give = async (name: string, ...words: string[]): Promise<string> => {
    const actor = fleet.at(1, 'lock', 'there', ...words);
    await actor.exit;
    order.push(name);
    return actor.said();
  };
  const [said] = await Promise.all([give('-w', '-w', '0.2', ...owner.slice(1)), give('-n', '-n', ...owner)]);
  assert.match(said, /^dlm: EX on there was not granted within 0\.2 s: node 2, which decides about it, does not answer\n/);
  assert.deepEqual(order, ['-w', '-n']);
  await goOn(fleet);
  await fleet.sayAt(1, 'lock', 'there', '-w', '20', '-q', '--', 'true');
  assert.deepEqual(await left(fleet), [[1, 'NL', null], [2, 'NL', null]]);
});

test('a conversion that was given up goes back when it is granted', async (test) => {
  const { fleet, ours } = await fleetWithMaster(test, 'PR');
  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  const refused = fleet.at(1, 'convert', ours, '-m', 'EX', '-w', '0.2');
  assert.equal(await refused.exit, timedOutExit);
  assert.match(refused.said(), /node 2, which decides about it, does not answer\n {2}the lock holds PR; should it be converted all the same when that is answered, it goes back to PR\n/);
  await goOn(fleet);
  await fleet.sayAt(2, 'lock', 'there', '-m', 'PR', '-w', '20', '-q', '--', 'true');
  assert.deepEqual(await left(fleet), [[1, 'PR', null], [2, 'NL', null]]);
});

test('a shell gives up as the commands do, and does not have what is granted later', async (test) => {
  const { fleet } = await fleetWithMaster(test, 'NL');
  const shell = bashAt1(fleet, `
    dlm_lock there PR -q; kill -STOP ${fleet.pidAt(2)}
    dlm_lock there NL -n -q; echo "$?"; dlm_lock there NL -w 0.2 -q; echo "$?"; dlm_convert there EX -w 0.2 -q; echo "$?"
    kill -CONT ${fleet.pidAt(2)}; echo done; read -r line`);
  await until('the shell has given up', () => shell.said().includes('done'));
  assert.equal(shell.said(), `${busyExit}\n${timedOutExit}\n${timedOutExit}\ndone\n`);
  await goOn(fleet);
  await fleet.sayAt(2, 'lock', 'there', '-m', 'PR', '-w', '20', '-q', '--', 'true');
  assert.deepEqual(await left(fleet), [[1, 'NL', null], [1, 'PR', null], [2, 'NL', null]]);
  shell.process.stdin!.end();
  assert.equal(await shell.exit, 1);
});

test('what has not been asked yet because the lockspace recovers is not asked any more', async (test) => {
  const { fleet, ours } = await fleetWithMaster(test, 'PR');
  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  await fleet.join(3);
  await fleet.sayAt(3, 'lockspace', 'create', 'default');
  await fleet.until([1], 'it recovers', ({ lockspaces }) => lockspaces.some(({ standing }) => standing !== 'running'));
  const refused = fleet.at(1, 'convert', ours, '-m', 'EX', '-w', '0.2');
  assert.equal(await refused.exit, timedOutExit);
  assert.match(refused.said(), /nobody is granted anything in lockspace default, recovering: /);
  const shell = bashAt1(fleet, `dlm_lock other -w 0.2 -q; echo "$?"; dlm_convert ${ours} EX -w 0.2 -q; echo "$?"`);
  await shell.exit;
  assert.equal(shell.said(), `${timedOutExit}\n${timedOutExit}\n`);
  signalAll([fleet.pidAt(2)], 'SIGCONT');
  await fleet.until([1, 2, 3], 'they are together again', isRunningWith(1, 2, 3));
  await fleet.sayAt(3, 'lock', 'there', '-m', 'PR', '-w', '20', '-q', '--', 'true');
  assert.deepEqual(await left(fleet), [[1, 'PR', null], [2, 'NL', null]]);
});

test('the node of this machine is not waited for longer than others when it says nothing', async (test) => {
  const { fleet, ours } = await fleetWithMaster(test, 'PR');
  signalAll([fleet.pidAt(1)], 'SIGSTOP');
  const waited = fleet.at(1, 'lock', 'there', '-w', '0.2', ...owner.slice(1));
  const converted = fleet.at(1, 'convert', ours, '-m', 'EX', '-w', '0.2');
  const chosen = fleet.at(1, 'lock', 'there', '-n', '-E', '7', ...owner);
  assert.deepEqual([await waited.exit, await converted.exit, await chosen.exit, chosen.said()], [timedOutExit, timedOutExit, 7, '']);
  assert.match(waited.said(), /^(?:dlm: the node of this machine says nothing yet\n)?dlm: EX on there was not granted within 0\.2 s: the node behind .* has accepted the connection and says nothing\nhint: it may be stopped /);
  signalAll([fleet.pidAt(1)], 'SIGCONT');
});

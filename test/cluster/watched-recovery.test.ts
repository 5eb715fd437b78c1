/**
 * A recovery as those see it who watch it without a terminal, with real processes.
 */
import assert from 'node:assert/strict';
import type { RecoveryNews } from '../../src/core/index.js';
import { test } from '../kill/bounded.js';
import { until } from '../kill/processes.js';
import type { Actor } from '../kill/stage.js';
import { everybody, Fleet, isRunningWith } from './fleet.js';

const codes = { unknown: 92, noNode: 95, interrupted: 130 };

const news = (watcher: Actor): RecoveryNews[] => watcher.said().trim().split('\n').map((line) => JSON.parse(line) as RecoveryNews);

/** Its lines, without the time that each begins with. */
const lines = (watcher: Actor): string[] => watcher.said().trim().split('\n').map((line) => line.replace(/^\S+Z {2}/, ''));

test('whoever watches sees a failure, each step of the recovery, and its end: as lines, and as JSON', async (t) => {
  const fleet = await Fleet.of(everybody);
  t.after(() => fleet.clear());
  for (const node of everybody) await fleet.sayAt(node, 'lock', 'x', '-q', '--', 'true');
  await fleet.until(everybody, 'all lock', isRunningWith(...everybody));
  const plain = fleet.at(1, 'recover', 'watch');
  const json = fleet.at(1, 'recover', 'watch', '--json');
  await until('both watch', () => plain.said().endsWith('running\n') && json.said().endsWith('\n'));

  const once = await fleet.sayAt(1, 'recover', 'watch', '--once');
  assert.match(once, /^cluster demo {3}view \d+ {3}quorate {3}seen by node 1 \(n1\)\n {2}node 1 \(n1\) self {3}node 2 \(n2\) \w+ {3}node 3 \(n3\) \w+\n/);
  assert.match(once, /^default {4}\+ringid \+quorum \+fencing -suspend \+dlm -app {2}running$/m);
  assert.equal((JSON.parse(await fleet.sayAt(1, 'recover', 'watch', '--once', '--json')) as RecoveryNews).event, 'state');

  await fleet.kill(3);
  await until('the end is seen', () => [plain, json].every((watcher) => /has recovered: node 3 failed|"event":"ended"/.test(watcher.said())) && plain.said().endsWith('waits for nothing: running\n'));
  assert.deepEqual(lines(plain).filter((line) => line.startsWith('default: ')).map((line) => line.replace(/^default: [\d.]+ m?s, /, '').replace(/ on node \d/, '')), [
    'fence of node 3 begun',
    'fence of node 3 ended: process',
    'dlm begun',
    'dlm ended',
    'dlm ended',
  ]);
  const said = lines(plain);
  const order = [/^node 3 \(n3, life \d+\) has failed; node 1 fences it; not fenced yet$/, /^lockspace default waits: fencing, node 3 /, /^default has recovered: node 3 failed, stopped for [\d.]+ m?s, done after [\d.]+ m?s; generation \d+$/, /^lockspace default waits for nothing: running$/];
  const found = order.map((pattern) => said.findLastIndex((line) => pattern.test(line)));
  assert.deepEqual(found, [...found].sort((one, other) => one - other), plain.said());
  assert.ok(!found.includes(-1), plain.said());
  assert.equal(plain.said().includes('\u001b'), false);

  const told = news(json);
  const ended = told.find((one) => one.event === 'ended');
  const steps = told.flatMap((one) => (one.event === 'step' ? [{ step: one.step, state: one.state, millis: one.millis }] : []));
  assert.deepEqual(ended!.record.steps.map(({ step, state, millis }) => ({ step, state, millis })), steps);
  const rungs = told.flatMap((one) => (one.event === 'state' ? one.lockspaces.map(({ rung }) => rung) : []));
  assert.deepEqual([rungs[0], rungs.includes('fencing'), rungs.includes('dlm')], [null, true, true]);

  json.process.kill('SIGINT');
  assert.equal(await json.exit, codes.interrupted);
  await fleet.sayAt(1, 'node', 'leave', '--force');
  assert.equal(await plain.exit, codes.noNode, plain.said());
});

test('whoever follows ends when nobody reads any more, although nothing happens', async (t) => {
  const fleet = await Fleet.of([1]);
  t.after(() => fleet.clear());
  for (const words of ['members --watch', 'members --watch --json', 'recover watch --plain', 'recover watch --json']) {
    const reader = fleet.run(['bash', '-c', `"$DLM" ${words} | head -n 1; echo "ended with \${PIPESTATUS[0]}"`], { env: fleet.envOf(1) });
    assert.equal(await reader.exit, 0);
    assert.match(reader.said(), /^[^\n]+\nended with 0\n$/);
  }
});

test('a lockspace that is not joined cannot be watched, nor anything where no node runs', async (t) => {
  const fleet = await Fleet.of([1]);
  t.after(() => fleet.clear());
  assert.equal(await fleet.at(1, 'recover', 'watch', '--lockspace', 'mial').exit, codes.unknown);
  assert.equal(await fleet.at(2, 'recover', 'watch', '--once').exit, codes.noNode);
});

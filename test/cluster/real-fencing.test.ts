/**
 * Fence, then recover, with real processes: how it goes, what is waited for when it does
 * not, what an operator can do about it, and what is kept of it.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { RecoveryRecord, RecoveryStatus, RunNews } from '../../src/core/index.js';
import { Hosts } from '../fence/hosts.js';
import { test } from '../kill/bounded.js';
import { isRunning, until } from '../kill/processes.js';
import type { Actor } from '../kill/stage.js';
import { everybody, Fleet, isRunningWith } from './fleet.js';

const codes = { usage: 64, notValid: 78, exists: 93, stillMember: 110, waiting: 111, outOfOrder: 112, noRecord: 113 };

async function fleetOf(t: TestContext, words: readonly string[] = []): Promise<Fleet> {
  const fleet = await Fleet.of(everybody, () => words);
  t.after(() => fleet.clear());
  for (const node of everybody) await fleet.sayAt(node, 'lock', 'x', '-q', '--', 'true');
  await fleet.until(everybody, 'all lock', isRunningWith(...everybody));
  return fleet;
}

async function ended(actor: Actor): Promise<{ exit: number; said: string }> {
  return { exit: await actor.exit, said: actor.said() };
}

async function json<Answer>(fleet: Fleet, node: number, ...words: string[]): Promise<Answer> {
  return JSON.parse(await fleet.sayAt(node, ...words, '--json')) as Answer;
}

const recoveriesOf = (fleet: Fleet, node: number): Promise<RecoveryRecord[]> => json(fleet, node, 'recover', 'show', '--list');

/** Every node has a folder for its host; what the agent does with them is said by `behaviour`. */
function oddConfig(t: TestContext, behaviour: string): string {
  const hosts = new Hosts(t);
  const connected = everybody.map((node) => `connect odd node=${node} folder=${hosts.host(`h${node}`)}`);
  const path = `${hosts.folder}/dlm.conf`;
  writeFileSync(path, [`device odd ${hosts.agent} behaviour=${behaviour}`, ...connected, ''].join('\n'), { mode: 0o600 });
  return path;
}

test('a node that is killed is fenced before locks are recovered, and each member keeps a record that is in order', async (t) => {
  const fleet = await fleetOf(t);
  await fleet.kill(3);
  await fleet.until([1, 2], 'they lock', isRunningWith(1, 2));
  for (const node of [1, 2]) {
    const record = await until('the record is there', async () => (await recoveriesOf(fleet, node)).find(({ victims }) => victims.join() === '3'));
    assert.deepEqual([record.lockspace, record.order, record.members, record.node], ['default', 'fence<dlm', [1, 2], node]);
    const words = record.steps.map(({ step, state }) => `${step} ${state}`);
    assert.ok(words.indexOf('fence ended') < words.indexOf('dlm begun'), words.join());
    assert.match(await fleet.sayAt(node, 'recover', 'verify'), /happened in order/);
  }
  const slowest = await Promise.all([1, 2].map(async (node) => (await recoveriesOf(fleet, node)).at(-1)!.phases.map((one) => `${one.phase} ${one.slowest}`)));
  assert.deepEqual(slowest[0], slowest[1], 'both know who was the last in each phase');
  for (const words of slowest[0]!) assert.match(words, / [12]$/);
  const shown = await fleet.sayAt(2, 'recover', 'show');
  assert.match(shown, /why +node 3 failed\n.*order +fence-first\n/);
  assert.match(shown, /fence +ended +1 +node 3 +process\n/);
  assert.match(shown, /slowest +node \d/);
  assert.match(await fleet.sayAt(1, 'fence', 'history'), /Z +3 +fence_all off +done .*all it left behind have ended\n/);
  assert.match(await fleet.sayAt(2, 'fence', 'history'), /^[^\n]*\n\S+Z +3 +node 1 +fenced +process\n$/, 'node 2 has only heard of it');
  const nothing = await ended(fleet.at(1, 'recover', 'show', '7'));
  assert.equal(nothing.exit, codes.noRecord, nothing.said);
});

test('a record in which a step began too early is found', async (t) => {
  const fleet = await fleetOf(t);
  await fleet.kill(3);
  const found = await until('the record is there', async () => (await recoveriesOf(fleet, 1)).find(({ victims }) => victims.join() === '3'));
  const file = `${fleet.place(1)}/recoveries.jsonl`;
  const fenced = found.steps.findIndex(({ step, state }) => step === 'fence' && state === 'ended');
  const steps = [...found.steps.slice(0, fenced), ...found.steps.slice(fenced + 1), found.steps[fenced]!];
  const kept = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as RecoveryRecord);
  writeFileSync(file, kept.map((record) => `${JSON.stringify(record.generation === found.generation ? { ...record, steps } : record)}\n`).join(''));
  const { exit, said } = await ended(fleet.at(1, 'recover', 'verify'));
  assert.equal(exit, codes.outOfOrder, said);
  assert.match(said, new RegExp(`default, generation ${found.generation}: dlm began on node 1 before fence had ended for node 3`));
});

test('where the device fails nothing is granted, and everybody says why, until an operator says that the node is off', async (t) => {
  const fleet = await fleetOf(t, ['--config', oddConfig(t, 'fail')]);
  await fleet.kill(3);
  const blocked = await until('the first attempt has failed', async () => {
    const { exit, said } = await ended(fleet.at(2, 'recover', 'status', '--json'));
    const status = exit === 2 ? (JSON.parse(said) as RecoveryStatus) : null;
    return status?.cases.some(({ attempts }) => attempts > 0) === true ? status : null;
  });
  const [lockspace] = blocked.lockspaces;
  assert.deepEqual([lockspace!.rung, lockspace!.waitsFor, blocked.isWaiting], ['fencing', [1], true]);
  assert.match(lockspace!.words, /^node 3 \(n3\) could not be fenced in \d+ attempts? of node 1: odd: /);
  const [last, running] = await json<(RecoveryRecord & { readonly waits?: { readonly rung: string } })[]>(fleet, 2, 'recover', 'show');
  assert.deepEqual([last!.totalMillis === null, running!.totalMillis, running!.victims, running!.waits?.rung], [false, null, [3], 'fencing']);
  const goesOn = new RegExp(`^Recovery of lockspace default, generation ${running!.generation}, goes on now, as node 2 sees it\\n  now      waits: fencing, node 3 .*; follow it with: dlm recover watch\\n`, 'm');
  for (const words of [[], [String(running!.generation)]]) assert.match(await fleet.sayAt(2, 'recover', 'show', ...words), goesOn);
  const waiter = await ended(fleet.at(2, 'lock', 'x', '-w', '1.5', '--', 'true'));
  assert.equal(waiter.exit, 81);
  assert.match(waiter.said, /recovering: ready 2\/6; node 3 \(n3\) could not be fenced in /);

  const run = await ended(fleet.at(1, 'recover', 'run', '--node', '3', '--yes', '--timeout', '0.2'));
  assert.equal(run.exit, codes.waiting, run.said);
  assert.match(run.said, /the recovery from node 3 goes on\n +lockspace default waits: fencing, node 3 /);
  const unread = await ended(fleet.run(['bash', '-c', '"$DLM" recover run --node 3 --yes --json | head -n 1; exit "${PIPESTATUS[0]}"'], { env: fleet.envOf(1) }));
  assert.equal(unread.exit, codes.waiting, unread.said);
  const member = await ended(fleet.at(1, 'fence', 'ack', '2', '--reason', 'it looks off', '--yes'));
  assert.equal(member.exit, codes.stillMember, member.said);
  const unsaid = await ended(fleet.at(2, 'fence', 'ack', '3', '--reason', 'plug pulled'));
  assert.equal(unsaid.exit, codes.usage, unsaid.said);

  const reason = 'plug pulled, and nothing is left that would give it any power';
  await fleet.sayAt(2, 'fence', 'ack', '3', '--reason', reason, '--yes');
  await fleet.until([1, 2], 'they lock', isRunningWith(1, 2));
  assert.match(await fleet.sayAt(2, 'fence', 'history'), /operator +acknowledged .*\(uid \d+\).*: plug pulled, and .* power \(incarnation \d+, missing since view \d+; \d+ attempts? in vain/);
  const heard = await fleet.sayAt(1, 'fence', 'history', '3');
  assert.match(heard, /odd off +failed/);
  assert.match(heard, /Z +3 +node 2 +acknowledged +\S+ \(uid \d+\) (on|without) [^:]+: plug pulled, and nothing is left that would give it any power\n$/, 'node 1 has only heard of it');
  assert.match(fleet.log(1), /node 3 counts as fenced by the word of .*\(uid \d+\).*: plug pulled, .* power, as node 2 says\n/);
  const again = await ended(fleet.at(2, 'fence', 'ack', '3', '--reason', 'plug pulled', '--yes'));
  assert.equal(again.exit, codes.noRecord, again.said);
  for (const node of [1, 2]) {
    await until('its record is in order', async () => (await recoveriesOf(fleet, node)).some(({ victims }) => victims.join() === '3'));
    assert.match(await fleet.sayAt(node, 'recover', 'verify'), /happened in order/);
    assert.doesNotMatch(await fleet.sayAt(node, 'recover', 'show'), /goes on/);
  }
});

test('a member that answers is declared failed only by force; what follows is told step by step, and asking again is no harm', async (t) => {
  const fleet = await fleetOf(t);
  fleet.at(3, 'lock', 'held', '-q', '--', 'sh', `${fleet.scriptsAt}hold.sh`, 'held');
  await until('it is held', () => fleet.has('began-held'));
  const taker = fleet.at(2, 'lock', 'held', '-q', '--', 'true');
  await until('somebody waits for it', async () => (await fleet.locksOf(2)).some(({ state }) => state === 'waiting'));

  const plan = await fleet.sayAt(1, 'recover', 'plan', '--node', '3');
  assert.match(plan, /it would be fenced by process\n/);
  assert.match(plan, /fence +by node 1, at once\n +dlm +by node 1, 2, after fence\n/);
  assert.match(plan, /purged: 1 lock\n +held: held in EX .* on node 3/);
  assert.match(plan, /granted: 1 lock\n +held: asked for in EX .* on node 2/);

  const refused = await ended(fleet.at(1, 'recover', 'run', '--node', '3', '--yes'));
  assert.equal(refused.exit, codes.stillMember, refused.said);
  const pid = fleet.pidAt(3);
  const news = (await fleet.sayAt(1, 'recover', 'run', '--node', '3', '--yes', '--force', '--json')).trim().split('\n').map((line) => JSON.parse(line) as RunNews);
  assert.equal(isRunning(pid), false);
  const steps = news.filter((one) => one.event === 'step').map(({ step, state }) => `${step} ${state}`);
  assert.deepEqual([...new Set(steps)], ['fence begun', 'fence ended', 'dlm begun', 'dlm ended']);
  assert.deepEqual([news.some(({ event }) => event === 'out'), news.at(-1)!.event], [true, 'done']);
  assert.equal(await taker.exit, 0);
  assert.match(await fleet.sayAt(1, 'recover', 'run', '--node', '3', '--yes'), /nothing is to be done about node 3/);
  assert.match(await fleet.sayAt(1, 'recover', 'status'), /default +fence-first +running/);
  const self = await ended(fleet.at(1, 'recover', 'run', '--node', '1', '--yes', '--force'));
  assert.equal(self.exit, codes.usage, self.said);
});

test('a number that no node ever had is refused, planned or for good; from one that is known, also by a record alone, nothing is left to recover', async (t) => {
  const fleet = await fleetOf(t);
  await fleet.kill(3);
  await until('the record is there', async () => (await recoveriesOf(fleet, 1)).some(({ victims }) => victims.join() === '3'));
  await fleet.sayAt(1, 'node', 'leave', '--force');
  await fleet.join(1);
  await fleet.until([1, 2], 'they lock', isRunningWith(1, 2));
  for (const words of [['run', '--yes'], ['run', '--dry-run'], ['plan']]) {
    const { exit, said } = await ended(fleet.at(1, 'recover', ...words, '--node', '99'));
    assert.deepEqual([exit, said], [codes.usage, 'dlm: no node 99 is known here: it is no member, and no record of one is kept\nhint: see who is with: dlm node list\n']);
  }
  assert.match(await fleet.sayAt(1, 'recover', 'run', '--node', '3', '--yes'), /nothing is to be done about node 3/);
  for (const words of [['run', '--dry-run'], ['plan']]) assert.match(await fleet.sayAt(1, 'recover', ...words, '--node', '3'), /^node 3 \(\S+\) is no member, so it cannot fail now; .*: dlm recover status\n$/);
});

test('an order that makes no sense, or cannot be kept, is refused with the reason', async (t) => {
  const fleet = await Fleet.of([1]);
  t.after(() => fleet.clear());
  const create = (node: number, order: string): Promise<{ exit: number; said: string }> => ended(fleet.at(node, 'lockspace', 'create', 'ls', '--order', order));
  const looped = await create(1, 'fence<dlm dlm<fence');
  assert.equal(looped.exit, codes.usage);
  assert.match(looped.said, /the order "fence<dlm dlm<fence" is refused: fence would wait for itself/);
  assert.equal((await create(1, 'gfs')).exit, 0);
  assert.match(await fleet.sayAt(1, 'lockspace', 'show', 'ls'), /^Order gfs$/m);
  const other = await create(1, 'none');
  assert.deepEqual([other.exit, /exists with the order gfs, not none/.test(other.said)], [codes.exists, true]);

  await fleet.join(2, '--fence', 'none');
  const kept = await create(2, 'fence-first');
  assert.equal(kept.exit, codes.notValid, kept.said);
  const unfenced = await create(2, 'none');
  assert.deepEqual([unfenced.exit, /the other members have lockspace 'ls' with the order gfs, and here it was joined with the order none/.test(unfenced.said)], [codes.exists, true]);
  await fleet.sayAt(2, 'lockspace', 'create', 'of-two');
  assert.match(await fleet.sayAt(2, 'node', 'status'), /NO FENCING +\(none\)/);
  await assert.rejects(fleet.join(3, '--fence', 'lease'), /this engine has no leases/);
});

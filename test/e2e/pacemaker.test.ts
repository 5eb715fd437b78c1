/**
 * Fencing that is left to Pacemaker, where that is the real one: it runs on the same hosts
 * as the nodes of dlm, on the same corosync, and turns hosts off by their controllers.
 *
 * What is looked at is what both say of it afterwards, what is left of the host, and that
 * nothing was granted before.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseConfig } from '../../src/core/host/config.js';
import { fenceMethods } from '../../src/core/host/fence-methods.js';
import type { FenceAttempt, FenceRecord } from '../../src/core/index.js';
import { until } from '../kill/processes.js';
import { Endings, Machines, type Machine } from './machines.js';
import { allDaemons, daemonsOf, Pacemaker } from './pacemaker.js';
import { recoverStatus, type StatusAnswer } from './runs-corosync.js';
import { isWaitedFor, joinJobs } from './story.js';
import { Holder, Waiter } from './workload.js';

/** Long enough for a busy machine; short, because a dead controller is waited for. */
const config = ({ node }: Machine): string => (node === 1 ? 'device cluster stonith_admin agent_timeout=10\n' : '') + `connect cluster node=${node} name=h${node}`;

describe('fencing left to Pacemaker', { timeout: 300_000 }, () => {
  const endings = new Endings();
  let machines: Machines;
  let pacemaker: Pacemaker;
  let first: Machine;
  let third: Machine;

  before(async () => {
    Pacemaker.install();
    machines = new Machines(endings, { count: 3, engine: 'corosync', config });
    await machines.start();
    [first, third] = [machines.machine(1), machines.machine(3)];
    pacemaker = new Pacemaker(machines.all, [first, third]);
    await pacemaker.start();
    await Promise.all(machines.all.map(joinJobs));
  }, { timeout: 180_000 });

  after(() => endings.end());

  /** A command on the third host holds a lock that another one waits for on the second. */
  async function contend(name: string): Promise<{ holder: Holder; waiter: Waiter }> {
    const holder = await Holder.on(third, name);
    const waiter = new Waiter(machines.machine(2), name);
    await until('somebody waits for the lock', () => isWaitedFor(machines.machine(2), name));
    return { holder, waiter };
  }

  /** What dlm on the first host, which is the one that acts, has recorded. */
  async function records(): Promise<FenceRecord[]> {
    const { status, stdout, stderr } = await first.dlm('fence', 'history', '3', '--json');
    assert.equal(status, 0, stderr);
    return (JSON.parse(stdout) as { records: FenceRecord[] }).records;
  }
  const attemptsIn = (all: readonly FenceRecord[]): FenceAttempt[] => all.filter((record): record is FenceRecord & { kind: 'attempt' } => record.kind === 'attempt');

  it('is tested by whether Pacemaker has a device for the node', async () => {
    const [well, missing] = [await first.dlm('fence', 'test', '3', '--config', configOf(), '--json'), await first.dlm('fence', 'test', '2', '--config', configOf(), '--json')];
    assert.deepEqual([well.status, missing.status], [0, 1], well.stderr + missing.stderr);
    const answerOf = (stdout: string): string[] => (JSON.parse(stdout) as { nodes: { attempts: FenceAttempt[] }[] }).nodes[0]!.attempts.map(({ verdict, reason }) => `${verdict}: ${reason}`);
    assert.deepEqual(answerOf(well.stdout), ['answers: Pacemaker has a device for it: bmc3']);
    assert.deepEqual(answerOf(missing.stdout), ['failed: Pacemaker has no device on this host for h2']);
  });

  it('ends all of a host whose node has died, and then its locks are given on', async () => {
    assert.deepEqual(daemonsOf(third), allDaemons);
    const { holder, waiter } = await contend('a');
    await third.killNode();
    const grantedAt = await waiter.granted();
    assert.ok(grantedAt > holder.lastAt, 'the lock was granted while its holder still ran');
    assert.deepEqual([third.host.pids(), third.bmc!.orders.includes('set power 0')], [[], true]);

    const all = await records();
    assert.deepEqual(attemptsIn(all).slice(-2).map(({ agent, action, verdict }) => [agent, action, verdict]), [['stonith_admin', 'off', 'done'], ['stonith_admin', 'status', 'is off']]);
    const outcome = all.at(-1)!;
    assert.ok(outcome.kind === 'outcome');
    assert.deepEqual([outcome.result, outcome.by, outcome.isVerified], ['fenced', 'cluster', true]);
    // Pacemaker found nothing wrong with that host, so that this was asked for by nobody else.
    const asked = (await pacemaker.history(first, 'h3')).filter(({ client }) => client!.includes('.dlm.'));
    assert.deepEqual([asked[0]!['status'], asked[0]!['action'], asked[0]!['origin']], ['success', 'off', 'h1']);
    for (const machine of machines.others(3)) assert.equal((await machine.dlm('recover', 'verify')).status, 0);
  });

  it('turns the host on again where it is to be rebooted', async () => {
    const command = join(machines.hosts.folder, 'stonith_admin');
    const words = first.host.words('stonith_admin').map((word) => `'${word}'`).join(' ');
    writeFileSync(command, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
    const { config: read, errors } = parseConfig(`device cluster stonith_admin action=reboot path=${command}\nconnect cluster node=3 name=h3\n`, 'dlm.conf');
    assert.deepEqual(errors, []);
    assert.deepEqual(third.host.pids(), []);
    const outcome = await fenceMethods(read.fence, {}).fence(3);
    assert.deepEqual([outcome.result, outcome.isVerified], ['fenced', true], outcome.reason);
    assert.match(outcome.reason, /^Pacemaker's history says reboot, done \d/);
    assert.deepEqual([third.host.pids().length, third.bmc!.orders.at(-1)], [1, 'set power 1']);
    const [last] = await pacemaker.history(first, 'h3');
    assert.deepEqual([last!['status'], last!['action']], ['success', 'reboot']);
  });

  it('fails with the reason of Pacemaker while the controller is dead, grants nothing, and goes on until it has worked', async () => {
    await machines.mend();
    pacemaker.startOn(third);
    await pacemaker.areOne();
    await joinJobs(third);
    const { holder, waiter } = await contend('b');
    const before = (await records()).length;
    third.bmc!.freeze();
    await third.host.powerOff();
    const isTold = (answer: StatusAnswer | null): boolean => answer?.cases.some(({ node, words }) => node === 3 && words.includes("Couldn't fence h3")) === true;
    await until('Pacemaker has failed, and said why', async () => isTold(await first.get<StatusAnswer>('/v1/recovery')), 90_000);
    const failed = attemptsIn((await records()).slice(before)).find(({ reason }) => reason.startsWith("Couldn't"))!;
    assert.deepEqual([failed.agent, failed.action, failed.verdict], ['stonith_admin', 'off', 'failed']);
    assert.match(failed.reason, /^Couldn't fence h3: .+ \(exit \d+\)$/);
    assert.match(failed.output, /^stonith_admin: Couldn't fence h3: /);

    const told = await recoverStatus(first);
    assert.ok(isTold(told), JSON.stringify(told.cases));
    assert.deepEqual([told.isWaiting, told.lockspaces.find(({ lockspace }) => lockspace === 'jobs')?.rung, waiter.isGranted], [true, 'fencing', false]);
    const asked = (await pacemaker.history(first, 'h3')).filter(({ client }) => client!.includes('.dlm.'));
    assert.ok(asked.some(({ status }) => status === 'failed'), JSON.stringify(asked));

    const thawedAt = Date.now();
    third.bmc!.thaw();
    const grantedAt = await waiter.granted();
    assert.ok(grantedAt >= thawedAt, 'the lock was granted while the controller was dead');
    assert.ok(thawedAt > holder.lastAt);
    const outcomes = (await records()).slice(before).filter((record) => record.kind === 'outcome').map(({ result }) => result);
    assert.deepEqual([outcomes[0], outcomes.at(-1)], ['failed', 'fenced']);
    for (const machine of machines.others(3)) assert.equal((await machine.dlm('recover', 'verify')).status, 0);
  });

  const configOf = (): string => `${machines.hosts.folder}/dlm.conf`;
});

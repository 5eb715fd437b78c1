/**
 * What is done to a cluster at a real etcd of three servers, whose members are fenced by
 * nobody: that their lease has ended is the method, and a node that is cut off must have
 * stopped by itself by then.
 */
import assert from 'node:assert/strict';
import { until } from '../kill/processes.js';
import { EtcdServers } from './etcd-servers.js';
import { Machines, type Endings } from './machines.js';
import { Theatre, type Fault } from './story.js';
import type { Summary } from './summary.js';
import { Holder, Waiter } from './workload.js';

/** A third of it, less a second, is what commands under locks are given to end; shorter ones are refused. */
const ttl = '19s';

export interface EtcdStage {
  readonly theatre: Theatre;
  readonly servers: EtcdServers;
}

export async function etcdStage(endings: Endings, summary: Summary): Promise<EtcdStage> {
  const words: string[] = [];
  const machines = new Machines(endings, { count: 3, engine: 'etcd', words });
  const { serverAddress: address, serverWords } = machines.hosts;
  const servers = await EtcdServers.start(endings, { count: 3, site: { address, words: [...serverWords, 'nice', '-n', '-10'] } });
  words.push('--etcd', servers.endpoints.join(), '--etcd-ttl', ttl, '--fence', 'lease');
  await machines.start();
  return { theatre: new Theatre(machines, summary), servers };
}

export const etcdFaults: readonly Fault[] = [
  { scenario: 'link cut', victims: [3], strike: (machines) => machines.machine(3).host.cut() },
  { scenario: 'node killed (kill -9)', victims: [3], strike: (machines) => machines.machine(3).killNode() },
  { scenario: 'host powered off', victims: [3], strike: (machines) => machines.machine(3).host.powerOff() },
  {
    scenario: 'node killed and started at once',
    victims: [3],
    async strike(machines) {
      await machines.machine(3).killNode();
      machines.startNode(machines.machine(3));
    },
  },
  // The quorum is that of etcd: one that is left is enough, and does all by itself.
  {
    scenario: 'two hosts of three off together',
    victims: [2, 3],
    async strike(machines) {
      await Promise.all([2, 3].map((victim) => machines.machine(victim).host.powerOff()));
    },
  },
];

/** Nobody may be put out by it, and locks go on being given. */
export async function leaderKilled({ theatre, servers }: EtcdStage, scenario: string): Promise<void> {
  const { machines, summary } = theatre;
  await theatre.ready();
  const holder = await Holder.on(machines.machine(3), 'held');
  const leader = await servers.leader();
  const faultAt = Date.now();
  await servers.kill(leader);
  try {
    const next = await servers.leader();
    assert.notEqual(next, leader);
    const total = (await new Waiter(machines.machine(2), 'other').granted()) - faultAt;
    const aliveAt = holder.lastAt;
    await until('the holder is alive after that', () => holder.lastAt > aliveAt);
    await theatre.store.works();
    assert.deepEqual(await failuresSince(faultAt, machines), []);
    const verified = await theatre.verify(machines.all);
    summary.add({ scenario, engine: 'etcd', order: 'both', detection: null, fence: null, dlm: null, app: null, total, verified });
  } finally {
    servers.revive(leader);
    holder.child.kill('SIGTERM');
  }
}

/** All stop by themselves, and what they protected has ended before anybody is granted anything again. */
export async function quorumLost({ theatre, servers }: EtcdStage, scenario: string): Promise<void> {
  const { machines, summary } = theatre;
  await theatre.ready();
  const holders = await Promise.all(machines.all.map((machine) => Holder.on(machine, `q${machine.node}`)));
  const faultAt = Date.now();
  await servers.kill(0);
  await servers.kill(1);
  for (const machine of machines.all) await until(`the node of h${machine.node} has stopped by itself`, () => machine.hasEnded);
  const stoppedAt = Date.now();
  for (const { child } of holders) await until('its command has ended', () => child.exitCode !== null || child.signalCode !== null);
  servers.revive(0);
  servers.revive(1);
  await servers.leader();
  await theatre.ready();
  const waiters = machines.all.map((machine) => new Waiter(machine, `q${(machine.node % machines.all.length) + 1}`));
  const grantedAt = Math.min(...(await Promise.all(waiters.map((waiter) => waiter.granted()))));
  const lastAt = Math.max(...holders.map((holder) => holder.lastAt));
  const margin = grantedAt - lastAt;
  assert.ok(margin > 0, `a command was alive ${-margin} ms after its lock had been granted to another`);
  summary.remark(`etcd, ${scenario}: the last of all commands was alive ${lastAt - faultAt} ms after the fault, ${margin} ms before the first grant`);
  const verified = await theatre.verify(machines.all);
  summary.add({ scenario, engine: 'etcd', order: 'both', detection: stoppedAt - faultAt, fence: null, dlm: null, app: null, total: grantedAt - faultAt, verified });
}

/** Who was called gone after that moment, by anybody. */
async function failuresSince(moment: number, { all }: Machines): Promise<string[]> {
  const answers = await Promise.all(all.map((machine) => machine.get<{ cluster: { changes: { at: string; name: string; change: string }[] } }>('/v1/status')));
  return answers.flatMap((answer, at) => {
    if (answer === null) return [`h${at + 1} does not answer`];
    return answer.cluster.changes.filter(({ at: when, change }) => change === 'failed' && Date.parse(when) >= moment).map(({ name }) => `${name} has failed`);
  });
}

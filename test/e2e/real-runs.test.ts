/**
 * Real runs: clusters on corosync and on etcd, with real fence agents, broken in every
 * way that we know of, and one table of how each came back.
 *
 *   DLM_E2E=1 npm test      the short form, which is part of it
 *   npm run e2e             the same alone
 *   E2E=long npm run e2e    everything
 *   E2E=frozen npm run e2e  the scenarios whose name has this word
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deviceOf, Endings, Machines } from './machines.js';
import { corosyncFaults, twoTogether } from './runs-corosync.js';
import { etcdFaults, etcdStage, leaderKilled, quorumLost, type EtcdStage } from './runs-etcd.js';
import { outlived } from './runs-zombie.js';
import { Theatre, wayOf, type Fault } from './story.js';
import { Summary } from './summary.js';

const form = process.env['E2E'] ?? 'short';
const summary = new Summary();
/** How fence and dlm recovery came to follow each other under gfs. */
const ways = new Map<string, number>();

/** One scenario, and whether the short form has it. */
interface Run {
  readonly scenario: string;
  readonly isShort: boolean;
  play(): Promise<void>;
}

async function playFault(theatre: Theatre, fault: Fault): Promise<void> {
  for (const record of await theatre.play(fault)) {
    const way = wayOf(record);
    if (record.lockspace === 'store') ways.set(way, (ways.get(way) ?? 0) + 1);
  }
}

/** Scenarios of one cluster, which is there as long as they are played. */
function runs(title: string, start: (endings: Endings) => Promise<void>, all: readonly Run[]): void {
  const chosen = all.filter(({ scenario, isShort }) => form === 'long' || (form === 'short' ? isShort : scenario.includes(form)));
  if (chosen.length === 0) return;
  describe(title, { concurrency: 1 }, () => {
    const endings = new Endings();
    before(() => start(endings), { timeout: 180_000 });
    after(() => endings.end());
    for (const { scenario, play } of chosen) it(scenario, { timeout: 240_000 }, play);
  });
}

describe('real runs', { concurrency: 2, timeout: 2_400_000 }, () => {
  after(() => {
    summary.remark(`under gfs: ${[...ways].map(([way, count]) => `${way} ${count} times`).sort().join(', ')}`);
    console.log(`\n${summary.text()}\n`);
    // When all have ended: the last that is asked, whatever ran beside what.
    if (form === 'short' || form === 'long') assert.deepEqual([...ways.keys()].sort(), ['dlm before fence', 'fence before dlm']);
  });

  let onCorosync: Theatre;
  let ofFive: Theatre;
  let atEtcd: EtcdStage;
  const corosync = (count: number, keep: (theatre: Theatre) => void) => async (endings: Endings): Promise<void> => {
    const machines = new Machines(endings, { count, engine: 'corosync', config: deviceOf });
    await machines.start();
    keep(new Theatre(machines, summary));
  };

  runs('on corosync, fenced by controllers', corosync(3, (theatre) => (onCorosync = theatre)), [
    ...corosyncFaults.map(({ isShort, faultOf, scenario }) => ({ scenario, isShort, play: () => playFault(onCorosync, faultOf(onCorosync)) })),
    { scenario: 'node frozen, its controller lies', isShort: true, play: () => outlived(onCorosync, 'node frozen, its controller lies', form === 'short' ? 150 : 600) },
  ]);
  runs('at etcd, fenced by the end of the lease', async (endings) => void (atEtcd = await etcdStage(endings, summary)), [
    ...etcdFaults.map((fault, at) => ({ scenario: fault.scenario, isShort: at === 0, play: () => playFault(atEtcd.theatre, fault) })),
    { scenario: 'leader of etcd killed', isShort: false, play: () => leaderKilled(atEtcd, 'leader of etcd killed') },
    { scenario: 'quorum of etcd lost', isShort: false, play: () => quorumLost(atEtcd, 'quorum of etcd lost') },
    { scenario: 'node frozen (SIGSTOP)', isShort: false, play: () => outlived(atEtcd.theatre, 'node frozen (SIGSTOP)', 450) },
  ]);
  runs('on corosync, five hosts', corosync(5, (theatre) => (ofFive = theatre)), [{ scenario: twoTogether.scenario, isShort: false, play: () => playFault(ofFive, twoTogether) }]);

});

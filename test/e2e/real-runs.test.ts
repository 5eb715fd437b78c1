/**
 * Real runs: clusters on corosync and on etcd, with real fence agents, broken in every
 * way that we know of, and one table of how each came back.
 *
 *   DLM_E2E=1 npm test      the short form, which is part of it
 *   npm run e2e             the same alone
 *   E2E=long npm run e2e    everything
 *   E2E=frozen npm run e2e  the scenarios whose name has this word
 */
import { after, before, describe, it } from 'node:test';
import { deviceOf, Endings, Machines } from './machines.js';
import { longFaults, shortFaults } from './runs-corosync.js';
import { Theatre, wayOf } from './story.js';
import { Summary } from './summary.js';

const form = process.env['E2E'] ?? 'short';
const summary = new Summary();
const ways = new Set<string>();

const chosen = <Kind extends { scenario: string }>(short: readonly Kind[], long: readonly Kind[]): readonly Kind[] => {
  if (form === 'short') return short;
  return form === 'long' ? long : long.filter(({ scenario }) => scenario.includes(form));
};

describe('real runs', { concurrency: 2, timeout: 1_800_000 }, () => {
  after(() => {
    summary.remark(`under gfs: ${[...ways].sort().join(' and ')}`);
    console.log(`\n${summary.text()}\n`);
  });

  describe('on corosync, fenced by controllers', { concurrency: 1 }, () => {
    const endings: Endings = new Endings();
    let theatre: Theatre;
    before(async () => {
      const machines = new Machines(endings, { count: 3, engine: 'corosync', config: deviceOf });
      await machines.start();
      theatre = new Theatre(machines, summary);
    });
    after(() => endings.end());
    for (const fault of chosen(shortFaults, longFaults)) {
      it(fault.scenario, { timeout: 180_000 }, async () => {
        for (const record of await theatre.play(fault)) if (record.lockspace === 'store') ways.add(wayOf(record));
      });
    }
  });
});

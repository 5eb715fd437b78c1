/**
 * What is done to a cluster on corosync whose hosts are turned off by real controllers.
 *
 * The first ones make up the short form, which every change must pass; all of them the
 * long one.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { until } from '../kill/processes.js';
import type { Machine, Machines } from './machines.js';
import type { Fault, Theatre } from './story.js';

/** What a blocked recovery says when somebody asks. */
export interface StatusAnswer {
  readonly quorate: boolean;
  readonly isWaiting: boolean;
  readonly cases: readonly { readonly node: number; readonly verdict: string; readonly attempts: number; readonly words: string }[];
  readonly lockspaces: readonly { readonly lockspace: string; readonly rung: string | null; readonly words: string }[];
}

/** What `dlm recover status --json` says; its exit code must fit. */
export async function recoverStatus(machine: Machine): Promise<StatusAnswer> {
  const { status, stdout, stderr } = await machine.dlm('recover', 'status', '--json');
  const answer = JSON.parse(stdout || 'null') as StatusAnswer | null;
  assert.ok(answer !== null, stderr);
  assert.equal(status, answer.isWaiting ? 2 : 0, stderr);
  return answer;
}

const killed: Fault = {
  scenario: 'node killed (kill -9)',
  victims: [3],
  strike: (machines) => machines.machine(3).killNode(),
};

const slowFence: Fault = {
  scenario: 'node killed, its controller slow',
  victims: [3],
  prepare: (machines) => machines.machine(3).controller({ afterSeconds: 3 }),
  strike: (machines) => machines.machine(3).killNode(),
  restore: (machines) => machines.machine(3).controller('as it is told'),
};

const restarted: Fault = {
  scenario: 'node killed and started at once',
  victims: [3],
  async strike(machines) {
    await machines.machine(3).killNode();
    machines.startNode(machines.machine(3));
  },
};

const frozen: Fault = {
  scenario: 'node frozen (SIGSTOP)',
  victims: [3],
  strike: (machines) => machines.machine(3).freeze(),
};

const cut: Fault = {
  scenario: 'link cut',
  victims: [3],
  strike: (machines) => machines.machine(3).host.cut(),
};

const daemonKilled: Fault = {
  scenario: 'corosync killed',
  victims: [3],
  strike: (machines) => machines.machine(3).host.killCorosync(),
};

const off: Fault = {
  scenario: 'host powered off',
  victims: [3],
  strike: (machines) => machines.machine(3).host.powerOff(),
};

const deadController: Fault = {
  scenario: 'controller dead, then acknowledged',
  victims: [3],
  prepare: (machines) => machines.machine(3).bmc!.freeze(),
  strike: (machines) => machines.machine(3).host.powerOff(),
  async meanwhile(machines) {
    const first = machines.machine(1);
    const blocked = await until('a fencing has failed', async () => {
      const answer = await first.get<StatusAnswer>('/v1/recovery');
      return answer !== null && answer.cases.some(({ node, attempts }) => node === 3 && attempts > 0) ? answer : null;
    });
    assert.equal(blocked.isWaiting, true);
    const told = await recoverStatus(first);
    assert.equal(told.lockspaces.find(({ lockspace }) => lockspace === 'jobs')?.rung, 'fencing');
    assert.match(told.cases.find(({ node }) => node === 3)!.words, /bmc3/);
    const { status, stderr } = await first.dlm('fence', 'ack', '3', '--reason', 'pulled its plug', '--yes');
    assert.equal(status, 0, stderr);
  },
  restore: (machines) => machines.machine(3).bmc!.thaw(),
};

const slowToSuspend = 'node killed, an application slow to suspend';

/** The agent is quicker than whoever has to suspend: the other order that gfs allows. */
function slowSuspend(theatre: Theatre): Fault {
  let busy: ChildProcess | null = null;
  return {
    scenario: slowToSuspend,
    victims: [3],
    strike: (machines) => machines.machine(3).killNode(),
    // What a commit that takes long would do.
    prepare: async (machines) => {
      busy = machines.machine(2).spawn(['flock', '-F', `${theatre.store.folder}/run-h2/busy`, 'sh', '-c', 'touch "$0"; exec sleep 1000', `${theatre.store.folder}/run-h2/is-busy`]);
      await until('it is busy', () => existsSync(`${theatre.store.folder}/run-h2/is-busy`));
    },
    meanwhile: async (machines) => {
      const verdict = async (): Promise<string | undefined> => (await machines.machine(1).get<StatusAnswer>('/v1/recovery'))?.cases.find(({ node }) => node === 3)?.verdict;
      await until('the failure is known', async () => (await verdict()) !== undefined);
      await until('the fence has ended', async () => (await verdict()) !== 'open');
      busy?.kill('SIGKILL');
    },
    restore: () => {
      busy?.kill('SIGKILL');
      rmSync(`${theatre.store.folder}/run-h2/is-busy`, { force: true });
    },
  };
}

const isShort = new Set([slowFence.scenario, slowToSuspend]);

/** All of them; which the short form has, too. */
export const corosyncFaults: readonly { readonly scenario: string; readonly isShort: boolean; faultOf(theatre: Theatre): Fault }[] = [
  { scenario: slowToSuspend, faultOf: slowSuspend },
  ...[slowFence, cut, killed, frozen, restarted, daemonKilled, off, deadController].map((fault) => ({ scenario: fault.scenario, faultOf: () => fault })),
].map((one) => ({ ...one, isShort: isShort.has(one.scenario) }));

/** Two of five at the same moment: three are quorate, and recover both. */
export const twoTogether: Fault = {
  scenario: 'two hosts of five off together',
  victims: [4, 5],
  async strike(machines: Machines) {
    await Promise.all([4, 5].map((victim) => machines.machine(victim).host.powerOff()));
  },
};

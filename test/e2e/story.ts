/**
 * One real run: a cluster at work, something is done to it, and what follows is timed
 * and held against what was promised.
 *
 *     mend ─▶ a command holds a lock on the victim, another waits for it elsewhere ─▶ the fault
 *       ─▶ the lock is granted ─▶ all lockspaces have recovered ─▶ verify
 *
 * What is promised in every run, whatever is done:
 * - the command that held the lock was last alive before the next one was granted it;
 * - every record of every survivor shows its order followed (`dlm recover verify`);
 * - in the journaled store no committed record is lost, and none is there twice.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodePlaces } from '../../src/core/host/places.js';
import type { LockInfo } from '../../src/core/index.js';
import { readRecoveries, type RecoveryRecord } from '../../src/core/host/recovery-record.js';
import { until } from '../kill/processes.js';
import type { Machine, Machines } from './machines.js';
import { firstOf, rowOf, type Summary } from './summary.js';
import { Holder, Store, Waiter } from './workload.js';

export interface Fault {
  readonly scenario: string;
  /** Who is lost; the first of them holds the lock. */
  readonly victims: readonly number[];
  /** What is done. */
  strike(machines: Machines): Promise<void> | void;
  /** The lock was asked for, and it is before the grant: what there is to be seen, and to be done, then. */
  meanwhile?(machines: Machines): Promise<void>;
  /** How the hosts are, before the strike, for this story alone. */
  prepare?(machines: Machines): Promise<void> | void;
  /** Takes back what `prepare` did. */
  restore?(machines: Machines): Promise<void> | void;
  /** The holder may outlive the grant, since nothing stops it: only a resource that checks tokens helps. */
  readonly mayOutlive?: boolean;
}

const lockspaces = ['jobs', 'store'] as const;

/** On a busy machine agents and commands take long. */
const patienceMillis = 90_000;

export class Theatre {
  readonly store: Store;
  #count = 0;

  constructor(readonly machines: Machines, readonly summary: Summary) {
    this.store = new Store(machines);
  }

  /** All is well, and at work. */
  async ready(): Promise<void> {
    const { machines, store } = this;
    await machines.mend();
    await Promise.all(machines.all.map(joinJobs));
    let last = '';
    await until('all is well', async () => {
      for (const machine of machines.all) store.attach(machine);
      const unrest = await Promise.all(machines.all.map((machine) => unrestOf(machine, machines.all.length)));
      last = unrest.join(' ');
      return unrest.every((words) => words === '');
    }, patienceMillis).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}: ${last}`);
    });
    await store.works();
  }

  async play(fault: Fault): Promise<RecoveryRecord[]> {
    const { machines } = this;
    await this.ready();
    await fault.prepare?.(machines);
    try {
      return await this.#play(fault);
    } catch (error) {
      throw new Error(`${fault.scenario}: ${(error as Error).message}\n${await this.#scene()}`, { cause: error });
    } finally {
      await fault.restore?.(machines);
    }
  }

  async #play({ scenario, victims, strike, meanwhile, mayOutlive = false }: Fault): Promise<RecoveryRecord[]> {
    const { machines, summary, store } = this;
    const survivors = machines.others(...victims);
    const name = `x${(this.#count += 1)}`;
    const holder = await Holder.on(machines.machine(victims[0]!), name);
    const waiter = new Waiter(survivors.at(-1)!, name);
    await until('somebody waits for the lock', () => isWaitedFor(survivors.at(-1)!, name));
    const faultAt = Date.now();
    await strike(machines);
    await meanwhile?.(machines);
    const grantedAt = await waiter.granted();
    const lastAt = holder.lastAt;
    for (const machine of survivors) await calm(machine, survivors.length);
    await store.works();
    const margin = grantedAt - lastAt;
    if (!mayOutlive) {
      assert.ok(margin > 0, `the command on h${victims[0]} was alive ${-margin} ms after its lock had been granted to another`);
      summary.remark(`${machines.engine}, ${scenario}: the last sign of the old holder was ${margin} ms before the grant to the next one`);
    }
    const verified = await this.verify(survivors);
    const records = lockspaces.map((lockspace) => lastFailure(survivors[0]!, lockspace, victims));
    for (const record of records) summary.add(rowOf(record, faultAt, { scenario, engine: machines.engine, verified }));
    return records;
  }

  /** On every survivor. */
  async verify(survivors: readonly Machine[]): Promise<string> {
    const verdicts = await Promise.all(survivors.map((machine) => machine.dlm('recover', 'verify')));
    for (const { status, stderr } of verdicts) assert.equal(status, 0, stderr);
    const { isWell, words } = await this.store.verify(survivors[0]!);
    assert.ok(isWell, words);
    return `yes; ${words}`;
  }

  /** All there is to find out why a run failed. */
  async #scene(): Promise<string> {
    const parts = this.machines.all.map(async (machine) => {
      const [application, processes] = [tail(join(machine.host.folder, 'app.log')), processesOf(machine)];
      const locks = await machine.get<LockInfo[]>('/v1/locks');
      const lines = locks?.map(({ lockspace, resource, state, mode, requested, master, flags, owner }) => JSON.stringify({ lockspace, resource, state, mode, requested, master, flags, owner }));
      return [`── h${machine.node}: node`, tail(machine.logFile), '   application', application, '   locks', ...(lines ?? ['no answer']), '   processes', processes].join('\n');
    });
    return (await Promise.all(parts)).join('\n');
  }
}

function tail(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-25).join('\n') : '';
}

function processesOf(machine: Machine): string {
  const pids = machine.host.pids().join();
  return pids === '' ? '' : spawnSync('ps', ['-o', 'pid,ppid,stat,etimes,args', '-p', pids], { encoding: 'utf8' }).stdout;
}

/** The last recovery of a lockspace here after these had failed. */
export function lastFailure(machine: Machine, lockspace: string, victims: readonly number[]): RecoveryRecord {
  const { records } = readRecoveries(nodePlaces(machine.dir));
  const found = records.findLast((record) => record.lockspace === lockspace && victims.every((victim) => record.victims.includes(victim)));
  assert.ok(found !== undefined, `h${machine.node} has no record of a recovery of ${lockspace} after ${victims.join()} had failed`);
  return found;
}

/** For the remark that both ways happened. */
export function wayOf(record: RecoveryRecord): string {
  return firstOf(record) === 'fence' ? 'fence before dlm' : 'dlm before fence';
}

interface RecoveryAnswer {
  readonly isWaiting: boolean;
  readonly current: readonly RecoveryRecord[];
  readonly lockspaces: readonly { readonly lockspace: string }[];
}

/** Wait until nothing waits on this node, and so many are members of both lockspaces. */
export async function calm(machine: Machine, count: number): Promise<void> {
  let last = '';
  await until(`h${machine.node} waits for nothing`, async () => {
    last = await unrestOf(machine, count);
    return last === '';
  }, patienceMillis).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${last}`);
  });
}

/** What is still to come on this node, in words for a run that failed; empty: nothing. */
async function unrestOf(machine: Machine, count: number): Promise<string> {
  const answer = await machine.get<RecoveryAnswer>('/v1/recovery');
  const summaries = await machine.get<{ name: string; members: readonly number[] }[]>('/v1/lockspaces');
  const membersOf = (name: string): readonly number[] => summaries?.find((one) => one.name === name)?.members ?? [];
  const isCalm = answer !== null && !answer.isWaiting && answer.current.every(({ totalMillis }) => totalMillis !== null);
  if (isCalm && lockspaces.every((name) => membersOf(name).length === count)) return '';
  return JSON.stringify([answer?.lockspaces ?? 'no answer', ...lockspaces.map((name) => [name, membersOf(name)])]);
}

export async function isWaitedFor(machine: Machine, name: string): Promise<boolean> {
  const locks = await machine.get<{ resource: string; state: string }[]>('/v1/locks?lockspace=jobs');
  return locks?.some(({ resource, state }) => resource === name && state === 'waiting') === true;
}

export async function joinJobs(machine: Machine): Promise<void> {
  const there = await machine.get<{ name: string }[]>('/v1/lockspaces');
  if (there?.some(({ name }) => name === 'jobs') === true) return;
  const { status, stderr } = await machine.dlm('lockspace', 'create', '-q', 'jobs', '--order', 'fence-first');
  assert.equal(status, 0, stderr);
}

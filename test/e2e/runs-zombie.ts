/**
 * A holder that goes on writing when its lock has been given to another: its node is frozen,
 * and whoever was to turn the host off has not done so. Nothing holds it back but the
 * resource, which checks tokens.
 *
 * What is counted: how often it tried after the next holder had been let in, and how often it
 * was let in then, which must be never.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../kill/processes.js';
import { scriptWords } from '../script.js';
import type { Machine } from './machines.js';
import { calm, lastFailure, type Theatre } from './story.js';
import { rowOf } from './summary.js';

const program = fileURLToPath(new URL('zombie.ts', import.meta.url));
const victim = 3;
/** On a busy machine, and where the end of a lease is waited for. */
const patienceMillis = 150_000;
/** Attempts by the command line, beside those of the program. */
const commandsMax = 5;

interface Tried {
  readonly tried: number;
  readonly accepted: number;
}

/** `attempts`: how often it is to try at least after the next holder was let in. */
export async function outlived(theatre: Theatre, scenario: string, attempts: number): Promise<void> {
  const { machines, summary } = theatre;
  await theatre.ready();
  const frozen = machines.machine(victim);
  const survivors = machines.others(victim);
  const next = survivors.at(-1)!;
  const folder = mkdtempSync(join(machines.hosts.folder, 'resource-'));
  const lines = (): string[] => (existsSync(join(folder, 'data')) ? readFileSync(join(folder, 'data'), 'utf8').trim().split('\n') : []);

  const command = write(frozen, folder, 'zombie');
  await until('it writes', () => lines().length > 0);
  const then = write(next, folder, 'next');
  frozen.controller('nothing, and lies');
  const faultAt = Date.now();
  frozen.freeze();
  process.kill(command.pid!, 'SIGSTOP');
  try {
    await until('the next holder writes', () => lines().includes('next'), patienceMillis);
    const before = triedBy(folder, 'zombie');
    await until(`it has tried ${attempts} times`, () => triedBy(folder, 'zombie').tried >= before.tried + attempts, patienceMillis);
    const token = readFileSync(join(folder, 'zombie.token'), 'utf8');
    for (let at = 0; at < commandsMax; at += 1) {
      const { status, stderr } = await frozen.dlm('token', 'check', join(folder, 'guard'), token, '--', 'sh', '-c', 'echo zombie >> "$0"', join(folder, 'data'));
      assert.equal(status, 116, stderr);
    }
    for (const machine of survivors) await calm(machine, survivors.length);
    await theatre.store.works();
    const after = triedBy(folder, 'zombie');
    const all = lines();
    const late = all.slice(all.indexOf('next')).filter((line) => line === 'zombie').length;
    summary.zombie(after.tried - before.tried + commandsMax, late);
    assert.equal(late, 0, 'it was let in after the next holder had been');
    const verified = await theatre.verify(survivors);
    const words = `${verified}; ${after.tried - before.tried + commandsMax} writes of the old holder attempted after the grant, ${late} let in`;
    for (const lockspace of ['jobs', 'store']) {
      summary.add(rowOf(lastFailure(survivors[0]!, lockspace, [victim]), faultAt, { scenario, engine: machines.engine, verified: words }));
    }
    frozen.goOn();
    await until('the node that was frozen ends when it wakes', () => frozen.hasEnded);
  } finally {
    then.kill('SIGTERM');
    frozen.controller('as it is told');
    await frozen.host.powerOff();
  }
}

function write(machine: Machine, folder: string, who: string): ReturnType<Machine['spawn']> {
  return machine.spawnDlm(['lock', '-q', '-l', 'jobs', 'resource', '--', process.execPath, ...scriptWords(program), folder, who]);
}

function triedBy(folder: string, who: string): Tried {
  return JSON.parse(readFileSync(join(folder, `${who}.tried`), 'utf8')) as Tried;
}

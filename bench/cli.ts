/**
 * What a lock costs a shell script: whole processes, from outside.
 *
 * Every contestant runs in turn, round after round, so that a slow moment of the
 * machine hits all of them; what is printed are medians, and ratios taken within
 * a round. The yardstick is `node` with an empty program: no tool written for
 * Node can be quicker. flock(1) and `etcdctl lock` stand beside it.
 *
 * Two things would flatter us and are kept out: an empty ES module takes longer than
 * an empty script, and NODE_EXTRA_CA_CERTS adds to every start of Node what three
 * empty programs take.
 *
 *   npm run bench:cli
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeShellPairs } from './shell-pairs.js';

const rounds = Number(process.env['ROUNDS'] ?? 25);
const dlm = resolve('bin/dlm');

mkdirSync('.tmp', { recursive: true });
const dir = mkdtempSync(join('.tmp', 'bench-cli-'));
const empty = join(dir, 'empty.cjs');
writeFileSync(empty, '');
const { NODE_EXTRA_CA_CERTS: _kept, ...others } = process.env;
const env = { ...others, DLM_DIR: resolve(dir) };

interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
  /** At most so many times the yardstick. */
  readonly wanted?: number;
}

const contestants: Contestant[] = [
  { name: 'node empty.cjs', command: [process.execPath, empty] },
  { name: 'flock FILE true', command: ['flock', join(dir, 'file'), 'true'] },
  { name: 'dlm lock N -- true', command: [dlm, 'lock', 'bench', '--', 'true'], wanted: 1.5 },
  { name: 'dlm lock N (held)', command: [dlm, 'lock', 'held', '-q', '-m', 'CR'], wanted: 2.1 },
  { name: 'dlm lvb get N', command: [dlm, 'lvb', 'get', 'value'], wanted: 2.1 },
  { name: 'dlm locks N', command: [dlm, 'locks', 'value'], wanted: 2.1 },
  { name: 'dlm node status', command: [dlm, 'node', 'status'], wanted: 2.1 },
  { name: 'dlm lockspace list', command: [dlm, 'lockspace', 'list'], wanted: 2.1 },
  { name: 'dlm modes', command: [dlm, 'modes'], wanted: 2.1 },
  { name: 'dlm codes', command: [dlm, 'codes'], wanted: 2.1 },
  { name: 'dlm lock --help', command: [dlm, 'lock', '--help'] },
];

const etcd = etcdContestant();
if (etcd !== null) contestants.push(etcd);

/** `etcdctl lock`, if both it and a server that answers are here. */
function etcdContestant(): Contestant | null {
  const health = spawnSync('etcdctl', ['endpoint', 'health'], { env: { ...env, ETCDCTL_API: '3' }, timeout: 5_000 });
  return health.status === 0 ? { name: 'etcdctl lock N true', command: ['etcdctl', 'lock', 'bench', 'true'] } : null;
}

/** Milliseconds for one run. Throws if it failed: a contestant that fails quickly wins nothing. */
function time({ name, command }: Contestant): number {
  const start = process.hrtime.bigint();
  const run = spawnSync(command[0]!, command.slice(1), { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const millis = Number(process.hrtime.bigint() - start) / 1e6;
  if (run.status !== 0) throw new Error(`${name} ended with ${run.status ?? run.signal}: ${String(run.stderr)}`);
  return millis;
}

const median = (values: readonly number[]): number => [...values].sort((one, other) => one - other)[values.length >> 1]!;

try {
  const set = spawnSync(dlm, ['lvb', 'set', 'value', 'forty-two'], { env });
  if (set.status !== 0) throw new Error(`dlm lvb set ended with ${set.status}: ${String(set.stderr)}`);

  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const contestant of contestants) {
      const millis = time(contestant);
      if (round >= 0) times.get(contestant.name)!.push(millis);
    }
  }

  const yardstick = times.get(contestants[0]!.name)!;
  console.log(`whole processes, ${rounds} rounds in turn: median; median of the ratios to '${contestants[0]!.name}' within each round;`);
  console.log('ratio of the quickest runs, which is what a busy machine spoils least\n');
  for (const { name, wanted } of contestants) {
    const millis = times.get(name)!;
    const ratio = median(millis.map((value, round) => value / yardstick[round]!));
    const best = Math.min(...millis) / Math.min(...yardstick);
    const goal = wanted === undefined ? '' : `   wanted <= ${wanted.toFixed(1)}: ${ratio <= wanted ? 'met' : 'MISSED'}`;
    const figures = `${median(millis).toFixed(1).padStart(7)} ms ${ratio.toFixed(2).padStart(6)} x ${best.toFixed(2).padStart(6)} x`;
    console.log(`  ${name.padEnd(22)} ${figures}${goal}`);
  }
  if (etcd === null) console.log('\n  (etcdctl lock left out: no etcd answers here)');

  console.log('\npairs of lock and unlock from one shell, in turn with flock(1): medians; ratio within each round; ratio of the best\n');
  for (const line of describeShellPairs(env, resolve(dir))) console.log(line);
} finally {
  spawnSync(dlm, ['node', 'leave', '--force'], { env });
  rmSync(dir, { recursive: true, force: true });
}

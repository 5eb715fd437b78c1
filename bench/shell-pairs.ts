/**
 * What a lock and an unlock cost inside one shell: flock(1) on a descriptor, and the
 * functions of `dlm shellenv`, in turn in the same shell. Every unlock is
 * acknowledged before the next lock is asked for.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const roundsMax = 25;
const wanted = 8;
/** Pairs in a round: ours, and those of flock(1), which take longer. */
const ours = 200;
const theirs = 20;

const shells = { bash: ['--norc', '--noprofile'], zsh: ['-f'] } as const;

/** Each line of its output: when a round began, when it went over to flock(1), and when it ended. */
const script = (shell: string, file: string): string => `
  [[ ${shell} != zsh ]] || zmodload zsh/datetime
  eval "$(dlm shellenv ${shell})" || exit
  exec {file}>'${file}'
  for ((round = 0; round <= ${roundsMax}; round++)); do
    begin=$EPOCHREALTIME
    for ((n = 0; n < ${ours}; n++)); do dlm_lock bench && dlm_unlock bench || exit; done
    between=$EPOCHREALTIME
    for ((n = 0; n < ${theirs}; n++)); do flock $file && flock -u $file || exit; done
    echo "$begin $between $EPOCHREALTIME"
  done`;

interface Round {
  /** Microseconds for a pair. */
  readonly dlm: number;
  readonly flock: number;
}

/** The table, a line a shell that is installed. */
export function describeShellPairs(env: NodeJS.ProcessEnv, dir: string): string[] {
  const there = Object.entries(shells).filter(([shell]) => spawnSync(shell, ['-c', 'exit 0']).status === 0);
  const path = { ...env, PATH: `${join(process.cwd(), 'bin')}:${env['PATH'] ?? ''}` };
  return there.map(([shell, options]) => {
    const run = spawnSync(shell, [...options, '-c', script(shell, join(dir, 'pairs'))], { env: path, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`the pairs in ${shell} ended with ${run.status ?? run.signal}: ${run.stderr}`);
    // The first round warms up.
    return describe(shell, run.stdout.trimEnd().split('\n').slice(1).map(parse));
  });
}

function parse(line: string): Round {
  const [begin = 0, between = 0, end = 0] = line.split(' ').map(Number);
  return { dlm: ((between - begin) * 1e6) / ours, flock: ((end - between) * 1e6) / theirs };
}

function describe(shell: string, rounds: readonly Round[]): string {
  const dlm = median(rounds.map((round) => round.dlm));
  const flock = median(rounds.map((round) => round.flock));
  const ratio = median(rounds.map((round) => round.flock / round.dlm));
  const best = Math.min(...rounds.map((round) => round.flock)) / Math.min(...rounds.map((round) => round.dlm));
  const perSecond = (micros: number): string => `${Math.round(1e6 / micros)}/s`.padStart(8);
  const figures = `dlm ${perSecond(dlm)}  flock ${perSecond(flock)} ${ratio.toFixed(1).padStart(6)} x ${best.toFixed(1).padStart(6)} x`;
  return `  ${shell.padEnd(6)} ${figures}   wanted >= ${wanted}: ${ratio >= wanted ? 'met' : 'MISSED'}`;
}

const median = (values: readonly number[]): number => [...values].sort((one, other) => one - other)[values.length >> 1]!;

/**
 * On which cores processes run, all threads of them, and for how long: with `taskset`,
 * which belongs to util-linux, and what Linux says of each thread. Asked by contests whose
 * outcome depends on it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A list of cores, as `taskset` writes it. */
export type Cores = string;

/** Where a process may run now; null if that cannot be said, or changed. */
export function coresOf(pid: number): Cores | null {
  const { status, stdout } = spawnSync('taskset', ['-c', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 ? (stdout.trim().split(' ').at(-1) ?? null) : null;
}

/** Threads that begin later run where the one runs that began them. Throws if it cannot be done. */
export function keepOn(pids: readonly number[], cores: Cores): void {
  for (const pid of pids) {
    const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`process ${pid} cannot be kept on core ${cores}: ${stderr.trim()}`);
  }
}

/** How long they have run so far, all together, in milliseconds; NaN where the system does not tell. */
export function coreMillisOf(pids: readonly number[]): number {
  let nanos = 0;
  try {
    for (const pid of pids) {
      for (const thread of readdirSync(`/proc/${pid}/task`)) nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    }
  } catch {
    return NaN;
  }
  return nanos / 1e6;
}

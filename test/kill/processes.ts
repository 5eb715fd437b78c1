/**
 * Real processes as the tests need them: how one ends, who is whose child, who is
 * still there, and waiting for something to become true.
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

/** How long anything may take before the test says that it will never happen. */
export const boundMillis = 40_000;

const lookMillis = 20;

/** Wait until it is so; fail with what was waited for. */
export async function until<Found>(what: string, look: () => Found | Promise<Found>, millis = boundMillis): Promise<NonNullable<Found>> {
  const end = performance.now() + millis;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`in ${millis / 1000} s it did not come true: ${what}`);
    await pause(lookMillis);
  }
}

/**
 * The exit code of a process, or 128 and the number of the signal that ended it,
 * when also all that it had said is read.
 *
 * That it has ended may be heard before its last words, which are in the pipe by
 * then: one whole turn of the event loop looks into every pipe. The end of the
 * pipe is no sign, since others may have it open.
 */
export function exitOf(child: ChildProcess): Promise<number> {
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const wholeTurn = (): unknown => setImmediate(() => resolve(code ?? 128 + constants.signals[signal!]));
      setImmediate(wholeTurn);
    });
  });
  exit.catch(() => undefined);
  return exit;
}

/** Is there such a process, and has it not ended? */
export function isRunning(pid: number): boolean {
  const fields = statOf(pid);
  return fields !== null && fields[0] !== 'Z' && fields[0] !== 'X';
}

export function childrenOf(parent: number): number[] {
  return everybody().filter((pid) => Number(statOf(pid)?.[1]) === parent && isRunning(pid));
}

/** Those who were started with this in their environment. */
export function startedWith(variable: string): number[] {
  return everybody().filter((pid) => isRunning(pid) && wasStartedWith(pid, variable));
}

/** `NAME=value` */
export function wasStartedWith(pid: number, variable: string): boolean {
  return `\0${read(`/proc/${pid}/environ`)}`.includes(`\0${variable}\0`);
}

/** To all of them, in this order; nobody minds if one is gone. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}

function everybody(): number[] {
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number);
}

/** What follows the name, which may contain anything: state, parent, group, session… */
export function statOf(pid: number): string[] | null {
  const line = read(`/proc/${pid}/stat`);
  return line === '' ? null : line.slice(line.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

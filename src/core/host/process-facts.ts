/**
 * What the system tells about a process: whether it lives, since when, in which
 * pid namespace, and what it was called with.
 *
 * A pid is used again; a pid with the time its process started is not, until the
 * machine starts anew. A zombie has ended: only its exit code is left. A process
 * whose first thread alone has ended looks like one and is still alive.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface ProcessId {
  readonly pid: number;
  /** When it started, in clock ticks since the machine did. */
  readonly started: number;
}

/** A living process, its parent and its session. */
export interface ProcessFacts extends ProcessId {
  readonly parent: number;
  readonly session: number;
}

/** The pid's present process; null if there is none, or it has ended. */
export function identify(pid: number): ProcessId | null {
  const facts = factsOf(pid);
  return facts === null ? null : { pid, started: facts.started };
}

/** As `identify`, and what else is known of it. */
export function factsOf(pid: number): ProcessFacts | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the program's name in parentheses, with anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const threads = Number(fields[17]);
  const hasEnded = (state === 'Z' || state === 'X') && threads <= 1;
  return hasEnded ? null : { pid, started: Number(fields[19]), parent: Number(fields[1]), session: Number(fields[3]) };
}

/** That process and those it descends from, as far as can be seen. */
export function ancestorsOf(pid: number): number[] {
  const found: number[] = [];
  for (let at = pid; at > 0 && !found.includes(at); at = factsOf(at)?.parent ?? 0) found.push(at);
  return found;
}

/** All that live and can be seen from here. */
export function everyProcess(): ProcessFacts[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.map((pid) => factsOf(Number(pid))).filter((facts) => facts !== null);
}

/** The variable in the environment that a process was started with; null if there is none, or that cannot be seen. */
export function variableOf(pid: number, name: string): string | null {
  const words = (read(`/proc/${pid}/environ`) ?? '').split('\0');
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
}

export function isAlive({ pid, started }: ProcessId): boolean {
  return identify(pid)?.started === started;
}

/** Does it live, and do nothing before somebody lets it go on (SIGSTOP, or a debugger)? */
export function isStopped(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return stat !== null && /^[Tt]$/.test(stat.charAt(stat.lastIndexOf(')') + 2));
}

const commandMax = 200;

/** The command line of a process, shortened; empty if unknown. */
export function commandOf(pid: number): string {
  const words = read(`/proc/${pid}/cmdline`) ?? '';
  return shorten(words.replace(/\0+$/, '').replaceAll('\0', ' '));
}

export function shorten(command: string): string {
  return command.length <= commandMax ? command : `${command.slice(0, commandMax - 1)}…`;
}

/** Which pid namespace we are in; null if the system does not tell. */
export function pidNamespace(): string | null {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? null;
  } catch {
    return null;
  }
}

/** Tells this run of the machine from others, in a few characters. */
export function bootId(): string {
  return (read('/proc/sys/kernel/random/boot_id') ?? '').slice(0, 8);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

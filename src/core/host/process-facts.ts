/**
 * What the system tells about a process: whether it lives, since when, in which
 * pid namespace, and what it was called with.
 *
 * A pid is used again; a pid with the time its process started is not, until the
 * machine starts anew. A zombie has ended: only its exit code is left. A process
 * whose first thread alone has ended looks like one and is still alive.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { codeOf } from './system-error.js';

export interface ProcessId {
  readonly pid: number;
  /** When it started, in clock ticks since the machine did. */
  readonly started: number;
}

/** A living process, its parent, its process group and its session. */
export interface ProcessFacts extends ProcessId {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** The pid's present process; null if there is none, or it has ended. */
export function identify(pid: number): ProcessId | null {
  const facts = factsOf(pid);
  return facts === null ? null : { pid, started: facts.started };
}

/** As `identify`, and what else is known of it. */
export function factsOf(pid: number): ProcessFacts | null {
  const fields = livingFieldsOf(pid);
  return fields === null ? null : { pid, started: Number(fields[19]), parent: Number(fields[1]), group: Number(fields[2]), session: Number(fields[3]) };
}

/** When the pid's present process has started, also if only its exit code is left; null if there is none, or it is hidden. */
export function startOf(pid: number): number | null {
  const fields = fieldsOf(pid);
  return fields === null ? null : Number(fields[19]);
}

/** As `fieldsOf`; null if the process has ended. */
function livingFieldsOf(pid: number): string[] | null {
  const fields = fieldsOf(pid);
  if (fields === null) return null;
  const state = fields[0];
  const threads = Number(fields[17]);
  return (state === 'Z' || state === 'X') && threads <= 1 ? null : fields;
}

/** What /proc/PID/stat has from the state on, which is its third field. */
function fieldsOf(pid: number): string[] | null {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, with anything in it.
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** That process and those it descends from, as far as can be seen. */
export function ancestorsOf(pid: number): number[] {
  const found: number[] = [];
  for (let at = pid; at > 0 && !found.includes(at); at = factsOf(at)?.parent ?? 0) found.push(at);
  return found;
}

/** So often the list is read again while listed ones end before they are looked at. */
const listsMax = 100;

/**
 * All that live and can be seen from here. The list is not of one moment: a process may start another one and end before
 * it is looked at. So whenever one has ended, those are looked at that are new; and once more in any case, since when
 * numbers begin anew a process has a lower one than who has started it. Returns whether nobody can have been missed.
 */
export function* everyProcess(): Generator<ProcessFacts, boolean, undefined> {
  const seen = new Set<string>();
  for (let lists = 0; lists < listsMax; lists += 1) {
    let hasAnyEnded = false;
    for (const pid of readdirSync('/proc')) {
      if (seen.has(pid) || !/^\d+$/.test(pid)) continue;
      seen.add(pid);
      const facts = factsOf(Number(pid));
      if (facts === null) hasAnyEnded = true;
      else yield facts;
    }
    if (!hasAnyEnded && lists > 0) return true;
  }
  return false;
}

/**
 * The variable in the environment that a process was started with; null if there is none. Not shown: the environment is
 * kept from us, as that of a process that has become somebody else. Not known: while a process begins another program
 * (execve) it has no environment for a moment, and the one it had may end while it is read; so may the process. Only of
 * one that was read to its end can be said what is not in it.
 */
export function variableOf(pid: number, name: string): string | null | 'not shown' | 'not known' {
  const environment = environmentOf(pid);
  const found = environment?.toString('utf8').split('\0').find((word) => word.startsWith(`${name}=`));
  if (found !== undefined) return found.slice(name.length + 1);
  const fields = livingFieldsOf(pid);
  if (fields === null) return 'not known';
  if (environment === null) return 'not shown';
  return isWhole(environment, fields) ? null : 'not known';
}

/** Of a process whose first thread has ended the others have it. */
function environmentOf(pid: number): Buffer | null {
  const own = bytesOf(`/proc/${pid}/environ`);
  if (own === null || own.length > 0 || livingFieldsOf(pid)?.[0] !== 'Z') return own;
  const threads = namesIn(`/proc/${pid}/task`).map((thread) => bytesOf(`/proc/${pid}/task/${thread}/environ`));
  return threads.find((bytes) => bytes !== null && bytes.length > 0) ?? own;
}

/**
 * Where it begins and ends in memory says how long it is. A program that is being begun has its code only after its
 * environment: until then one that begins where it ends need not be an empty one.
 */
function isWhole(environment: Buffer, fields: readonly string[]): boolean {
  if (fields[0] === 'Z') return environment.length > 0;
  if (!isBegun(fields)) return !isBegun(livingFieldsOf(process.pid) ?? []); // Some systems never tell; then what is there has to do.
  const [start, end] = [Number(fields[47]), Number(fields[48])];
  return environment.length === end - start;
}

function isBegun(fields: readonly string[]): boolean {
  const [codeEnds, environmentEnds] = [Number(fields[24]), Number(fields[48])];
  return codeEnds > 0 && environmentEnds > 0;
}

export function isAlive({ pid, started }: ProcessId): boolean {
  return identify(pid)?.started === started;
}

/**
 * Is there somebody of that number, or in the process group of that number if it is negative, whom the system does not
 * show us (hidepid)? It can be our own child, which has become somebody else (sudo). Nothing else can be known of him.
 */
export function isHidden(target: number): boolean {
  return isThere(target) && !isShown(target) && isThere(target);
}

/** May we signal it, or may we not? */
function isThere(target: number): boolean {
  try {
    return process.kill(target, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function isShown(target: number): boolean {
  if (target > 0) return fieldsOf(target) !== null;
  return namesIn('/proc').some((pid) => /^\d+$/.test(pid) && Number(fieldsOf(Number(pid))?.[2]) === -target);
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
  return bytesOf(path)?.toString('utf8') ?? null;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function bytesOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

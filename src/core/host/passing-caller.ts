/**
 * Is the process that called us one that will soon be gone, and not what people
 * mean when a lock shall belong to whoever called?
 *
 * Most wrappers (env, nice, nohup, setsid) become the command they run, so that the
 * caller is the script. Those that stay beside it are known by their names. The
 * subshell of a command substitution is a fork of its parent: the same program at
 * the same addresses, which differ after every exec; and its parent reads the pipe
 * that we write to. Where that cannot be seen, nothing is said.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { factsOf } from './process-facts.js';

/** Programs that start another one, wait for it, and end. */
const wrappers = ['timeout', 'sudo', 'su', 'runuser', 'xargs', 'find', 'parallel', 'time', 'strace', 'ltrace', 'flock', 'script', 'watch', 'unshare', 'nsenter'];

/** The name of a wrapper, or the subshell of a command substitution. */
export type PassingCaller = string;

/** Null if nothing speaks against that process as an owner. */
export function passingCaller(pid: number): PassingCaller | null {
  const name = (read(`/proc/${pid}/comm`) ?? '').trim();
  if (wrappers.includes(name)) return name;
  return isSubstitution(pid) ? 'substitution' : null;
}

function isSubstitution(pid: number): boolean {
  const parent = factsOf(pid)?.parent ?? 0;
  const output = linkOf('/proc/self/fd/1');
  return output?.startsWith('pipe:') === true && isForkOf(pid, parent) && hasOpen(parent, output);
}

/** Of the same program, and laid out in memory alike. Not even that can be seen of others' processes. */
function isForkOf(pid: number, parent: number): boolean {
  const [one, other] = [layoutOf(pid), layoutOf(parent)];
  return one !== null && one === other && read(`/proc/${pid}/cmdline`) === read(`/proc/${parent}/cmdline`);
}

/** Where the stack, the arguments and the environment begin; null if that is kept from us. */
function layoutOf(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`) ?? '';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [stack = '0', args = '0', environment = '0'] = [fields[25], fields[45], fields[47]];
  return Number(stack) === 0 || Number(args) === 0 ? null : `${stack} ${args} ${environment}`;
}

function hasOpen(pid: number, target: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((file) => linkOf(`/proc/${pid}/fd/${file}`) === target);
  } catch {
    return false;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Who is it that says so? For records of what an operator has done.
 */
import { readlinkSync } from 'node:fs';
import { userInfo } from 'node:os';

/** `root (uid 0) on /dev/pts/3`. */
export function whoAsks(): string {
  const uid = process.getuid?.() ?? 0;
  const terminal = [0, 1, 2].map(terminalAt).find((path) => path !== null);
  return `${nameOf(uid)} (uid ${uid})${terminal === undefined ? ' without a terminal' : ` on ${terminal}`}`;
}

/** A uid need not have a name. */
function nameOf(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${uid}`;
  }
}

function terminalAt(descriptor: number): string | null {
  try {
    const path = readlinkSync(`/proc/self/fd/${descriptor}`);
    return /^\/dev\/(pts\/|tty)/.test(path) ? path : null;
  } catch {
    return null;
  }
}

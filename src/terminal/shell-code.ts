/**
 * Code for a shell that is to have a session: the functions, and the line that
 * begins. The functions are shell files beside bin/dlm.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DlmError, escapeText, type ShellDoor } from '../core/index.js';

const shells = ['bash', 'zsh'] as const;

export type ShellName = (typeof shells)[number];

/** The shell that is named, or that called us. Throws `DLM_USAGE`. */
export function shellNamed(typed: string | undefined): ShellName {
  const name = typed ?? parentName() ?? basename(process.env.SHELL ?? '');
  const found = shells.find((shell) => shell === name);
  if (found !== undefined) return found;
  throw new DlmError('DLM_USAGE', `there are no functions for the shell '${escapeText(name)}'`, 'name one of bash and zsh; other shells can use dlm lock, and dlm session');
}

/** What our parent is called, if it is a shell that we know. */
function parentName(): ShellName | undefined {
  try {
    const name = readFileSync(`/proc/${process.ppid}/comm`, 'utf8').trim();
    return shells.find((shell) => shell === name);
  } catch {
    return undefined;
  }
}

/** What the shell is to run. `root` is the folder of package.json. */
export function codeFor(shell: ShellName, root: string, { folder, pid }: ShellDoor, lockspace: string): string {
  const functions = readFileSync(join(root, 'bin', `shell-functions.${shell}`), 'utf8').replace(/^\s*(#.*)?\n/gm, '');
  return `${functions}__dlm_open ${quoted(folder)} ${pid} ${quoted(lockspace)}\n`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * A lock on a file, held by the kernel for this process.
 *
 * It decides which of several processes may do something: be the node, start the
 * node, count up the incarnation. The kernel lets go of it when the file is closed
 * or the process ends, in whatever way, so there is nothing to clean up and no
 * pid file to be wrong. The file itself is never removed: whoever still has the
 * old one open would hold a lock that nobody else sees.
 *
 * Node has no call for it. flock(1) is run on our descriptor; such a lock belongs
 * to the open file and stays ours when flock(1) has ended.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { DlmError } from '../base/errors.js';
import { codeOf, reasonOf } from './system-error.js';

/** What flock(1) ends with when somebody else holds the lock; its other codes are below. */
const busyExit = 75;

export class KernelLock {
  readonly #path: string;
  #file: number | null;

  private constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  /** The lock, or null if it is not free within `waitMillis`. Throws `DLM_STATE_UNUSABLE`. */
  static async take(path: string, waitMillis: number): Promise<KernelLock | null> {
    const file = open(path);
    try {
      if (await flock(path, file, waitMillis)) return new KernelLock(path, file);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
    return null;
  }

  /** Leave word for those who find the lock taken. */
  note(word: string): void {
    if (this.#file === null) return;
    ftruncateSync(this.#file);
    writeSync(this.#file, word, 0);
  }

  release(): void {
    if (this.#file === null) return;
    closeSync(this.#file);
    this.#file = null;
  }

  get path(): string {
    return this.#path;
  }
}

/** The word that the holder of a lock has left; empty if there is none. */
export function noteIn(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function open(path: string): number {
  try {
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
  } catch (error) {
    throw new DlmError('DLM_STATE_UNUSABLE', `cannot use the lock file ${path}: ${reasonOf(error)}`);
  }
  throw new DlmError('DLM_STATE_UNUSABLE', `cannot use ${path} as a lock file: it is not a plain file`);
}

/** Was the lock free in time? */
function flock(path: string, file: number, waitMillis: number): Promise<boolean> {
  const patience = waitMillis <= 0 ? ['-n'] : ['-w', String(waitMillis / 1000)];
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-E', String(busyExit), ...patience, '3'], {
      stdio: ['ignore', 'ignore', 'pipe', file],
    });
    let said = '';
    child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString('latin1').slice(0, 500)));
    child.on('error', (error) => reject(cannotRun(error)));
    child.on('close', (exit, signal) => {
      if (exit === 0) resolve(true);
      else if (exit === busyExit) resolve(false);
      else reject(new DlmError('DLM_STATE_UNUSABLE', `cannot lock ${path}: flock(1) ended with ${signal ?? exit}: ${said.trim()}`));
    });
  });
}

function cannotRun(error: unknown): DlmError {
  if (codeOf(error) === 'ENOENT') {
    return new DlmError(
      'DLM_STATE_UNUSABLE',
      'flock(1) is not installed, and without it two nodes could be started at once',
      'install the package util-linux, or see that flock is in the PATH',
    );
  }
  return new DlmError('DLM_STATE_UNUSABLE', `cannot run flock(1): ${reasonOf(error)}`);
}

/**
 * A lock on a file, held by the kernel for this process.
 *
 * It decides which of several processes may do something: be the node, start the
 * node, count up the incarnation. The kernel lets go of it when the file is closed
 * or the process ends, in whatever way, so there is nothing to clean up and no
 * pid file to be wrong. We never remove the file: whoever still has the old one
 * open would hold a lock that nobody else sees.
 *
 * Node has no call for it. flock(1) is run on our descriptor; such a lock belongs
 * to the open file and stays ours when flock(1) has ended.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync, type Stats } from 'node:fs';
import { DlmError } from '../base/errors.js';
import { codeOf, unusable } from './system-error.js';

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
    for (;;) {
      const file = open(path, plainFile);
      const isFree = await flock(path, file, waitMillis <= 0 ? ['-n'] : ['-w', String(waitMillis / 1000)]);
      if (isFree && isStill(path, file)) return new KernelLock(path, file);
      closeSync(file);
      if (!isFree) return null;
    }
  }

  /** Hold on to a folder together with others, so that those who tidy up old files leave it alone. */
  static async keepFolder(path: string): Promise<KernelLock> {
    const file = open(path, folder);
    await flock(path, file, ['-s']);
    return new KernelLock(path, file);
  }

  /** Leave word for those who find the lock taken, if the disk has room for it. */
  note(word: string): void {
    if (this.#file === null) return;
    try {
      ftruncateSync(this.#file);
      writeSync(this.#file, word, 0);
    } catch {
      return;
    }
  }

  /** Is what is locked still to be found under its name? If not, others can lock another of that name. */
  get isInPlace(): boolean {
    return this.#file !== null && isStill(this.#path, this.#file);
  }

  /** Our descriptor: a child that is given it keeps the lock as long as it has it open. */
  get file(): number {
    return this.#file ?? -1;
  }

  release(): void {
    if (this.#file === null) return;
    closeSync(this.#file);
    this.#file = null;
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

interface Kind {
  readonly flags: number;
  readonly words: string;
  fits(stat: Stats): boolean;
}

const { O_RDONLY, O_RDWR, O_CREAT, O_DIRECTORY, O_NOFOLLOW } = constants;
const plainFile: Kind = { flags: O_RDWR | O_CREAT | O_NOFOLLOW, words: 'a plain file', fits: (stat) => stat.isFile() };
const folder: Kind = { flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW, words: 'a folder', fits: (stat) => stat.isDirectory() };

function open(path: string, kind: Kind): number {
  try {
    const file = openSync(path, kind.flags, 0o600);
    if (kind.fits(fstatSync(file))) return file;
    closeSync(file);
  } catch (error) {
    throw unusable(`cannot use ${path} as a lock`, error);
  }
  throw new DlmError('DLM_STATE_UNUSABLE', `cannot use ${path} as a lock: it is not ${kind.words}`);
}

/** Somebody may have removed the file while we waited; a lock on it would exclude nobody. */
function isStill(path: string, file: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const ours = fstatSync(file);
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
}

/** Was the lock free in time? The file is closed if it cannot be found out. */
function flock(path: string, file: number, patience: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-E', String(busyExit), ...patience, '3'], {
      stdio: ['ignore', 'ignore', 'pipe', file],
    });
    const fail = (error: DlmError): void => {
      closeSync(file);
      reject(error);
    };
    let said = '';
    child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString('latin1').slice(0, 500)));
    child.on('error', (error) => fail(cannotRun(error)));
    child.on('close', (exit, signal) => {
      if (child.pid === undefined) return;
      if (exit === 0) resolve(true);
      else if (exit === busyExit) resolve(false);
      else fail(new DlmError('DLM_STATE_UNUSABLE', `cannot lock ${path}: flock(1) ended with ${signal ?? exit}: ${said.trim()}`));
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
  return unusable('cannot run flock(1)', error);
}

/**
 * May what a file says be believed, and a program be run, when the machine depends on it?
 *
 * Whoever can write a configuration or a program that a node of root's runs, is root. So
 * both must belong to root or to us, and nobody else may be able to write to them; and a
 * file with a secret in it nobody else may even read. What is checked is what has been
 * opened, so that it cannot be exchanged in between.
 */
import { accessSync, closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';
import { isAbsolute } from 'node:path';
import { DlmError } from '../base/errors.js';
import { ownUid } from './places.js';
import { codeOf, reasonOf } from './system-error.js';
import { quoteCommand } from './text.js';

const bytesMax = 1024 * 1024;

export interface TrustedText {
  readonly text: string;
  /** Nobody but its owner can read it. */
  readonly isPrivate: boolean;
}

/** What the file says. `what` it is: "the configuration"; `ifMissing`: what to do if it is not there. Throws `DLM_CONFIG_INVALID`. */
export function readTrusted(path: string, what: string, ifMissing?: string): TrustedText {
  let file: number;
  try {
    // Not to be kept waiting by a pipe that nobody writes to.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new DlmError('DLM_CONFIG_INVALID', `cannot read ${what} ${path}: ${reasonOf(error)}`, codeOf(error) === 'ENOENT' ? ifMissing : undefined);
  }
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) throw new DlmError('DLM_CONFIG_INVALID', `${what} ${path} is not a file`, 'name a plain file');
    refuseStrangers(path, what, facts);
    if (facts.size > bytesMax) throw new DlmError('DLM_CONFIG_INVALID', `${what} ${path} has ${facts.size} bytes, and ${bytesMax} are allowed`);
    return { text: readFileSync(file, 'utf8'), isPrivate: (facts.mode & 0o044) === 0 };
  } finally {
    closeSync(file);
  }
}

/** What a file says that nobody else may read. Throws `DLM_CONFIG_INVALID`. */
export function readSecretText(path: string, what: string, ifMissing?: string): string {
  const { text, isPrivate } = readTrusted(path, what, ifMissing);
  if (!isPrivate) throw readableByOthers(path, what);
  return text;
}

/** What it says in its first line. */
export function readSecret(path: string, what: string): string {
  return readSecretText(path, what).split('\n', 1)[0]!.replace(/\r$/, '');
}

export function readableByOthers(path: string, what: string): DlmError {
  return new DlmError('DLM_CONFIG_INVALID', `${what} ${path} holds a secret, and others than its owner may read it`, `take that away with: chmod go-r ${quoteCommand([path])}`);
}

/** Is this an absolute path of a program that may be run? Throws `DLM_CONFIG_INVALID`. */
export function checkProgram(path: string, what: string): void {
  if (!isAbsolute(path)) throw new DlmError('DLM_CONFIG_INVALID', `${what} must be named by its full path, beginning with /`);
  let facts: Stats;
  try {
    facts = statSync(path);
    accessSync(path, constants.X_OK);
  } catch (error) {
    throw new DlmError('DLM_CONFIG_INVALID', `cannot run ${what} ${path}: ${reasonOf(error)}`, 'install it, or name another program');
  }
  if (!facts.isFile()) throw new DlmError('DLM_CONFIG_INVALID', `${what} ${path} is not a program`);
  refuseStrangers(path, what, facts);
}

function refuseStrangers(path: string, what: string, { uid, mode }: Stats): void {
  if (uid !== 0 && uid !== ownUid()) {
    throw new DlmError('DLM_CONFIG_INVALID', `${what} ${path} belongs to user ${uid}, who could change it`, `make it root's with: chown root ${quoteCommand([path])}`);
  }
  if ((mode & 0o022) !== 0) {
    throw new DlmError('DLM_CONFIG_INVALID', `others than its owner may write to ${what} ${path}`, `take that away with: chmod go-w ${quoteCommand([path])}`);
  }
}

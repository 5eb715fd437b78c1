/**
 * Can this command be run at all? Asked before its lock is taken, so that nobody
 * waits for a lock on behalf of a misspelt word.
 */
import { accessSync, constants, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { DlmError, escapeText } from '../core/index.js';
import { Failure } from './report.js';

/** The exit codes that shells give. */
export const notFoundExit = 127;
export const notExecutableExit = 126;

/** Throws a `Failure` that ends as a shell would if the command cannot be run. `hint`: what was therefore not done. */
export function needExecutable(command: string, hint: string): void {
  const reason = whyNotExecutable(command, process.env.PATH ?? '/usr/bin:/bin');
  if (reason === null) return;
  const error = new DlmError('DLM_USAGE', `the command ${escapeText(command)} ${reason.words}`, hint);
  throw new Failure(error, { exit: reason.exit });
}

/** Null if it can be run; otherwise why not, and with which code to end. */
export function whyNotExecutable(command: string, path: string): { words: string; exit: number } | null {
  const places = command.includes('/') ? [command] : path.split(':').map((folder) => join(folder === '' ? '.' : folder, command));
  if (places.some((place) => isFile(place) && isExecutable(place))) return null;
  if (places.some((place) => isFile(place))) return { words: 'is not executable', exit: notExecutableExit };
  if (command.includes('/') && places.some(exists)) return { words: 'is not a file that can be run', exit: notExecutableExit };
  return { words: 'was not found', exit: notFoundExit };
}

function isFile(place: string): boolean {
  return look(place)?.isFile() === true;
}

function exists(place: string): boolean {
  return look(place) !== null;
}

function look(place: string): Stats | null {
  try {
    return statSync(place, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

function isExecutable(place: string): boolean {
  try {
    accessSync(place, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A file that keeps the highest token that a resource has been shown, for a wrapper at the
 * resource: whoever comes with an older one has lost the lock, without knowing it yet.
 *
 * The file is replaced whole, and is on the disk before anybody is told that his token is
 * good. Meanwhile a second file beside it, `FILE.lock`, is locked (flock); so it is while
 * what the token was shown for is done, if it is done in here. That is what closes the gap
 * between looking and doing, in which somebody could be stopped and go on too late.
 *
 * On a folder that several machines share it is as good as flock and rename are there.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { DlmError } from '../base/errors.js';
import { KernelLock } from './kernel-lock.js';
import { codeOf, reasonOf } from './system-error.js';
import { escapeText } from './text.js';

const shape = /^[0-9a-f]{12,16}\.[0-9a-f]{8,16}\.[0-9a-f]{8,16}$/;
/** How long others may be at it. A timer can measure no more. */
const waitMillisMax = 2_000_000_000;
const folderHint = 'see that its folder is there and can be written';

export interface TokenCheckOptions<Result = void> {
  /** How long to wait while somebody else is at it, in milliseconds; as long as it takes if not given. */
  readonly waitMillis?: number;
  /** Done while nobody else is let in; `file` is the descriptor of the lock, for a child that shall keep it. */
  readonly work?: (file: number) => Promise<Result> | Result;
}

export interface TokenChecked<Result = void> {
  readonly token: string;
  /** The highest before; null: the first. */
  readonly before: string | null;
  readonly result: Result | undefined;
}

/** Rejects with `DLM_TOKEN_OLD`, `DLM_USAGE`, `DLM_TIMED_OUT`, `DLM_STATE_UNUSABLE`. */
export async function checkToken<Result>(file: string, token: string, { waitMillis = waitMillisMax, work }: TokenCheckOptions<Result>): Promise<TokenChecked<Result>> {
  if (!shape.test(token)) {
    throw new DlmError('DLM_USAGE', `'${escapeText(token.slice(0, 100))}' is not a token`, 'it is in DLM_TOKEN of a command under a lock: GENERATION.MASTERSHIP.SEQUENCE');
  }
  const lock = await lockBeside(file, waitMillis);
  if (lock === null) throw new DlmError('DLM_TIMED_OUT', `others were at ${file} for ${waitMillis / 1000} s`, 'see who has its lock open: fuser FILE.lock');
  try {
    const before = storedIn(file);
    if (before !== null && isOlder(token, before)) {
      throw new DlmError('DLM_TOKEN_OLD', `token ${token} is older than ${before}, which ${file} has seen`);
    }
    if (before !== token) store(file, token);
    return { token, before, result: await work?.(lock.file) };
  } finally {
    lock.release();
  }
}

/** What is wrong with it has nothing to do with the folder of a node. */
async function lockBeside(file: string, waitMillis: number): Promise<KernelLock | null> {
  try {
    return await KernelLock.take(`${file}.lock`, waitMillis);
  } catch (error) {
    if (error instanceof DlmError && error.code === 'DLM_STATE_UNUSABLE') throw new DlmError(error.code, error.message, folderHint);
    throw error;
  }
}

/** Part for part, as numbers. */
function isOlder(one: string, other: string): boolean {
  const [some, others] = [partsOf(one), partsOf(other)];
  const at = some.findIndex((part, index) => part !== others[index]);
  return at >= 0 && some[at]! < others[at]!;
}

const partsOf = (token: string): bigint[] => token.split('.').map((part) => BigInt(`0x${part}`));

/** A file that is there and holds something else is never taken for one that has seen nothing. */
function storedIn(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw unusable(file, error);
  }
  if (shape.test(text)) return text;
  throw new DlmError('DLM_STATE_UNUSABLE', `${file} is there and holds no token`, 'name another file; or remove it, if no token was ever seen');
}

function store(file: string, token: string): void {
  const next = `${file}.next`;
  try {
    writeDown(next, 'w', `${token}\n`);
    renameSync(next, file);
    writeDown(dirname(file), 'r', null);
  } catch (error) {
    throw unusable(file, error);
  }
}

/** Returns when it is on the disk. */
function writeDown(path: string, flags: 'w' | 'r', text: string | null): void {
  const opened = openSync(path, flags, 0o644);
  try {
    if (text !== null) writeSync(opened, text);
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

function unusable(file: string, error: unknown): DlmError {
  return new DlmError('DLM_STATE_UNUSABLE', `cannot keep the token in ${file}: ${reasonOf(error)}`, folderHint);
}

/**
 * The facts that outlive a node: the number of its present life, and whether it
 * was ever part of a cluster.
 *
 * Every node takes a new incarnation before it grants anything; it is the first
 * part of every token and of every lock id. The next one is greater than the one
 * on disk, and at least the time in seconds, so that tokens keep rising even if
 * the file is lost. A node that cannot write it down does not start.
 */
import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { DlmError } from '../base/errors.js';
import { KernelLock } from './kernel-lock.js';
import { prepareFolder, type Places } from './places.js';
import { codeOf, reasonOf } from './system-error.js';

interface State {
  readonly incarnation: number;
  /** Has this machine ever joined a cluster? Then no command starts a node by itself. */
  readonly everClustered: boolean;
  /** The highest generation that this node has begun with, or heard of in a cluster. */
  readonly generation: number;
}

const never: State = { incarnation: 0, everClustered: false, generation: 0 };

/** What a new life begins with. */
export interface Life {
  readonly incarnation: number;
  readonly generation: number;
}

/** What fits into the messages of every version. */
const incarnationMax = 0xffff_ffff;
const lockPatienceMillis = 10_000;

/** The number of a new life, greater than any before. Throws `DLM_STATE_UNUSABLE`. */
export async function nextIncarnation(places: Places, nowMillis: number = Date.now()): Promise<number> {
  return (await nextLife(places, nowMillis)).incarnation;
}

/** The same, with what the node knew of its cluster. Throws `DLM_STATE_UNUSABLE`. */
export async function nextLife(places: Places, nowMillis: number = Date.now()): Promise<Life> {
  prepareFolder(places.state, places.scope);
  const lock = await KernelLock.take(places.stateLock, lockPatienceMillis);
  if (lock === null) {
    throw new DlmError('DLM_STATE_UNUSABLE', `another process has kept ${places.stateLock} locked for ${lockPatienceMillis / 1000} s`);
  }
  try {
    const state = readState(places.stateFile) ?? never;
    const seconds = Math.floor(nowMillis / 1000);
    const clock = seconds < incarnationMax ? seconds : 0;
    const incarnation = Math.max(state.incarnation + 1, clock);
    if (incarnation > incarnationMax) {
      throw new DlmError('DLM_STATE_UNUSABLE', `the incarnations in ${places.stateFile} are used up`, 'please report it');
    }
    // A life without a cluster makes no generations but this one, and no token of an earlier one may come again.
    const generation = Math.max(state.generation + 1, incarnation);
    writeState(places, { ...state, incarnation, generation });
    return { incarnation, generation };
  } finally {
    lock.release();
  }
}

/** Has this machine ever joined a cluster? */
export function wasEverClustered(places: Places): boolean {
  return readState(places.stateFile)?.everClustered ?? false;
}

/** This machine has joined a cluster. The caller is its node. Throws `DLM_STATE_UNUSABLE`. */
export function markClustered(places: Places): void {
  const state = readState(places.stateFile) ?? never;
  if (!state.everClustered) writeState(places, { ...state, everClustered: true });
}

/** Remember a generation before anything is granted in it. The caller is the node. Throws `DLM_STATE_UNUSABLE`. */
export function keepGeneration(places: Places, generation: number): void {
  const state = readState(places.stateFile) ?? never;
  if (generation > state.generation) writeState(places, { ...state, generation });
}

/** Null: there is no file yet. */
function readState(path: string): State | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw new DlmError('DLM_STATE_UNUSABLE', `cannot read ${path}: ${reasonOf(error)}`);
  }
  const state = parseState(text);
  if (state !== null) return state;
  throw new DlmError(
    'DLM_STATE_UNUSABLE',
    `${path} is damaged, so this node cannot tell which tokens it has given out`,
    'put back a copy of it; or move it away: the node then counts on from the clock, which is safe unless the clock was set back',
  );
}

function parseState(text: string): State | null {
  try {
    const { incarnation, everClustered, generation = 0 } = JSON.parse(text) as Partial<Record<keyof State, unknown>>;
    if (!Number.isSafeInteger(incarnation) || typeof everClustered !== 'boolean') return null;
    if ((incarnation as number) < 1 || (incarnation as number) > incarnationMax) return null;
    if (!Number.isSafeInteger(generation) || (generation as number) < 0) return null;
    return { incarnation: incarnation as number, everClustered, generation: generation as number };
  } catch {
    return null;
  }
}

/** Beside the old one, then in its place, each on the disk before the next: there is always a whole file. */
function writeState(places: Places, state: State): void {
  const draft = `${places.stateFile}.new`;
  try {
    writeThrough(draft, `${JSON.stringify(state)}\n`);
    renameSync(draft, places.stateFile);
    const folder = openSync(places.state, constants.O_RDONLY | constants.O_DIRECTORY);
    fsyncSync(folder);
    closeSync(folder);
  } catch (error) {
    throw new DlmError('DLM_STATE_UNUSABLE', `cannot write ${places.stateFile}: ${reasonOf(error)}`);
  }
}

function writeThrough(path: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const file = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
  try {
    const bytes = Buffer.from(text);
    let written = 0;
    while (written < bytes.length) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

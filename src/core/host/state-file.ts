/**
 * The facts that outlive a node: the number of its present life, and whether it
 * was ever part of a cluster.
 *
 * Every node takes a new incarnation before it grants anything; it is the first
 * part of every token and of every lock id. The next one is greater than the one
 * on disk, and at least the time in seconds, so that tokens keep rising even if
 * the file is lost. A node that cannot write it down does not start.
 *
 * Several nodes of one user may live at a time (those inside commands), so this file
 * is written under a lock only. The generations that a life hears of come in the
 * middle of a turn, where nothing can be waited for: each life has a file of its own
 * for them, and the next one that takes an incarnation reads them all.
 */
import { closeSync, constants, existsSync, fsyncSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DlmError } from '../base/errors.js';
import { KernelLock } from './kernel-lock.js';
import { prepareFolder, type Places } from './places.js';
import { identify, isAlive } from './process-facts.js';
import { codeOf, unusable } from './system-error.js';

interface State {
  readonly incarnation: number;
  /** Has this machine ever joined a cluster, or tried to? Then no command starts a node by itself. */
  readonly everClustered: boolean;
  /** The last one, if it was written down. */
  readonly cluster?: string;
  /** With which options it was joined, as a shell reads them. */
  readonly join?: string;
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

/** A new life, its number greater than any before. Throws `DLM_STATE_UNUSABLE`. */
export async function nextLife(places: Places, nowMillis: number = Date.now()): Promise<Life> {
  prepareFolder(places.state, places.scope);
  return underLock(places, () => {
    const state = readState(places.stateFile) ?? never;
    const seconds = Math.floor(nowMillis / 1000);
    const clock = seconds < incarnationMax ? seconds : 0;
    const incarnation = Math.max(state.incarnation + 1, clock);
    if (incarnation > incarnationMax) {
      throw new DlmError('DLM_STATE_UNUSABLE', `the incarnations in ${places.stateFile} are used up`, 'please report it');
    }
    const lives = livesIn(places);
    const heard = Math.max(state.generation, ...lives.map((path) => generationIn(path)));
    // A life without a cluster makes no generations but this one, and no token of an earlier one may come again.
    const generation = Math.max(heard + 1, incarnation);
    writeState(places, { ...state, incarnation, generation });
    for (const path of lives) if (!isOfTheLiving(path)) rmSync(path, { force: true });
    return { incarnation, generation };
  });
}

/** Has this machine ever joined a cluster, or tried to? Throws `DLM_STATE_UNUSABLE`. */
export function wasEverClustered(places: Places): boolean {
  return readState(places.stateFile)?.everClustered ?? false;
}

/** The same of a machine whose state only root may read. */
export function isMarkedClustered({ clusteredMark }: Pick<Places, 'clusteredMark'>): boolean {
  return existsSync(clusteredMark);
}

/** The options with which it was joined last, for people; null: not even its name was written down. */
export function lastJoin({ scope, clusteredMark, stateFile }: Places): string | null {
  const [cluster, join] = scope === 'machine' ? (readOrNull(clusteredMark)?.split('\n') ?? []) : wordsIn(readState(stateFile));
  if (join !== undefined && join !== '') return join;
  return cluster === undefined || cluster === '' ? null : namedOnly(cluster);
}

function wordsIn(state: State | null): (string | undefined)[] {
  return [state?.cluster, state?.join];
}

function namedOnly(cluster: string): string {
  return `--cluster ${cluster}`;
}

/** This machine joins a cluster, with these options as a shell reads them. Throws `DLM_STATE_UNUSABLE`. */
export async function markClustered(places: Places, cluster: string, join = namedOnly(cluster)): Promise<void> {
  if (wasEverClustered(places) && lastJoin(places) === join) return;
  await underLock(places, () => {
    if (places.scope === 'machine') writeThrough(places.clusteredMark, `${cluster}\n${join}\n`, 0o644);
    writeState(places, { ...(readState(places.stateFile) ?? never), everClustered: true, cluster, join });
  });
}

/** The same where there may have been no node yet. */
export async function rememberClustered(places: Places, cluster: string, join?: string): Promise<void> {
  if (!existsSync(places.stateFile)) await nextLife(places);
  await markClustered(places, cluster, join);
}

/** Remember a generation before anything is granted in it. The caller is this life of the node. Throws `DLM_STATE_UNUSABLE`. */
export function keepGeneration(places: Places, { incarnation }: Life, generation: number): void {
  const { pid, started } = identify(process.pid) ?? { pid: process.pid, started: 0 };
  const path = join(places.state, `life-${pid}.${started}.${incarnation}`);
  if (generation > generationIn(path)) replace(places.state, path, `${generation}\n`);
}

async function underLock<Answer>(places: Places, work: () => Answer): Promise<Answer> {
  const lock = await KernelLock.take(places.stateLock, lockPatienceMillis);
  if (lock === null) {
    throw new DlmError('DLM_STATE_UNUSABLE', `another process has kept ${places.stateLock} locked for ${lockPatienceMillis / 1000} s`);
  }
  try {
    return work();
  } finally {
    lock.release();
  }
}

const lifeFile = /^life-(\d+)\.(\d+)\.\d+$/;

function livesIn({ state }: Places): string[] {
  return readdirSync(state)
    .filter((name) => lifeFile.test(name))
    .map((name) => join(state, name));
}

/** It may still hear of another generation, and writes it down itself. */
function isOfTheLiving(path: string): boolean {
  const [, pid, started] = lifeFile.exec(path.slice(path.lastIndexOf('/') + 1))!;
  return isAlive({ pid: Number(pid), started: Number(started) });
}

/** 0 if nothing was written down. Throws `DLM_STATE_UNUSABLE`. */
function generationIn(path: string): number {
  const text = readOrNull(path);
  const generation = text === null ? 0 : Number(text);
  if (Number.isSafeInteger(generation) && generation >= 0) return generation;
  throw new DlmError('DLM_STATE_UNUSABLE', `${path} is damaged, so this node cannot tell which tokens it has given out`, 'move it away: the node then counts on from the clock');
}

/** Null: there is no file yet. */
function readState(path: string): State | null {
  const text = readOrNull(path);
  if (text === null) return null;
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
    const { incarnation, everClustered, generation = 0, cluster, join } = JSON.parse(text) as Partial<Record<keyof State, unknown>>;
    if (!Number.isSafeInteger(incarnation) || typeof everClustered !== 'boolean') return null;
    if ((incarnation as number) < 1 || (incarnation as number) > incarnationMax) return null;
    if (!Number.isSafeInteger(generation) || (generation as number) < 0) return null;
    return { incarnation: incarnation as number, everClustered, generation: generation as number, ...textsIn({ cluster, join }) };
  } catch {
    return null;
  }
}

/** Those of them that are there. */
function textsIn(found: { readonly cluster: unknown; readonly join: unknown }): Pick<State, 'cluster' | 'join'> {
  return Object.fromEntries(Object.entries(found).filter(([, value]) => typeof value === 'string'));
}

/** Null: there is no file. */
function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw unusable(`cannot read ${path}`, error);
  }
}

function writeState({ state: folder, stateFile }: Places, state: State): void {
  replace(folder, stateFile, `${JSON.stringify(state)}\n`);
}

/** Beside the old one, then in its place, each on the disk before the next: there is always a whole file. */
function replace(folder: string, path: string, text: string): void {
  const draft = `${path}.new`;
  try {
    writeThrough(draft, text, 0o600);
    renameSync(draft, path);
    const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    fsyncSync(opened);
    closeSync(opened);
  } catch (error) {
    throw unusable(`cannot write ${path}`, error);
  }
}

function writeThrough(path: string, text: string, mode: number): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const file = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  try {
    const bytes = Buffer.from(text);
    let written = 0;
    while (written < bytes.length) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

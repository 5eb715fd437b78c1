/**
 * Which lock do convert, unlock and cancel mean: the one with that id, or the one
 * that the caller has on a name?
 *
 * The caller is who would own a lock that `dlm lock NAME` takes: the process that
 * called dlm, or the one named with --owner-pid. A name is good for one lock only.
 * Where the caller has several on it none is chosen, because a script that is
 * wrong about what it holds must hear of it.
 */
import { DlmError, commandOf, defaultLockspace, type LockInfo, type NodeClient } from '../core/index.js';
import { describeLock, showCommand } from './describe.js';
import { ownerPid } from './held-lock.js';
import { needName } from './names.js';
import { Failure } from './report.js';

/** How a line says which lock it means. */
export interface LockWords {
  readonly name?: string | undefined;
  readonly 'name-hex'?: string | undefined;
  readonly lockspace?: string | undefined;
  readonly 'owner-pid'?: number | undefined;
}

/** What the verb is for; locks that it is not for are meant only if there is no other. */
export type Purpose = 'convert' | 'unlock' | 'cancel';

/** Is one lock meant, in one way? Throws `DLM_USAGE`. */
export function checkLockWords(id: string | undefined, words: LockWords, purpose: Purpose): void {
  const ways = [id, words.name, words['name-hex']].filter((way) => way !== undefined);
  if (ways.length === 0) throw new DlmError('DLM_USAGE', 'ID is missing', `say which lock, by its id or with --name NAME; see: dlm ${purpose} --help`);
  if (ways.length > 1) throw new DlmError('DLM_USAGE', 'the lock is named twice', `give either its id or --name; see: dlm ${purpose} --help`);
}

/** The id of the lock that is meant. Rejects with `DLM_LOCK_UNKNOWN`, and where several could be meant with `DLM_USAGE`. */
export async function idMeant(client: NodeClient, id: string | undefined, words: LockWords, purpose: Purpose): Promise<string> {
  if (id !== undefined) return id;
  const target = needName(words.name === undefined ? [] : [words.name], words['name-hex']);
  const pid = ownerPid(words['owner-pid']);
  const lockspace = words.lockspace ?? defaultLockspace;
  const candidates = choose(await client.locks({ lockspace, name: target.name }), pid, purpose);
  if (candidates.length === 1) return candidates[0]!.id;
  throw candidates.length === 0 ? hasNone(target.shown, pid) : hasSeveral(target.shown, pid, candidates, purpose);
}

/** Those of one owner that the verb is for, or else all that it has. */
export function choose(locks: readonly LockInfo[], pid: number, purpose: Purpose): LockInfo[] {
  const own = locks.filter(({ owner }) => owner.pid === pid && (owner.kind === 'process' || owner.kind === 'session'));
  const fitting = own.filter(({ state, mode }) => (purpose === 'cancel' ? state !== 'granted' : mode !== null));
  return fitting.length > 0 ? fitting : own;
}

function hasNone(shown: string, pid: number): DlmError {
  return new DlmError(
    'DLM_LOCK_UNKNOWN',
    `${who(pid)} has no lock on ${shown}`,
    'see whose they are with: dlm locks; the owner is the process that called dlm lock, another is named with --owner-pid',
  );
}

function hasSeveral(shown: string, pid: number, locks: readonly LockInfo[], purpose: Purpose): Failure {
  const error = new DlmError('DLM_USAGE', `${who(pid)} has ${locks.length} locks on ${shown}`, `name the one that is meant by its id: dlm ${purpose} ID`);
  const lines = locks.map((lock) => `${lock.id}: ${describeLock(lock)}`);
  return new Failure(error, { details: lines, facts: { locks } });
}

function who(pid: number): string {
  const command = commandOf(pid);
  return `pid ${pid}${command === '' ? '' : ` (${showCommand(command, 72)})`}`;
}

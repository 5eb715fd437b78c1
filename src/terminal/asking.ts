/**
 * Asking for a new lock, or for several, as the options of a command say.
 */
import { DlmError, LockHandle, type FlagName, type LockInfo, type LockOptions, type LockspaceClient, type ModeName } from '../core/index.js';
import type { GuardedLock } from './lock-environment.js';
import type { NamedLine } from './names.js';
import { interrupted, limitsOf, Unanswered, waitFor, type Interruption, type Patience } from './patience.js';
import type { SignalWatch } from './signals.js';

/** How long the node may take to take a request back. */
const answerMillis = 2000;
/** A timer cannot be set for longer, and nobody waits so long. */
const longestMillis = 2 ** 31 - 1 - answerMillis;

/** What is wanted of the law, and in front of whom it is waited for. */
export interface Request {
  readonly space: LockspaceClient;
  readonly target: NamedLine;
  readonly mode: ModeName;
  readonly flags: readonly FlagName[];
  readonly wantValue: boolean;
  /** Is there somebody to be told that others wait for the lock? */
  readonly blocking: boolean;
  /** Whose end ends the lock: a process, or (null) this command's connection. */
  readonly ownerPid: number | null;
  readonly patience: Patience;
  readonly isQuiet: boolean;
  readonly note: (words: string) => void;
}

/** The lock, granted. Throws a `Failure` that tells who was in the way; a signal leaves nothing behind. */
export async function askForLock(request: Request, signals: SignalWatch): Promise<LockHandle> {
  const { space, target, mode, ownerPid } = request;
  const pid = ownerPid ?? process.pid;
  const isMine = (lock: LockInfo): boolean => lock.state === 'waiting' && lock.owner.pid === pid && lock.requested === mode;
  const { patience, isQuiet, note } = request;
  const about = { lockspace: space.name, status: () => space.port.status(), locks: () => space.port.locksOfAll({ lockspace: space.name, name: target.name }) };
  const waiting = { ...about, shown: target.shown, mode, isMine, caller: process.ppid, patience, isQuiet, note };

  const handle = new LockHandle(space);
  const ask = (signal: AbortSignal): Promise<LockHandle> => space.lock(target.name, optionsOf(request, signal), handle);
  const lock = await waitFor(waiting, signals, () => unlessHung(ask, waiting, signals, () => handle.renounce()));
  if (signals.first === null) return lock;
  await lock.unlock();
  throw interrupted(target.shown, signals);
}

/**
 * A node that does not even answer that the request is taken back is not waited for. So it is, too, where another node
 * decides that is stopped. Who does not want to wait gives up when nobody has answered, and takes the request back by the
 * signal that `ask` is given. A new lock is renounced as well: the grant may be on its way, and nobody would hold it.
 */
export function unlessHung(
  ask: (signal: AbortSignal) => Promise<LockHandle>,
  { shown, patience }: { shown: string; patience: Patience },
  signals: Interruption & { readonly aborted: AbortSignal },
  renounce = (): void => undefined,
): Promise<LockHandle> {
  const { mustNotWait, timeout } = limitsOf(patience);
  const hung = new AbortController();
  const asked = ask(mustNotWait ? AbortSignal.any([signals.aborted, hung.signal]) : signals.aborted);
  return new Promise((resolve, reject) => {
    let isOpen = true;
    const settled = (): void => void (isOpen = false);
    asked.then(resolve, reject).then(settled, settled);
    const giveUp = (error: Error): void => {
      if (!isOpen) return;
      isOpen = false;
      reject(error);
      hung.abort();
      renounce();
    };
    const giveUpAfter = (millis: number, why: () => Error): void => void setTimeout(() => giveUp(why()), millis).unref();
    signals.aborted.addEventListener('abort', () => giveUpAfter(answerMillis, () => (signals.first === null ? new DlmError('DLM_CANCELLED', 'the wait was aborted') : interrupted(shown, signals))));
    if (mustNotWait) giveUpAfter(answerMillis, () => new Unanswered(answerMillis));
    if (timeout === undefined || timeout > longestMillis) return;
    giveUpAfter(timeout + answerMillis, () => new DlmError('DLM_TIMED_OUT', 'nobody answers that the request is taken back'));
  });
}

/**
 * All of these locks or none, within one patience.
 *
 * They are asked for one after the other in the order of their names' bytes, so
 * that two who want the same ones never wait for each other. A name that was
 * given twice is one lock.
 */
export async function askForLocks(request: Omit<Request, 'target'>, targets: readonly NamedLine[], signals: SignalWatch): Promise<GuardedLock[]> {
  const patience = { ...request.patience, since: performance.now() };
  const byName = new Map(targets.map((target) => [bytesOf(target), target]));
  const held = new Map<string, GuardedLock>();
  try {
    for (const [bytes, target] of [...byName].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const lock = await askForLock({ ...request, patience, target }, signals);
      held.set(bytes, { ...target, lock });
    }
  } catch (error) {
    for (const { lock } of [...held.values()].reverse()) void lock.unlock().catch(() => undefined);
    throw error;
  }
  return [...byName.keys()].map((bytes) => held.get(bytes)!);
}

/** One character a byte. */
function bytesOf({ name }: NamedLine): string {
  return Buffer.from(name).toString('latin1');
}

function optionsOf({ mode, flags, wantValue, blocking, ownerPid, patience }: Request, signal: AbortSignal): LockOptions {
  const { mustNotWait, timeout } = limitsOf(patience);
  return {
    mode,
    flags: mustNotWait ? [...flags, 'NOQUEUE'] : flags,
    wantValue,
    blocking,
    signal,
    ...(timeout === undefined ? {} : { timeout }),
    ...(ownerPid === null ? {} : { owner: { pid: ownerPid } }),
  };
}

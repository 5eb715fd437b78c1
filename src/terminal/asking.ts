/**
 * Asking for a new lock, or for several, as the options of a command say.
 */
import type { FlagName, LockHandle, LockInfo, LockOptions, LockspaceClient, ModeName } from '../core/index.js';
import type { GuardedLock } from './lock-environment.js';
import type { NamedLine } from './names.js';
import { interrupted, limitsOf, lockLists, waitFor, type Patience } from './patience.js';
import type { SignalWatch } from './signals.js';

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
  const about = { lockspace: space.name, status: () => space.port.status(space.name), ...lockLists(space.port, { lockspace: space.name, name: target.name }) };
  const waiting = { ...about, shown: target.shown, mode, isMine, caller: process.ppid, patience, isQuiet, note };

  const lock = await waitFor(waiting, signals, () => space.lock(target.name, optionsOf(request, signals.aborted)));
  if (signals.first === null) return lock;
  await lock.unlock();
  throw interrupted(target.shown, signals);
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

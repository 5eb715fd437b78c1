/**
 * What a command under locks, and a program that is run on behalf of one, finds of
 * them in its environment.
 *
 * With several locks the plain variables are those of the one that was named
 * first, so that a script does not change when a lock is added behind it; the
 * plural ones list all, in the order in which they were named, one a line.
 */
import type { LockHandle, Name } from '../core/index.js';
import { hexOfValue } from './values.js';

/** A lock that a command runs under. */
export interface GuardedLock {
  readonly lock: LockHandle;
  readonly name: Name;
  /** The resource as it was typed, and safe to print. */
  readonly typed: string;
  readonly shown: string;
}

/** All that a command holds. */
export interface Held {
  /** In the order in which they were named; at least one. */
  readonly locks: readonly GuardedLock[];
  readonly lockspace: string;
  readonly wantsValue: boolean;
}

/** `about`: the lock of the plain variables; the first if not given. */
export function environment(held: Held, about: GuardedLock = held.locks[0]!): NodeJS.ProcessEnv {
  const { lock, typed } = about;
  const lines = (word: (lock: GuardedLock) => string): string => held.locks.map(word).join('\n');
  return {
    DLM_LOCKSPACE: held.lockspace,
    DLM_RESOURCE: typed,
    DLM_MODE: lock.mode ?? '',
    DLM_LKID: lock.id,
    DLM_TOKEN: lock.token,
    DLM_RESOURCES: lines((one) => one.typed),
    DLM_LKIDS: lines((one) => one.lock.id),
    DLM_TOKENS: lines((one) => one.lock.token),
    ...(held.wantsValue ? { DLM_VALUE: lock.value === null ? '' : hexOfValue(lock.value), DLM_VALUE_STATE: lock.valueState } : {}),
  };
}

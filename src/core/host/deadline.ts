/**
 * Giving up: a timeout or an abort signal turned into a cancel.
 *
 * The race between grant and cancel is decided by the node alone. If the grant
 * came first the caller has the lock, also when its time was up; if the cancel
 * came first it hears why it was cancelled. There is no third outcome.
 */
import { DlmError } from '../base/errors.js';
import type { LockHandle } from './lock-handle.js';

/** The longest a timer can run, about 24 days. A longer wait is cut to that. */
const timerMax = 0x7fff_ffff;

interface Patience {
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** Nobody wanted it any more before it was asked for. */
export function abortedBefore(): DlmError {
  return new DlmError('DLM_CANCELLED', 'the signal was aborted before the lock was asked for');
}

/** Throws `DLM_USAGE`. Call it before anything is asked for. */
export function checkPatience({ timeout }: Patience): void {
  if (timeout === undefined || timeout >= 0) return;
  throw new DlmError('DLM_USAGE', `a timeout is a number of milliseconds, 0 or more, not ${timeout}`);
}

/** `outcome`, cut short by the caller's patience. */
export function withDeadline(handle: LockHandle, outcome: Promise<LockHandle>, patience: Patience): Promise<LockHandle> {
  const { timeout, signal } = patience;
  if (timeout === undefined && signal === undefined) return outcome;
  return waitPatiently(handle, outcome, timeout, signal);
}

async function waitPatiently(
  handle: LockHandle,
  outcome: Promise<LockHandle>,
  timeout: number | undefined,
  signal: AbortSignal | undefined,
): Promise<LockHandle> {
  let reason: DlmError | null = null;
  const giveUp = (why: DlmError): void => {
    reason ??= why;
    handle.cancel().catch(() => undefined);
  };
  const onAbort = (): void => giveUp(new DlmError('DLM_CANCELLED', 'the wait was aborted'));
  const timer =
    timeout === undefined
      ? null
      : setTimeout(
          () => giveUp(new DlmError('DLM_TIMED_OUT', `the lock was not granted within ${timeout / 1000} s`)),
          Math.min(timeout, timerMax),
        );
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();

  try {
    return await outcome;
  } catch (error) {
    if (reason !== null && error instanceof DlmError && error.code === 'DLM_CANCELLED') throw reason;
    throw error;
  } finally {
    if (timer !== null) clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * Giving up: a timeout or an abort signal turned into a cancel.
 *
 * The race between grant and cancel is decided by the node alone. If the grant
 * came first the caller has the lock, also when its time was up; if the cancel
 * came first it hears why it was cancelled. There is no third outcome.
 *
 * Whether the cancel came first is known to the node that decides about the lock,
 * and that one may be silent. It is not waited for: then our own node is told that
 * the request is given up for good, and undoes what is granted later.
 *
 * Our own node may be silent, too. Then a new lock is renounced, for when it goes on:
 * the grant may be on its way, and nobody would hold it.
 */
import { DlmError } from '../base/errors.js';
import type { LockHandle } from './lock-handle.js';

/** How long whoever decides about the lock may take to say which came first; and our own node, to say that it is given up. */
const verdictMillis = 300;
/** The longest a timer can run, about 24 days. A longer wait is cut to that. */
const timerMax = 0x7fff_ffff;

interface Patience {
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** Nobody has answered. Of a request: it was given up, and what is granted later is undone; whether a conversion was granted before is not known. */
export class Unanswered extends DlmError {}

/** Nobody wanted it any more before it was asked for. */
export function abortedBefore(): DlmError {
  return new DlmError('DLM_CANCELLED', 'the signal was aborted before the lock was asked for');
}

/** Throws `DLM_USAGE`. Call it before anything is asked for. */
export function checkPatience({ timeout }: Patience): void {
  if (timeout === undefined || timeout >= 0) return;
  throw new DlmError('DLM_USAGE', `a timeout is a number of milliseconds, 0 or more, not ${timeout}`);
}

/** `outcome`, cut short by the caller's patience. Is it that of a new lock? */
export function withDeadline(handle: LockHandle, outcome: Promise<LockHandle>, patience: Patience, isNew: boolean): Promise<LockHandle> {
  if (patience.timeout === undefined && patience.signal === undefined) return outcome;
  return waitPatiently(handle, outcome, patience, isNew);
}

function waitPatiently(handle: LockHandle, outcome: Promise<LockHandle>, { timeout, signal }: Patience, isNew: boolean): Promise<LockHandle> {
  return new Promise((resolve, reject) => {
    let reason: DlmError | null = null;
    let timer: NodeJS.Timeout | null = null;
    const setTimer = (work: () => void, millis: number): void => {
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(work, Math.min(millis, timerMax));
    };
    const stop = (): void => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      signal?.removeEventListener('abort', onAbort);
    };
    const unanswered = (): void => settle(() => reject(new Unanswered(reason!.code, `${reason!.message}, and nobody has answered since`)));
    const giveUpForGood = (): void => {
      setTimer(() => {
        unanswered();
        if (isNew) handle.renounce();
      }, verdictMillis);
      handle.giveUpForGood().then(
        (wasWaiting) => {
          // What has just been decided is being told.
          if (wasWaiting) unanswered();
        },
        () => undefined,
      );
    };
    const giveUp = (why: DlmError): void => {
      if (reason !== null) return;
      reason = why;
      handle.cancel().catch(() => undefined);
      setTimer(giveUpForGood, verdictMillis);
    };
    const onAbort = (): void => giveUp(new DlmError('DLM_CANCELLED', 'the wait was aborted'));
    const settle = (how: () => void): void => {
      stop();
      how();
    };

    outcome.then(
      (lock) => settle(() => resolve(lock)),
      (error: unknown) => settle(() => reject(reason !== null && error instanceof DlmError && error.code === 'DLM_CANCELLED' ? reason : error)),
    );
    if (timeout !== undefined) setTimer(() => giveUp(new DlmError('DLM_TIMED_OUT', `the lock was not granted within ${timeout / 1000} s`)), timeout);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
  });
}

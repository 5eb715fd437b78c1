/**
 * What an operation can end with.
 *
 * A `Status` arrives with the completion of an accepted operation and is an
 * outcome, not an error. A `Refusal` is the immediate answer to a call that was
 * not accepted; then nothing completes and nothing has changed.
 *
 * Kin: include/uapi/linux/dlmconstants.h, the return values of dlm_lock().
 */

export type Status =
  /** Granted, or converted. */
  | 'OK'
  /** NOQUEUE was asked for and the lock is busy. */
  | 'EAGAIN'
  /** The conversion would have waited for ever. */
  | 'EDEADLK'
  /** The waiting request or conversion was cancelled. */
  | 'ECANCEL'
  /** The lock is gone. */
  | 'EUNLOCK';

export type Refusal =
  /** A combination the law forbids; the rule is named beside it. */
  | 'EINVAL'
  /** The lock is in the middle of something else. */
  | 'EBUSY'
  /** No such lock, or no such orphan. */
  | 'ENOENT'
  /** An orphan of that name exists, in another mode. */
  | 'EAGAIN'
  /** No such node. */
  | 'ENOBUFS';

/**
 * An error that another process has reported, with its code, as one of ours.
 */
import { DlmError, catalogue, type ErrorCode } from '../base/errors.js';

interface Reported {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** A code that we do not know is of a node of another version. */
export function errorFrom(reported: Reported | undefined): DlmError {
  if (reported === undefined) return new DlmError('DLM_PROTOCOL', 'the node reports an error and does not say which');
  const { code, message, hint } = reported;
  if (Object.hasOwn(catalogue, code)) return new DlmError(code as ErrorCode, message, hint);
  return new DlmError('DLM_PROTOCOL', `${message} (${code})`, hint);
}

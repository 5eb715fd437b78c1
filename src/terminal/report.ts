/**
 * How a command ends badly: words on standard error, and an exit code.
 *
 *   dlm: what happened, and why
 *     what else is known, a line each
 *   hint: what to do next
 *
 * With --json the same is one object on standard error. The exit code is the
 * catalogue's, unless the command line decides otherwise (-E, a signal).
 */
import { DlmError, type ErrorCode } from '../core/index.js';

/** An error as a command reports it: with details, or with an exit code of its own. */
export class Failure extends Error {
  constructor(
    readonly error: DlmError,
    readonly more: {
      readonly exit?: number;
      /** Lines below the message. */
      readonly details?: readonly string[];
      /** The same for programs: added to the JSON object. */
      readonly facts?: Readonly<Record<string, unknown>>;
      /** The exit code says it all. */
      readonly isSilent?: boolean;
    },
  ) {
    super(error.message);
  }
}

/** Write it down, and say with which exit code to end. */
export function report(thrown: unknown, isJson: boolean): number {
  const { error, more } = thrown instanceof Failure ? thrown : { error: asDlmError(thrown), more: {} as Failure['more'] };
  const exit = more.exit ?? error.exitCode;
  if (isJson) {
    const { code, message, hint } = error;
    process.stderr.write(`${JSON.stringify({ error: { code, message, hint, exit, ...more.facts } })}\n`);
  } else if (more.isSilent !== true) {
    const details = (more.details ?? []).map((line) => `  ${line}\n`);
    process.stderr.write(`dlm: ${error.message}\n${details.join('')}hint: ${error.hint}\n`);
  }
  return exit;
}

export function isDlmError(thrown: unknown, ...codes: ErrorCode[]): thrown is DlmError {
  return thrown instanceof DlmError && (codes.length === 0 || codes.includes(thrown.code));
}

/** Whatever is no DlmError is a mistake of ours; the stack is for whoever mends it. */
function asDlmError(thrown: unknown): DlmError {
  if (thrown instanceof DlmError) return thrown;
  const words = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return new DlmError('DLM_INTERNAL', `something went wrong that should not: ${words}`);
}

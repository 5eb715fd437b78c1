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
import { endOf } from './own-end.js';

/** An error as a command reports it: with details, or with an exit code of its own. */
export class Failure extends Error {
  constructor(
    readonly error: DlmError,
    readonly more: {
      readonly exit?: number;
      /** What ended the work; the command ends of it, too (own-end.ts). */
      readonly signal?: NodeJS.Signals;
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
  const { exit, words } = isJson ? asJson(thrown) : inWords(thrown);
  if (words !== '') process.stderr.write(words);
  if (thrown instanceof Failure) endOf(thrown.more.signal ?? null);
  return exit;
}

function asJson(thrown: unknown): { exit: number; words: string } {
  const { error, more, exit } = failureOf(thrown);
  const { code, message, hint } = error;
  return { exit, words: `${JSON.stringify({ error: { code, message, hint, exit, ...more.facts } })}\n` };
}

/** The exit code, and the lines for people; none if the exit code says it all. */
export function inWords(thrown: unknown): { exit: number; words: string } {
  const { error, more, exit } = failureOf(thrown);
  if (more.isSilent === true) return { exit, words: '' };
  const details = (more.details ?? []).map((line) => `  ${line}\n`);
  return { exit, words: `dlm: ${error.message}\n${details.join('')}hint: ${error.hint}\n` };
}

function failureOf(thrown: unknown): { error: DlmError; more: Failure['more']; exit: number } {
  const { error, more } = thrown instanceof Failure ? thrown : { error: asDlmError(thrown), more: {} as Failure['more'] };
  return { error, more, exit: more.exit ?? error.exitCode };
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

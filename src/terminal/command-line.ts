/**
 * Where our own words end and somebody else's command begins.
 *
 * The first `--` ends our options. With the name before it, what follows is the
 * command; with no name before it, what follows is the name (which may then begin
 * with a dash), and the command comes after another `--`. The parser never sees
 * the command, for it would put repeated words in another order.
 */
import { DlmError } from '../core/index.js';

/** What is ours to parse, and what came after the first `--`, if there was one. */
export function splitAtDashes(argv: readonly string[]): { line: string[]; after: string[] | null } {
  const dashes = argv.indexOf('--');
  if (dashes < 0) return { line: [...argv], after: null };
  return { line: argv.slice(0, dashes), after: argv.slice(dashes + 1) };
}

/** The words of the name, if there is one, and of the command. Throws `DLM_USAGE`. */
export function nameAndCommand(
  name: string | undefined,
  hasHex: boolean,
  after: readonly string[] | null,
): { words: string[]; command: string[] } {
  const words = name === undefined ? [] : [name];
  if (after === null) return { words, command: [] };
  if (name !== undefined || hasHex) return { words, command: needCommand(after) };

  const [first, dashes, ...command] = after;
  if (first === undefined) return { words, command: [] };
  if (dashes === undefined) return { words: [first], command: [] };
  if (dashes === '--') return { words: [first], command: needCommand(command) };
  throw new DlmError(
    'DLM_USAGE',
    'no name was given before the --',
    'write: dlm lock NAME -- COMMAND; or, for a name with a dash in front: dlm lock -- NAME -- COMMAND',
  );
}

function needCommand(command: readonly string[]): string[] {
  if (command.length > 0) return [...command];
  throw new DlmError('DLM_USAGE', 'there is no command after the --', 'leave out the -- to take the lock and print its id');
}

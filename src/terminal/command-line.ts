/**
 * Where our own words end and somebody else's command begins.
 *
 * The first `--` ends our options. With names before it, what follows is the
 * command; with none before it, what follows are the names (which may then begin
 * with a dash), and the command comes after another `--`. The parser never sees
 * the command, for it would put repeated words in another order.
 */
import { DlmError, escapeText } from '../core/index.js';

/** What is ours to parse, and what came after the first `--`, if there was one. */
export function splitAtDashes(argv: readonly string[]): { line: string[]; after: string[] | null } {
  const dashes = argv.indexOf('--');
  if (dashes < 0) return { line: [...argv], after: null };
  return { line: argv.slice(0, dashes), after: argv.slice(dashes + 1) };
}

/** The words of the names, if there are any, and of the command. Throws `DLM_USAGE`. */
export function namesAndCommand(
  before: readonly string[],
  hasHex: boolean,
  after: readonly string[] | null,
): { names: string[]; command: string[] } {
  const option = before.find((word) => word.startsWith('-'));
  if (option !== undefined) throw new DlmError('DLM_USAGE', `there is no option ${escapeText(option)}`, 'see: dlm lock --help');
  const count = before.length + (hasHex ? 1 : 0);
  if (after === null) return { names: needOne([...before], count), command: [] };
  if (count > 0) return { names: [...before], command: needCommand(after) };

  const dashes = after.indexOf('--');
  if (dashes > 0) return { names: after.slice(0, dashes), command: needCommand(after.slice(dashes + 1)) };
  if (after.length <= 1) return { names: [...after], command: [] };
  throw new DlmError(
    'DLM_USAGE',
    'no name was given before the --',
    'write: dlm lock NAME -- COMMAND; or, for a name with a dash in front: dlm lock -- NAME -- COMMAND',
  );
}

/** Without a command there is one lock; a second word is, as a rule, a command that lacks its dashes. */
function needOne(names: string[], count: number): string[] {
  if (count <= 1) return names;
  const extra = names.slice(names.length - count + 1).map((word) => `'${escapeText(word)}'`);
  throw new DlmError(
    'DLM_USAGE',
    `${extra.join(' ')} ${extra.length === 1 ? 'was' : 'were'} not expected here`,
    'put -- before the command: dlm lock NAME -- COMMAND',
  );
}

function needCommand(command: readonly string[]): string[] {
  if (command.length > 0) return [...command];
  throw new DlmError('DLM_USAGE', 'there is no command after the --', 'leave out the -- to take the lock and print its id');
}

/**
 * Where our own words end and somebody else's command begins.
 *
 * The first `--` ends our options. With names before it, what follows is the
 * command; with none before it, what follows are the names (which may then begin
 * with a dash), and the command comes after another `--`. The parser never sees
 * the command. Instead of one, -c gives a line for the shell, as flock(1) has it.
 */
import { DlmError, escapeText } from '../core/index.js';

/** What a parser has found in the line, in its order. */
type Tokens = readonly { readonly type: string; readonly input: string }[];

/**
 * The words that are no options, as they were typed. The parser's own list is sorted
 * by where a word first occurs, be it as an option's value: `-m PR x PR` would
 * become PR and x.
 */
export function wordsOf(raw: Tokens): string[] {
  return raw.filter(({ type }) => type === 'arg').map(({ input }) => input);
}

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
  shellLine?: string,
): { names: string[]; command: string[] } {
  const option = before.find((word) => word.startsWith('-'));
  if (option !== undefined) throw new DlmError('DLM_USAGE', `there is no option ${escapeText(option)}`, 'see: dlm lock --help');
  const count = before.length + (hasHex ? 1 : 0);
  if (shellLine !== undefined) return { names: namesForShell(before, count, after), command: ['sh', '-c', shellLine] };
  if (after === null) return { names: needOne([...before], count), command: [] };
  if (count > 0) return { names: [...before], command: needCommand(after) };

  const dashes = after.indexOf('--');
  if (dashes > 0) return { names: after.slice(0, dashes), command: needCommand(after.slice(dashes + 1)) };
  if (dashes < 0 && after.length <= 1) return { names: [...after], command: [] };
  throw new DlmError(
    'DLM_USAGE',
    'no name was given before the --',
    'write: dlm lock NAME -- COMMAND; or, for a name with a dash in front: dlm lock -- NAME -- COMMAND',
  );
}

/** With -c there is one name too: `lock x bash -c true` is a command that lacks its dashes. */
function namesForShell(before: readonly string[], count: number, after: readonly string[] | null): string[] {
  if (after === null) return needOne([...before], count);
  if (after.includes('--') || (count > 0 && after.length > 0)) {
    throw new DlmError('DLM_USAGE', 'there are two commands: one with -c and one after the --', 'leave out one of them');
  }
  return count > 0 ? needCommand(after) : needOne([...after], after.length);
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

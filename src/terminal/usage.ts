/**
 * What the parser of the command line complains of, in our words and with our
 * exit code.
 */
import { stripVTControlCharacters } from 'node:util';
import * as Errors from '@oclif/core/errors';
import { DlmError, escapeText } from '../core/index.js';

/** The error behind an error: ours, or the parser's as `DLM_USAGE`, or as it was. */
export function inOurWords(thrown: unknown, command: string): unknown {
  if (thrown instanceof DlmError) return withoutParser(thrown);
  if (!(thrown instanceof Errors.CLIError)) return thrown;
  const isCommandWithoutDashes = command === 'lock' && thrown.constructor.name === 'UnexpectedArgsError';
  const hint = isCommandWithoutDashes ? 'put -- before the command: dlm lock NAME -- COMMAND' : `see: dlm ${command.replaceAll(':', ' ')} --help`;
  return new DlmError('DLM_USAGE', complaint(thrown), hint);
}

/** The parser puts words round the message of an error that comes from one option's value. */
function withoutParser(error: DlmError): DlmError {
  const match = /^Parsing (--\S+) \n\t([^]*)\nSee more help with --help$/.exec(error.message);
  return match === null ? error : new DlmError(error.code, `${match[1]}: ${match[2]}`, error.hint);
}

interface Complaint extends Error {
  /** What is missing, or what is too much. */
  readonly args?: readonly (string | { readonly name: string })[];
  readonly flags?: readonly string[];
}

function complaint(error: Complaint): string {
  const words = (error.args ?? []).map((arg) => (typeof arg === 'string' ? `'${escapeText(arg)}'` : arg.name.toUpperCase()));
  switch (error.constructor.name) {
    case 'RequiredArgsError':
      return `${words.join(' and ')} ${words.length === 1 ? 'is' : 'are'} missing`;
    case 'UnexpectedArgsError':
      return `${words.join(' ')} ${words.length === 1 ? 'was' : 'were'} not expected here`;
    case 'NonExistentFlagsError':
      return `there is no option ${(error.flags ?? []).map(escapeText).join(' ')}`;
    default:
      return plain(error.message);
  }
}

/** One line, without the parser's ornaments. */
function plain(message: string): string {
  return stripVTControlCharacters(message)
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Parsing (--\S+)\s*/, '$1: ')
    .replace(/^Missing required flag (\S+)$/, '--$1 is missing')
    .replace(/--(\S+?)=\S* cannot also be provided when using --(\S+)/g, '--$1 and --$2 exclude each other')
    .replace(/^All of the following must be provided when using (--\S+): (.+)$/gm, '$1 goes with $2')
    .split(/\s*\n\s*/)
    .map((line) => escapeText(line))
    .join('; ');
}

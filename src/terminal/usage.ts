/**
 * What the parser of the command line complains of, in our words and with our
 * exit code.
 */
import { stripVTControlCharacters } from 'node:util';
import * as Errors from '@oclif/core/errors';
import { DlmError, escapeText } from '../core/index.js';
import { wordsOf } from './command-line.js';

/** The error behind an error: ours, or the parser's as `DLM_USAGE`, or as it was. */
export function inOurWords(thrown: unknown, command: string): unknown {
  if (thrown instanceof DlmError) return withoutParser(thrown);
  if (!(thrown instanceof Errors.CLIError)) return thrown;
  return new DlmError('DLM_USAGE', complaint(thrown), hintFor(thrown, command));
}

/** Options of flock(1) that mean nothing here, and what does it instead. */
const unlocking = 'a lock with a command ends with that; another is given back with: dlm unlock --name NAME';
const closing = 'leave it out: what the command leaves running in the background never keeps the lock';
const staying = 'leave it out: dlm stays beside the command, to give the lock back when that is gone';
const flockHints: Readonly<Record<string, string>> = {
  '-u': unlocking,
  '--unlock': unlocking,
  '-o': closing,
  '--close': closing,
  '-F': staying,
  '--no-fork': staying,
};

/** Where the line was meant for somebody else's options, they lack the dashes before them. */
function hintFor(error: Complaint, command: string): string {
  const help = `see: dlm ${command.replaceAll(':', ' ')} --help`;
  if (command !== 'lock') return help;
  if (error.constructor.name === 'UnexpectedArgsError') return 'put -- before the command: dlm lock NAME -- COMMAND';
  const letters = (error.flags ?? []).flatMap((flag) => (flag.startsWith('--') ? [flag] : [...flag.slice(1)].map((letter) => `-${letter}`)));
  const isOfFlock = letters.find((flag) => Object.hasOwn(flockHints, flag));
  if (isOfFlock !== undefined) return flockHints[isOfFlock]!;
  const mayBeOfCommand = error.flags !== undefined || lacksValue.test(error.message);
  return mayBeOfCommand ? `${help}; the options of a command come after the --` : help;
}

const lacksValue = /^Flag (--\S+) expects a value$/;

/** Is there a switch that is given a value? The parser would take that for a word of the line. Throws `DLM_USAGE`. */
export function refuseSwitchValues(line: readonly string[], flags: Readonly<Record<string, Option>>, command: string): void {
  for (const [place, word] of line.entries()) {
    if (word === '--') return;
    const name = /^--([^=]+)=/.exec(word)?.[1] ?? '';
    if (!hasName(flags, name, 'boolean')) continue;
    const before = line[place - 1] ?? '';
    if (before.startsWith('--') && hasName(flags, before.slice(2), 'option')) continue;
    throw new DlmError('DLM_USAGE', `--${name} takes no value`, `write --${name} alone; see: dlm ${command.replaceAll(':', ' ')} --help`);
  }
}

interface Option {
  readonly type?: string;
  readonly aliases?: readonly string[];
}

function hasName(flags: Readonly<Record<string, Option>>, name: string, type: string): boolean {
  return Object.entries(flags).some(([own, flag]) => flag.type === type && (own === name || flag.aliases?.includes(name) === true));
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
  readonly parse?: { readonly input: { readonly args: object }; readonly output: { readonly raw: Parameters<typeof wordsOf>[0] } };
}

function complaint(error: Complaint): string {
  const words = (tooMuch(error) ?? error.args ?? []).map((arg) => (typeof arg === 'string' ? `'${escapeText(arg)}'` : arg.name.toUpperCase()));
  switch (error.constructor.name) {
    case 'RequiredArgsError':
      return `${words.join(' and ')} ${words.length === 1 ? 'is' : 'are'} missing`;
    case 'UnexpectedArgsError':
      return `${words.join(' ')} ${words.length === 1 ? 'was' : 'were'} not expected here`;
    case 'NonExistentFlagsError':
      return `there ${error.flags?.length === 1 ? 'is no option' : 'are no options'} ${(error.flags ?? []).map(escapeText).join(' ')}`;
    default:
      return plain(error.message);
  }
}

/** The words that have no place, by their order in the line; the parser counts them in another. */
function tooMuch({ constructor, parse }: Complaint): string[] | null {
  if (constructor.name !== 'UnexpectedArgsError' || parse === undefined) return null;
  return wordsOf(parse.output.raw).slice(Object.keys(parse.input.args).length);
}

/** One line, without the parser's ornaments. */
function plain(message: string): string {
  return stripVTControlCharacters(message)
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Parsing (--\S+)\s*/, '$1: ')
    .replace(lacksValue, '$1 needs a value, and none follows it')
    .replace(/^Flag (--\S+) can only be specified once$/, '$1 is given twice')
    .replace(/^[ \t]*Missing required flag (\S+)$/gm, '--$1 is missing')
    .replace(/--(\S+?)=\S* cannot also be provided when using --(\S+)/g, '--$1 and --$2 exclude each other')
    .replace(/^[ \t]*All of the following must be provided when using (--\S+): (.+)$/gm, '$1 goes with $2')
    .split(/\s*\n\s*/)
    .map((line) => escapeText(line))
    .join('; ');
}

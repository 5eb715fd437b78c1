/**
 * The words that follow dlm_lock and its sisters in a shell: which options each of
 * them takes, and what is wrong with a line.
 *
 * Letters mean what they mean to the commands (flags.ts). Lines are read in the
 * node, thousands a second, so the parser is Node's own small one.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { DlmError, escapeText, modeNamed } from '../core/index.js';
import { parseDuration } from './durations.js';
import { lockspaceName } from './names.js';
import type { Patience } from './patience.js';

const text = { type: 'string' } as const;
const truth = { type: 'boolean' } as const;

const everywhere = { lockspace: { ...text, short: 'l' }, quiet: { ...truth, short: 'q' }, help: { ...truth, short: 'h' } } as const;
const waiting = { nonblock: { ...truth, short: 'n' }, wait: { ...text, short: 'w' }, timeout: text } as const;
const value = { value: text, 'value-hex': text } as const;
const flag = { flag: { ...text, multiple: true } } as const;
const name = { 'name-hex': text } as const;
const mode = { mode: { ...text, short: 'm' } } as const;

export const linesOf = {
  dlm_lock: {
    usage: 'dlm_lock NAME [MODE] [-n | -w TIME]',
    about: 'takes a lock that ends with this shell; sets DLM_LKID, DLM_MODE and DLM_TOKEN',
    options: { ...everywhere, ...waiting, ...mode, ...flag, ...name, shared: { ...truth, short: 's' }, exclusive: { ...truth, short: 'x' }, persistent: truth },
  },
  dlm_convert: {
    usage: 'dlm_convert LKID|NAME MODE [-n | -w TIME] [--value TEXT | --value-hex HEX]',
    about: 'converts a lock, by its id or by the name it was taken on; sets DLM_LKID, DLM_MODE and DLM_TOKEN',
    options: { ...everywhere, ...waiting, ...mode, ...flag, ...name, ...value },
  },
  dlm_unlock: {
    usage: 'dlm_unlock LKID|NAME [--value TEXT | --value-hex HEX | --invalidate]',
    about: 'gives a lock back, by its id or by the name it was taken on',
    options: { ...everywhere, ...flag, ...name, ...value, invalidate: truth, force: truth },
  },
  'dlm_lvb get': {
    usage: 'dlm_lvb get NAME [--hex] [--allow-invalid]',
    about: 'prints the value of a resource',
    options: { ...everywhere, ...name, hex: truth, 'allow-invalid': truth },
  },
  'dlm_lvb set': {
    usage: 'dlm_lvb set NAME VALUE | --value-hex HEX [-n | -w TIME]',
    about: 'writes the value of a resource, under the lock this shell has on it, or under one of its own',
    options: { ...everywhere, ...waiting, ...name, 'value-hex': text },
  },
  'dlm_lvb incr': {
    usage: 'dlm_lvb incr NAME [--by=N] [--allow-invalid] [-n | -w TIME]',
    about: 'adds to the number that is the value of a resource, and prints the new one',
    options: { ...everywhere, ...waiting, ...name, by: text, 'allow-invalid': truth },
  },
  'dlm_lvb cas': {
    usage: 'dlm_lvb cas NAME EXPECTED NEW [-n | -w TIME], or: dlm_lvb cas NAME --absent NEW',
    about: 'exchanges the value of a resource if it is the one expected; if not, prints it and fails',
    options: { ...everywhere, ...waiting, ...name, absent: truth, hex: truth, 'allow-invalid': truth },
  },
  'dlm_lvb drop': {
    usage: 'dlm_lvb drop NAME',
    about: 'stops keeping the value of a resource',
    options: { ...everywhere, ...name },
  },
} as const satisfies Record<string, { usage: string; about: string; options: NonNullable<ParseArgsConfig['options']> }>;

export type LineName = keyof typeof linesOf;

export interface Line {
  readonly name: LineName;
  readonly words: readonly string[];
  /** What an option says; undefined if it was not given. */
  text(option: string): string | undefined;
  has(option: string): boolean;
  all(option: string): readonly string[];
}

/** Which function is meant by the verb of a call, and by the word after it? Throws `DLM_USAGE`. */
export function parseLine(verb: string, given: readonly string[]): Line {
  const [first, ...rest] = given;
  if (verb !== 'lvb') return parseAs(`dlm_${verb}` as LineName, given);
  const named = `dlm_lvb ${first ?? ''}`;
  if (Object.hasOwn(linesOf, named)) return parseAs(named as LineName, rest);
  const problem = first === undefined ? 'one of get, set, incr, cas and drop is missing' : `there is no 'dlm_lvb ${escapeText(first)}'`;
  throw new DlmError('DLM_USAGE', problem, 'write: dlm_lvb get NAME, set NAME VALUE, incr NAME, cas NAME EXPECTED NEW, or drop NAME');
}

function parseAs(name: LineName, args: readonly string[]): Line {
  // Most lines have no options, and then there is nothing to parse.
  const { values, positionals } = args.some((arg) => arg.startsWith('-')) ? attempt(name, args) : { values: {}, positionals: args };
  const told = values as Readonly<Record<string, string | boolean | string[] | undefined>>;
  return {
    name,
    words: positionals,
    text: (option) => told[option] as string | undefined,
    has: (option) => told[option] === true,
    all: (option) => (told[option] as string[] | undefined) ?? [],
  };
}

function attempt(name: LineName, args: readonly string[]): { values: object; positionals: string[] } {
  const options: NonNullable<ParseArgsConfig['options']> = linesOf[name].options;
  const parsed = parsedOrNot(name, () => parseArgs({ args: [...args], options, allowPositionals: true, tokens: true }));
  if (name === 'dlm_lock') refuseCommand(parsed.tokens);
  return parsed;
}

function parsedOrNot<Parsed>(name: LineName, parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\.(?:\s|$)/);
    throw misused(name, escapeText(sentence.charAt(0).toLowerCase() + sentence.slice(1)));
  }
}

/** Behind a name and the dashes stands a command, which is for `dlm lock`; unless it is a mode. */
function refuseCommand(tokens: readonly { kind: string; value?: string | boolean | undefined }[]): void {
  const dashes = tokens.findIndex(({ kind }) => kind === 'option-terminator');
  const behind = tokens.slice(dashes + 1);
  if (dashes < 0 || behind.length === 0 || !tokens.slice(0, dashes).some(({ kind }) => kind === 'positional')) return;
  if (behind.length === 1 && modeNamed(String(behind[0]!.value)) !== null) return;
  throw new DlmError('DLM_USAGE', 'dlm_lock runs no command', 'use: dlm lock NAME -- COMMAND');
}

export function misused(name: LineName, problem: string): DlmError {
  return new DlmError('DLM_USAGE', `${name.split(' ')[0]}: ${problem}`, `write: ${linesOf[name].usage}`);
}

/** What a call asks for that wants the help of its function; null if it does not. */
export function helpOf(verb: string, [first, ...rest]: readonly string[]): string | null {
  if (verb !== 'lvb' || rest.length > 0 || (first !== '--help' && first !== '-h')) return null;
  const names = (Object.keys(linesOf) as LineName[]).filter((name) => name.startsWith('dlm_lvb '));
  return [...names.map((name, place) => `${place === 0 ? 'usage:' : '      '} ${linesOf[name].usage}`), 'the value of a resource; see docs/shell.md', ''].join('\n');
}

export function helpFor(name: LineName): string {
  const { usage, about } = linesOf[name];
  return `usage: ${usage}\n${about}; see docs/shell.md\n`;
}

/** How patient the line is. Throws `DLM_USAGE`. */
export function patienceOf(line: Line): Patience {
  const typed = line.text('wait') ?? line.text('timeout');
  if (typed !== undefined && line.has('nonblock')) throw misused(line.name, '-n and -w exclude each other');
  return { nonblock: line.has('nonblock'), wait: typed === undefined ? undefined : parseDuration(typed) };
}

/** The lockspace that the line names. Throws `DLM_NAME_INVALID`. */
export function lockspaceOf(line: Line, usual: string): string {
  const typed = line.text('lockspace');
  return typed === undefined ? usual : lockspaceName(typed);
}

/**
 * What a shell and its node say to each other: a line each way, made for the
 * `printf` and the `read` of a shell.
 *
 *   ASKER SERIAL HEARD VERB WORD…         a tab before each and after the last; \\, \t and \n are escaped
 *   @SERIAL EXIT LINES ID MODE TOKEN      blanks between, and filled up with blanks to a fixed length
 *
 * ASKER is the process that asks, the shell or a subshell of it; SERIAL numbers its
 * calls, and HEARD is the last one whose answer it has read to the end. A call
 * that was not heard was interrupted: it is taken back before the next one.
 *
 * EXIT is 0 or a number of the catalogue of errors, or + for a word in between: the
 * call waits. LINES lines of text follow, for standard error unless EXIT is 0.
 * What is not there is -. The first line of an answer has a fixed length because
 * a shell reads a line of unknown length byte by byte, each with a system call.
 *
 * Some verbs are the connection's own: `hello` binds it to the shell, `join` opens a
 * way back to a subshell, `cancel` takes the call of that number back. All others
 * are for the speaker (`ShellSpeaker`), which knows the words of people.
 */
import type { NodeClient } from './node-client.js';

/** The longest line of a shell. A pipe keeps lines of this length whole, whoever else writes into it. */
export const shellLineMax = 4_096;

export interface ShellRequest {
  readonly asker: number;
  readonly serial: number;
  readonly heard: number;
  readonly verb: string;
  readonly words: readonly string[];
}

/** One call of a function in a shell. */
export interface ShellCall {
  readonly verb: string;
  readonly words: readonly string[];
  /** The process that waits for the answer. */
  readonly asker: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Say something on standard error while the call goes on: whole lines. */
  note(text: string): void;
}

export interface ShellAnswer {
  /** 0, or an exit code of the catalogue of errors. */
  readonly exit: number;
  /** The lock it was about. */
  readonly lock?: { readonly id: string; readonly mode: string; readonly token: string };
  /** Whole lines, for standard output if `exit` is 0, otherwise for standard error. */
  readonly text?: string;
  /** Make it as if the call had not been, because its answer was not heard. */
  readonly undo?: () => Promise<void>;
}

/** Carries out what the functions of one shell ask for. It always answers, also with errors. */
export type ShellSpeaker = (call: ShellCall) => Promise<ShellAnswer>;

/** A shell that is to be spoken with. */
export interface ShellParty {
  /** What it owns its locks through. */
  readonly client: NodeClient;
  /** Its process. */
  readonly pid: number;
  /** Where its locks are, unless it says otherwise. */
  readonly lockspace: string;
}

export type SpeakerMaker = (shell: ShellParty) => ShellSpeaker;

/** Read one line; null if it makes no sense. */
export function parseShellLine(line: Buffer): ShellRequest | null {
  const [, asker, serial, heard, verb, ...words] = line.toString('utf8').split('\t');
  const numbers = [asker, serial, heard].map((word) => (/^\d{1,10}$/.test(word ?? '') ? Number(word) : -1));
  if (verb === undefined || numbers.includes(-1)) return null;
  return { asker: numbers[0]!, serial: numbers[1]!, heard: numbers[2]!, verb, words: words.slice(0, -1).map(unescape) };
}

const plainOf: Readonly<Record<string, string>> = { '\\\\': '\\', '\\t': '\t', '\\n': '\n' };

function unescape(word: string): string {
  return word.includes('\\') ? word.replace(/\\[\\tn]/g, (pair) => plainOf[pair]!) : word;
}

/** The length of the first line of an answer, with its newline. A lock id has at most 95 characters. */
const headLength = 160;

export function formatAnswer(serial: number, { exit, lock, text = '' }: ShellAnswer): string {
  return format(serial, String(exit), lock === undefined ? '- - -' : `${lock.id} ${lock.mode} ${lock.token}`, text);
}

/** A word in between; without text it says only that the call waits. */
export function formatNote(serial: number, text = ''): string {
  return format(serial, '+', '- - -', text);
}

function format(serial: number, exit: string, what: string, text: string): string {
  const lines = text === '' ? 0 : text.split('\n').length - 1;
  return `${`@${serial} ${exit} ${lines} ${what}`.padEnd(headLength - 1)}\n${text}`;
}

/**
 * The scenario language: what the operators of the recording typed.
 *
 * One `scenario NAME` after another, each with one operation a line. The format
 * is described in test/conformance/recordings/README.md.
 */
import { flagNamed } from '../../lock/flags.js';
import { bytesOfHex } from './show.js';

/** One process of one node: `[nN][pP]`; both default to 1. */
export interface Party {
  readonly node: number;
  readonly process: number;
}

/** A lock's name in a scenario: `[nN][pP]:NAME`. */
export interface Label extends Party {
  /** As written, which is also how recordings show it. */
  readonly text: string;
}

export interface Step {
  /** The line as recorded: without comment, and without surrounding space. */
  readonly line: string;
  /** `!`: the next operation follows before anything was delivered. */
  readonly inHaste: boolean;
  readonly verb: string;
  /** The words that are no `key=value`. */
  readonly words: readonly string[];
  readonly settings: ReadonlyMap<string, string>;
}

export interface Scenario {
  readonly name: string;
  readonly nodes: number;
  /** Is there no directory? */
  readonly nodir: boolean;
  readonly steps: readonly Step[];
}

/** Read a scenario file. Throws on a line before the first scenario. */
export function parseScenarios(text: string): Scenario[] {
  const scenarios: (Scenario & { nodes: number; nodir: boolean; steps: Step[] })[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/(^|\s)#.*/, '').trim();
    if (line === '') continue;
    const [word, ...rest] = line.split(/\s+/);
    const current = scenarios.at(-1);

    if (word === 'scenario') scenarios.push({ name: rest.join(' '), nodes: 1, nodir: false, steps: [] });
    else if (current === undefined) throw new SyntaxError(`line ${index + 1}: expected 'scenario NAME', got '${line}'`);
    else if (word === 'nodes') current.nodes = Number(rest[0]);
    else if (word === 'nodir') current.nodir = true;
    else current.steps.push(parseStep(line));
  }
  return scenarios;
}

function parseStep(line: string): Step {
  const inHaste = line.startsWith('!');
  const [verb = '', ...rest] = line.replace(/^!\s*/, '').split(/\s+/);
  const settings = new Map<string, string>();
  const words: string[] = [];
  for (const word of rest) {
    const equals = word.indexOf('=');
    if (equals < 0) words.push(word);
    else settings.set(word.slice(0, equals), word.slice(equals + 1));
  }
  return { line, inHaste, verb, words, settings };
}

export function parseLabel(text: string): Label {
  const match = /^(?:n(\d+))?(?:p(\d+))?:/.exec(text);
  return { text, node: Number(match?.[1] ?? 1), process: Number(match?.[2] ?? 1) };
}

/** The flags a call asks for, by name or by number. */
export function flagsOf(step: Step): number {
  const names = (step.settings.get('flags') ?? '').split(',').filter((name) => name !== '');
  return names.reduce((flags, name) => flags | (flagNamed(name) ?? Number(name)), 0);
}

/** The name of the resource a lock call asks for, one character a byte. */
export function nameOf(step: Step): string {
  const { settings } = step;
  const repeat = settings.get('resrep');
  const hex = settings.get('reshex');
  let name = settings.get('res') ?? '';
  if (repeat !== undefined) name = 'x'.repeat(Number(repeat));
  if (hex !== undefined) name = String.fromCharCode(...bytesOfHex(hex));
  const length = Number(settings.get('namelen') ?? name.length);
  return name.slice(0, length).padEnd(length, '\0');
}

/** The lock a call speaks of: a label, or the number given as its id. */
export function targetOf(step: Step): string | number {
  const given = step.settings.get('lkid');
  if (given === undefined) return step.words[0] ?? '';
  return given.startsWith('@') ? given.slice(1) : Number(given);
}

/** The process that `exit n2p2`, `close p2` or `purge p2` speaks of. */
export function parseParty(word = ''): Party {
  return { node: Number(/n(\d+)/.exec(word)?.[1] ?? 1), process: Number(/p(\d+)$/.exec(word)?.[1] ?? 1) };
}

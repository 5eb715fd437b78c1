/**
 * Reads a line of words as oclif would, if it is plain what the line says.
 *
 * The options and arguments are the commands' own, defined once for both parsers.
 * Whatever is not plain (an unknown option, a value that looks like an option, a
 * rule that is broken, a definition with something in it that is unknown here) is
 * `Unsure`: nothing is reported, because oclif is asked again and says it properly.
 * Nothing has been done by then, so that to ask again is safe.
 */

/** The line, or the definition, is not for this parser. */
export class Unsure extends Error {}

/** An option, as the commands define it. */
export interface FlagRow {
  readonly type: 'boolean' | 'option';
  readonly char?: string;
  readonly aliases?: readonly string[];
  readonly charAliases?: readonly string[];
  readonly parse?: Parse;
  readonly multiple?: boolean;
  readonly multipleNonGreedy?: boolean;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly options?: readonly string[];
  readonly exclusive?: readonly string[];
  readonly dependsOn?: readonly string[];
}

/** An argument that has its place in the line. */
export interface ArgRow {
  readonly parse?: Parse;
  readonly required?: boolean;
  readonly ignoreStdin?: boolean;
}

type Parse = (input: never, context: never, row: never) => unknown;
type Rows<Row> = Readonly<Record<string, Row>>;

export interface Parsed {
  readonly args: Record<string, unknown>;
  readonly flags: Record<string, unknown>;
  /** The words that are no options, in the order of the line; the library has all it has read in here. */
  readonly raw: readonly { readonly type: 'arg'; readonly input: string }[];
}

/** What has no bearing on what a line means. */
const wordsForPeople = ['summary', 'description', 'helpGroup', 'helpLabel', 'helpValue', 'hidden', 'name', 'input'];
const knownOfFlags = [
  ...wordsForPeople, 'type', 'char', 'aliases', 'charAliases', 'parse', 'multiple', 'multipleNonGreedy', 'required', 'default',
  'options', 'exclusive', 'dependsOn',
];
const knownOfArgs = [...wordsForPeople, 'type', 'parse', 'required', 'ignoreStdin'];

/** What may be on the line. */
export interface Grammar {
  readonly args: Readonly<Record<string, ArgRow>>;
  readonly flags: Readonly<Record<string, FlagRow>>;
  /** May there be no more words than arguments? */
  readonly isStrict: boolean;
}

/** What the line says. Rejects, with `Unsure` or what a `parse` throws, if that is not plain. */
export async function parseLine({ args, flags, isStrict }: Grammar, line: readonly string[]): Promise<Parsed> {
  for (const row of Object.values(args)) needKnown(row, knownOfArgs, row.ignoreStdin === true);
  for (const row of Object.values(flags)) {
    needKnown(row, knownOfFlags, typeof row.default !== 'function' && (row.multiple !== true || row.multipleNonGreedy === true));
  }
  const { words, given } = sort(flags, line);
  const flagValues = await valuesOfFlags(flags, given);
  needRules(flags, flagValues, given);
  const argValues = await valuesOfArgs(args, words);
  if (isStrict && words.length > Object.keys(args).length) throw new Unsure();
  return { args: argValues, flags: flagValues, raw: words.map((input) => ({ type: 'arg', input })) };
}

function needKnown(row: object, known: readonly string[], isPlain: boolean): void {
  const strange = Object.entries(row).some(([key, value]) => value !== undefined && value !== false && !known.includes(key));
  if (strange || !isPlain) throw new Unsure();
}

/** The words without a dash, and what was given for each option: its values, or for a boolean `true`. */
interface Sorted {
  readonly words: string[];
  readonly given: Map<string, (string | true)[]>;
}

function sort(flags: Rows<FlagRow>, line: readonly string[]): Sorted {
  const sorted: Sorted = { words: [], given: new Map() };
  const rest = [...line];
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === '--') sorted.words.push(...rest.splice(0));
    else if (word === '-' || !word.startsWith('-')) sorted.words.push(word);
    else if (word.startsWith('--')) takeLong(flags, word, rest, sorted.given);
    else takeShort(flags, word, rest, sorted.given);
  }
  return sorted;
}

/** `--option`, `--option VALUE` or `--option=VALUE`. */
function takeLong(flags: Rows<FlagRow>, word: string, rest: string[], given: Sorted['given']): void {
  const equals = word.indexOf('=');
  const typed = word.slice(2, equals < 0 ? undefined : equals);
  const name = Object.hasOwn(flags, typed) ? typed : nameWhere(flags, (row) => row.aliases?.includes(typed) === true);
  if (flags[name]!.type === 'option') add(flags, given, name, needValue(equals < 0 ? rest.shift() : word.slice(equals + 1)));
  else if (equals < 0) add(flags, given, name, true);
  else throw new Unsure();
}

/** `-o`, `-o VALUE`, `-oVALUE`, `-o=VALUE`, and booleans in a row: `-abo VALUE`. */
function takeShort(flags: Rows<FlagRow>, word: string, rest: string[], given: Sorted['given']): void {
  const name = nameWhere(flags, (row) => row.char === word[1] || row.charAliases?.includes(word[1]!) === true);
  const behind = word.slice(2);
  if (flags[name]!.type === 'option') {
    add(flags, given, name, needValue(behind === '' ? rest.shift() : behind.replace(/^=/, '')));
    return;
  }
  add(flags, given, name, true);
  if (behind === '') return;
  if (/^[-=]/.test(behind)) throw new Unsure();
  rest.unshift(`-${behind}`);
}

function nameWhere(flags: Rows<FlagRow>, isIt: (row: FlagRow) => boolean): string {
  const found = Object.keys(flags).find((name) => isIt(flags[name]!));
  if (found === undefined) throw new Unsure();
  return found;
}

/** A word with a dash in front may be meant as an option. */
function needValue(value: string | undefined): string {
  if (value === undefined || (value.startsWith('-') && value !== '-')) throw new Unsure();
  return value;
}

function add(flags: Rows<FlagRow>, given: Sorted['given'], name: string, value: string | true): void {
  const values = given.get(name) ?? [];
  const { type, multiple } = flags[name]!;
  if (values.length > 0 && type === 'option' && multiple !== true) throw new Unsure();
  given.set(name, [...values, value]);
}

async function valuesOfFlags(flags: Rows<FlagRow>, given: Sorted['given']): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(flags)) {
    const inputs = given.get(name);
    if (inputs === undefined) {
      if (row.default !== undefined) found[name] = row.default;
      continue;
    }
    const values = [];
    for (const input of row.multiple === true ? inputs : inputs.slice(-1)) {
      if (row.options !== undefined && !row.options.includes(input as string)) throw new Unsure();
      values.push(await meaningOf(input, row));
    }
    const value = row.multiple === true ? values : values[0];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

async function meaningOf(input: string | true, row: FlagRow | ArgRow): Promise<unknown> {
  return row.parse === undefined ? input : await row.parse(input as never, {} as never, row as never);
}

/** Required options, options that need others, options that exclude each other. */
function needRules(flags: Rows<FlagRow>, values: Readonly<Record<string, unknown>>, given: Sorted['given']): void {
  const isThere = (name: string): boolean => values[name] !== undefined;
  for (const [name, { required, dependsOn, exclusive }] of Object.entries(flags)) {
    if (!isThere(name)) {
      if (required === true) throw new Unsure();
      continue;
    }
    const isAlone = !given.has(name) || (exclusive ?? []).every((other) => !isThere(other) || !given.has(other));
    if (!isAlone || !(dependsOn ?? []).every(isThere)) throw new Unsure();
  }
}

async function valuesOfArgs(args: Rows<ArgRow>, words: readonly string[]): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [place, [name, row]] of Object.entries(args).entries()) {
    const word = words[place];
    if (word !== undefined) found[name] = await meaningOf(word, row);
    else if (row.required === true) throw new Unsure();
  }
  return found;
}

/**
 * How a story is written: blocks of commands, each followed by what it prints.
 *
 *   # A comment: what goes wrong in the field, and what is right.
 *   cluster 3 disk0@3
 *   ----
 *   view 1: 1 2 3
 *   recovery of view 1 done, generation 1
 *
 *   lock 2 disk0 PR
 *   …
 *
 * The output ends with an empty line. It is not read, only compared, and can be
 * written anew. What the commands mean is in the files beside this one.
 */

export interface Command {
  /** Where it stands in the file. */
  readonly line: number;
  readonly text: string;
  readonly verb: string;
  /** The words that are no `key=value`. */
  readonly words: readonly string[];
  readonly settings: ReadonlyMap<string, string>;
}

export interface Block {
  /** Comments and commands, as they stand there. */
  readonly source: readonly string[];
  readonly commands: readonly Command[];
  readonly expected: readonly string[];
}

const mark = '----';

export function parseScript(text: string): Block[] {
  const blocks: Block[] = [];
  let source: string[] = [];
  let commands: Command[] = [];
  let expected: string[] | null = null;
  const close = (): void => {
    if (expected === null && commands.length > 0) throw new SyntaxError(`line ${commands.at(-1)!.line}: there is no '${mark}' after '${commands.at(-1)!.text}'`);
    if (source.length > 0 || expected !== null) blocks.push({ source, commands, expected: expected ?? [] });
    source = [];
    commands = [];
    expected = null;
  };
  for (const [index, line] of text.split('\n').entries()) {
    if (expected !== null && line === '') close();
    else if (expected !== null) (expected as string[]).push(line);
    else if (line === mark) expected = [];
    else if (line.trim() !== '') {
      source.push(line);
      if (!line.startsWith('#')) commands.push(parseCommand(line, index + 1));
    } else if (source.length > 0) source.push(line);
  }
  close();
  return blocks;
}

/** The whole file again, with this output. */
export function writeScript(blocks: readonly Block[], outputs: readonly (readonly string[])[]): string {
  const parts = blocks.map(({ source, commands }, index) => [...source, ...(commands.length > 0 ? [mark, ...outputs[index]!] : [])].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function parseCommand(text: string, line: number): Command {
  const [verb = '', ...rest] = text.trim().split(/\s+/);
  const words: string[] = [];
  const settings = new Map<string, string>();
  for (const word of rest) {
    const equals = word.indexOf('=');
    if (equals > 0) settings.set(word.slice(0, equals), word.slice(equals + 1));
    else words.push(word);
  }
  return { line, text: text.trim(), verb, words, settings };
}

/** The number that stands there. */
export function numberAt(command: Command, place: number): number {
  const number = Number(command.words[place]);
  if (!Number.isInteger(number)) throw new SyntaxError(`'${command.text}': word ${place + 2} must be a number`);
  return number;
}

export function wordAt(command: Command, place: number): string {
  const word = command.words[place];
  if (word === undefined) throw new SyntaxError(`'${command.text}' is not complete`);
  return word;
}

/**
 * The whole interface of the command line, on one page: a change of it shows up as
 * a difference in interface.txt, and is for the reviewer to want. UPDATE=1 writes
 * the page again.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { firstPage } from '../../src/terminal/first-page.js';
import { checkout } from './shell.js';

interface Option {
  readonly char?: string;
  readonly type: 'boolean' | 'option';
  readonly aliases?: readonly string[];
  readonly charAliases?: readonly string[];
  readonly helpValue?: string;
  readonly hidden?: boolean;
  readonly multiple?: boolean;
  readonly required?: boolean;
  readonly options?: readonly string[];
  readonly default?: unknown;
  readonly summary?: string;
}

interface Command {
  readonly args: Readonly<Record<string, { required?: boolean; multiple?: boolean }>>;
  readonly flags: Readonly<Record<string, Option>>;
  readonly summary?: string;
  readonly description?: string;
  readonly usage?: string | readonly string[];
  readonly examples?: readonly unknown[];
}

const page = join(checkout, 'test/terminal/interface.txt');
/** Written by the build, from the commands themselves. */
const { commands } = JSON.parse(readFileSync(join(checkout, 'oclif.manifest.json'), 'utf8')) as { commands: Record<string, Command> };

test('interface.txt shows every command, argument and option', () => {
  const now = Object.entries(commands).map(([id, command]) => describeCommand(id, command)).join('\n');
  if (process.env.UPDATE === '1') writeFileSync(page, now);
  const shown = existsSync(page) ? readFileSync(page, 'utf8') : '';
  assert.equal(now, shown, 'the interface has changed: if you meant it, run with UPDATE=1 and look at the difference');
});

describe('every command', () => {
  const missing = (what: (command: Command) => unknown): string[] =>
    Object.entries(commands).filter(([, command]) => !what(command)).map(([id]) => id);

  test('has a summary, a description, its usage and an example', () => {
    assert.deepEqual(missing(({ summary, description, usage, examples }) => summary && description && usage && examples?.length), []);
  });
  test('knows --json and --help', () => assert.deepEqual(missing(({ flags }) => flags['json'] && flags['help']), []));
  test('says of every option what it does', () => {
    assert.deepEqual(missing(({ flags }) => Object.values(flags).every(({ summary }) => summary)), []);
  });
  test('is on the first page, with its topic', () => {
    const words = new Set(firstPage().match(/[a-z]+/g));
    assert.deepEqual(Object.keys(commands).flatMap((id) => id.split(':')).filter((word) => !words.has(word)), []);
    const begun = new Set([...firstPage().matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, word]) => word));
    assert.deepEqual(Object.keys(commands).filter((id) => !begun.has(id.split(':')[0]!)), []);
  });
  test('means the same by the same letter', () => {
    const meanings = new Map<string, Set<string>>();
    for (const [name, option] of Object.values(commands).flatMap(({ flags }) => Object.entries(flags))) {
      for (const char of charsOf(option)) meanings.set(char, (meanings.get(char) ?? new Set()).add(name));
    }
    assert.deepEqual([...meanings].filter(([, names]) => names.size > 1), []);
  });
});

function describeCommand(id: string, { args, flags }: Command): string {
  const words = Object.entries(args).map(([name, { required, multiple }]) => {
    const word = `${name.toUpperCase()}${multiple ? '…' : ''}`;
    return required ? word : `[${word}]`;
  });
  const lines = Object.keys(flags).sort().map((name) => `  ${describeOption(name, flags[name]!)}\n`);
  return `${['dlm', ...id.split(':'), ...words].join(' ')}\n${lines.join('')}`;
}

function charsOf({ char, charAliases = [] }: Option): string[] {
  return [...(char === undefined ? [] : [char]), ...charAliases];
}

function describeOption(name: string, option: Option): string {
  const names = [...charsOf(option).map((char) => `-${char} `), `--${name}`, ...(option.aliases ?? []).map((alias) => ` --${alias}`)];
  const value = option.type === 'boolean' ? '' : `=${option.options?.join('|') ?? option.helpValue ?? 'VALUE'}${option.multiple ? '…' : ''}`;
  const notes = [
    option.required === true ? 'required' : '',
    option.hidden === true ? 'hidden' : '',
    option.default === undefined ? '' : `default ${String(option.default)}`,
  ].filter((note) => note !== '');
  return `${names.join('')}${value}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
}

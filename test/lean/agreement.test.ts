/**
 * The two parsers of a line, held against each other.
 *
 * Lines are made of each command's own options in every spelling, of words that
 * could be values, and of nonsense. Whatever the quick parser accepts, oclif must
 * accept, and both must mean the same. What the quick one does not accept is no
 * matter: oclif is asked next. Yet it should accept what people write every day.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse as parseByOclif } from '@oclif/core/parser';
import { wordsOf } from '../../src/terminal/command-line.js';
import { checkout } from './programs.js';

interface Flag {
  readonly type: 'boolean' | 'option';
  readonly char?: string;
  readonly aliases?: readonly string[];
  readonly charAliases?: readonly string[];
  readonly required?: boolean;
}

interface Definition {
  readonly args?: Readonly<Record<string, { readonly multiple?: boolean }>>;
  readonly flags?: Readonly<Record<string, Flag>>;
  readonly baseFlags?: Readonly<Record<string, Flag>>;
  readonly strict?: boolean;
}

interface Meaning {
  readonly args: object;
  readonly flags: object;
  readonly raw: readonly { readonly type: string; readonly input: string }[];
}

/** A command with the stand-in under it, as its bundle has it. */
type Quick = new (argv: readonly string[], program: object) => { parse(definition: unknown, line: readonly string[]): Promise<Meaning> };

const require = createRequire(import.meta.url);
const { commands } = require(join(checkout, 'oclif.manifest.json')) as { commands: Record<string, unknown> };
const ids = Object.keys(commands);

async function byOclif(id: string): Promise<Definition> {
  const { default: definition } = (await import(join(checkout, 'dist/commands', `${id.replaceAll(':', '/')}.js`))) as { default: Definition };
  return definition;
}

function quickly(id: string): Quick {
  return (require(join(checkout, 'dist/bundle/lean', `${id.replaceAll(':', '.')}.cjs`)) as { Chosen: Quick }).Chosen;
}

/** What oclif makes of a line. */
function meant(definition: Definition, line: readonly string[]): Promise<Meaning> {
  const { args, flags, baseFlags, strict } = definition;
  const json = { type: 'boolean', parse: async (given: boolean) => given, allowNo: false };
  return parseByOclif([...line], { args, flags: { json, ...baseFlags, ...flags }, strict } as never) as Promise<Meaning>;
}

/** What the quick parser makes of it; null if it is not sure. */
async function meantQuickly(Chosen: Quick, line: readonly string[]): Promise<Meaning | null> {
  return new Chosen(line, { root: checkout }).parse(Chosen, line).catch(() => null);
}

const words = [
  'a', 'b', '', '-', '--', '0', '5', '-5', '256', '1.5', '500ms', 'EX', 'pr', 'QUECVT', 'noqueue', 'a=b', '=', '-=', 'x y', 'é',
  'default:1.7.0000002a', '--json', '-h', '--help', '-x', '--nonsense', '--no-json', '__proto__', '--__proto__', '--constructor', '-é', '-\u{1f512}',
];

/** Every way to write this command's options, well and badly. */
function spellings({ flags, baseFlags }: Definition): string[] {
  return Object.entries({ ...baseFlags, ...flags }).flatMap(([name, { char, aliases = [], charAliases = [] }]) => {
    const long = [name, ...aliases].flatMap((one) => [`--${one}`, `--${one}=`, `--${one}=5`, `--${one}=EX`, `--${one}=-5`, `--no-${one}`]);
    const chars = [...(char === undefined ? [] : [char]), ...charAliases];
    const short = chars.flatMap((one) => [`-${one}`, `-${one}5`, `-${one}=5`, `-${one}EX`, `-${one}-`, `-${one}=`, `-q${one}`, `-${one}q`, `-${one}${one}`]);
    return [...long, ...short];
  });
}

/** Mostly what could be right, so that many lines are; and most have what must be there. */
function lineOf(definition: Definition): fc.Arbitrary<string[]> {
  const word = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('a', 'b', '5', 'EX') },
    { weight: 2, arbitrary: fc.constantFrom(...spellings(definition)) },
    { weight: 1, arbitrary: fc.constantFrom(...words) },
  );
  const needed = (value: string): string[] =>
    Object.entries(definition.flags ?? {}).flatMap(([name, { required }]) => (required === true ? [`--${name}`, value] : []));
  return fc.tuple(fc.constantFrom([], needed('EX'), needed('5')), fc.array(word, { maxLength: 6 })).map(([first, rest]) => [...first, ...rest]);
}

describe('what the quick parser accepts means the same to oclif', () => {
  for (const id of ids) {
    test(id, async () => {
      const definition = await byOclif(id);
      const Chosen = quickly(id);
      let accepted = 0;
      await fc.assert(
        fc.asyncProperty(lineOf(definition), async (line) => {
          const quick = await meantQuickly(Chosen, line);
          if (quick === null) return;
          accepted += 1;
          const { args, flags, raw } = await meant(definition, line);
          assert.deepEqual({ args: quick.args, flags: quick.flags, words: wordsOf(quick.raw) }, { args: { ...args }, flags: { ...flags }, words: wordsOf(raw) });
        }),
        { numRuns: 500 },
      );
      // An argument that may be many is oclif's matter.
      const takesMany = Object.values(definition.args ?? {}).some(({ multiple }) => multiple === true);
      if (!takesMany) assert.ok(accepted > 5, `only ${accepted} lines were accepted, too few to tell`);
    });
  }
});

describe('what people write every day is plain', () => {
  const everyDay = [
    ['lock', 'n'],
    ['lock', 'n', '-m', 'PR', '-w', '10'],
    ['lock', '-n', '-q', '-E', '7', 'n'],
    ['lock', 'a', 'b', '-xq', '--timeout=1.5'],
    ['lock', '-e', '--nb', 'n', '-c', 'echo hello'],
    ['lock', '-m', 'PR', 'x', 'PR', 'x'],
    ['lock', 'n', '-l', 'mail', '--value', '--persistent', '--owner-pid', '4711', '--json'],
    ['unlock', 'default:1.7.0000002a', '--value', 'text'],
    ['convert', 'default:1.7.0000002a', '-mEX', '--flag', 'QUECVT', '--flag', 'NOORDER'],
    ['cancel', 'default:1.7.0000002a'],
    ['lvb:get', 'n', '--hex', '--allow-invalid'],
    ['lvb:set', 'n', 'value with spaces'],
    ['lvb:set', 'n', '-'],
    ['lvb:incr', 'n', '--by', '100'],
    ['lvb:cas', 'n', '--absent', 'new'],
    ['unlock', '--name', 'n'],
    ['lvb:set', '--', '-n', 'value'],
    ['locks', 'n', '--waiting'],
    ['node:status', '--json'],
    ['node:join', '--as-background'],
  ];
  for (const [id, ...line] of everyDay) {
    test(`${id} ${line.join(' ')}`, async () => {
      assert.notEqual(await meantQuickly(quickly(id!), line), null);
    });
  }
});

test('every command has a bundle of its own', () => {
  for (const id of ids) assert.ok(existsSync(join(checkout, 'dist/bundle/lean', `${id.replaceAll(':', '.')}.cjs`)), id);
});

/**
 * Do the walls stand?
 *
 * That the tree itself is refused nothing, `npm run check` asks the tools. Here is a copy in which every wall is broken
 * once, on purpose, because a rule that has never refused anything proves nothing: each fault must be refused by the tool
 * and the rule meant for it. The copy lies inside the checkout (in .tmp), where the tools still find their libraries.
 */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkout, refusedByLinter, refusedByPureCompile, refusedImports, type Refusal } from './tools.js';

const tools = { refusedImports, refusedByPureCompile, refusedByLinter };

interface Fault {
  what: string;
  /** What is added, to which files. */
  plant: Record<string, string>;
  by: keyof typeof tools;
  rule: string;
}

const faults: readonly Fault[] = [
  {
    what: 'a socket in lock/grant.ts',
    plant: { 'src/core/lock/grant.ts': "import { connect } from 'node:net';\nexport const planted = connect;" },
    by: 'refusedImports',
    rule: 'pure-rooms-touch-nothing',
  },
  {
    what: 'a socket in lock/grant.ts, for the compiler',
    plant: { 'src/core/lock/grant.ts': '' },
    by: 'refusedByPureCompile',
    rule: 'TS2591',
  },
  {
    what: 'a timer in a pure room',
    plant: { 'src/core/recovery/planted-timer.ts': 'setTimeout(() => {}, 1000);' },
    by: 'refusedByPureCompile',
    rule: 'TS2304',
  },
  {
    what: 'bytes made by the machine in a pure room',
    plant: { 'src/core/wire/planted-encoder.ts': "export const planted = new TextEncoder().encode('x');" },
    by: 'refusedByPureCompile',
    rule: 'TS2304',
  },
  {
    what: 'the environment in a pure room',
    plant: { 'src/core/node/planted-process.ts': 'export const planted = process.env;' },
    by: 'refusedByPureCompile',
    rule: 'TS2591',
  },
  {
    what: 'the clock in cluster/view.ts',
    plant: { 'src/core/cluster/view.ts': 'export const plantedNow = (): number => Date.now();' },
    by: 'refusedByLinter',
    rule: 'no-restricted-globals',
  },
  {
    what: 'chance in a pure room',
    plant: { 'src/core/sim/planted-chance.ts': 'export const planted = (): number => Math.random();' },
    by: 'refusedByLinter',
    rule: 'no-restricted-properties',
  },
  {
    what: 'waiting in the lock room',
    plant: { 'src/core/lock/planted-wait.ts': 'export async function planted(): Promise<void> {}' },
    by: 'refusedByLinter',
    rule: 'no-restricted-syntax',
  },
  {
    what: 'a machine declared into being',
    plant: { 'src/core/node/planted-declaration.ts': 'declare const performance: { now(): number };\nexport const planted = performance;' },
    by: 'refusedByLinter',
    rule: 'no-restricted-syntax',
  },
  {
    what: 'Node\'s types let in by the back door',
    plant: { 'src/core/host/planted-reference.ts': '/// <reference types="node" />\nexport const planted = 1;' },
    by: 'refusedByLinter',
    rule: '@typescript-eslint/triple-slash-reference',
  },
  {
    what: 'state in a module',
    plant: { 'src/core/host/planted-state.ts': 'export let planted = 0;\nplanted += 1;' },
    by: 'refusedByLinter',
    rule: 'no-restricted-syntax',
  },
  {
    what: 'a default export outside the commands',
    plant: { 'src/core/host/planted-default.ts': 'export default 1;' },
    by: 'refusedByLinter',
    rule: 'no-restricted-syntax',
  },
  {
    what: 'a promise nobody waits for',
    plant: { 'src/core/host/planted-promise.ts': 'export const planted = (): void => {\n  Promise.resolve();\n};' },
    by: 'refusedByLinter',
    rule: '@typescript-eslint/no-floating-promises',
  },
  {
    what: 'a simulation that borrows from the real world',
    plant: {
      'src/core/sim/planted-loan.ts': "export { planted } from '../host/planted-lender.js';",
      'src/core/host/planted-lender.ts': 'export const planted = 1;',
    },
    by: 'refusedImports',
    rule: 'host-and-sim-are-strangers',
  },
  {
    what: 'an import that points up, if only for a type',
    plant: {
      'src/core/lock/planted-up.ts': "export type { Planted } from '../lockspace/planted-above.js';",
      'src/core/lockspace/planted-above.ts': 'export interface Planted {}',
    },
    by: 'refusedImports',
    rule: 'what-lock-may-import',
  },
  {
    what: 'a circle',
    plant: {
      'src/core/lock/planted-hen.ts': "import { egg } from './planted-egg.js';\nexport const hen = (): unknown => egg;",
      'src/core/lock/planted-egg.ts': "import { hen } from './planted-hen.js';\nexport const egg = (): unknown => hen;",
    },
    by: 'refusedImports',
    rule: 'no-circles',
  },
  {
    what: 'a library away from its home',
    plant: { 'src/commands/planted-table.ts': "import Table from 'cli-table3';\nexport default Table;" },
    by: 'refusedImports',
    rule: 'one-home-for-clitable3',
  },
  {
    what: 'a library without a home',
    plant: { 'src/core/host/planted-library.ts': "import { Mutex } from 'async-mutex';\nexport const planted = Mutex;" },
    by: 'refusedImports',
    rule: 'a-new-library-needs-a-home',
  },
  {
    what: 'a command that goes round the front door',
    plant: {
      'src/commands/planted-burglar.ts': "export { planted as default } from '../core/host/planted-lender.js';",
    },
    by: 'refusedImports',
    rule: 'through-the-front-door',
  },
];

describe('a tree with a fault in every wall refuses', () => {
  const copy = join(checkout, '.tmp', `faults-${process.pid}`);
  const refusals = {} as Record<keyof typeof tools, Refusal[]>;

  before(() => {
    mkdirSync(copy, { recursive: true });
    for (const part of ['src', 'package.json', 'tsconfig.json', 'tsconfig.pure.json', 'eslint.config.mjs', '.dependency-cruiser.mjs']) {
      cpSync(join(checkout, part), join(copy, part), { recursive: true });
    }
    for (const [file, text] of faults.flatMap((fault) => Object.entries(fault.plant))) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      appendFileSync(join(copy, file), `${text}\n`);
    }
    for (const by of Object.keys(tools) as (keyof typeof tools)[]) refusals[by] = tools[by](copy);
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  for (const { what, plant, by, rule } of faults) {
    test(what, () => {
      const rules = refusals[by].filter(({ file }) => file in plant).map((refusal) => refusal.rule);
      assert.ok(rules.includes(rule), `${rule} should have refused it; what did: ${rules.join(', ') || 'nothing'}`);
    });
  }
});

/**
 * Is the house tidy?
 *
 * Every file of ours against the rules of tidy.ts, then the one thing that takes the whole tree to see: a file that
 * nobody reaches from a command, from the front door or from bin/ is dead, and goes.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { rules, type SourceFile } from './tidy.js';
import { checkout, filesBelow, importGraph, type Imports } from './tools.js';

const folders = ['src', 'test', 'bench', 'demo', 'scripts', 'bin', 'docs'].filter((name) => existsSync(join(checkout, name)));
const files: SourceFile[] = filesBelow(checkout, ...folders).map((path) => ({
  path,
  text: readFileSync(join(checkout, path), 'utf8'),
}));

describe('tidy', () => {
  for (const { says, about, refuses, example } of rules) {
    test(says, () => {
      assert.ok(about.test(example.path) && refuses(example), 'the rule does not refuse its own example');
      assert.deepEqual(files.filter((file) => about.test(file.path) && refuses(file)).map(({ path }) => path), []);
    });
  }
});

describe('dead files', () => {
  test('every file of src is reached from a command, the front door or bin', () => {
    assert.deepEqual(unreached(importGraph(checkout), files), []);
  });

  test('a file nobody imports is found, and so is all that only it imports', () => {
    const graph: Imports[] = [
      { file: 'src/core/index.ts', imports: ['src/core/host/host.ts'] },
      { file: 'src/core/host/host.ts', imports: [] },
      { file: 'src/core/host/daemon.ts', imports: [] },
      { file: 'src/core/lock/forgotten.ts', imports: ['src/core/lock/alone.ts'] },
      { file: 'src/core/lock/alone.ts', imports: [] },
      { file: 'src/commands/lock.ts', imports: [] },
    ];
    const program = [{ path: 'bin/dlmd', text: "import '../dist/core/host/daemon.js';" }];
    assert.deepEqual(unreached(graph, program), ['src/core/lock/forgotten.ts', 'src/core/lock/alone.ts']);
  });
});

/**
 * A program in bin/ names the built file it starts: dist/core/host/daemon.js is src/core/host/daemon.ts. The bundler
 * names what it begins a bundle with, and a folder that it puts in the place of a library.
 */
function startedBy({ path, text }: SourceFile): string[] {
  if (path === 'scripts/bundle.mjs') return [...text.matchAll(/'[^']*?(terminal\/[\w/-]+)/g)].map(([, name]) => `src/${name}`);
  if (!path.startsWith('bin/')) return [];
  return [...text.matchAll(/dist\/([\w/.-]+)\.js/g)].map(([, name]) => `src/${name}`);
}

function unreached(graph: Imports[], all: readonly SourceFile[]): string[] {
  const importsOf = new Map(graph.map(({ file, imports }) => [file, imports]));
  const started = all.flatMap(startedBy);
  const isStarted = (file: string): boolean => started.some((name) => file.replace(/\.tsx?$/, '') === name || file.startsWith(`${name}/`));
  const entrances = graph.map(({ file }) => file).filter((file) => /^src\/(commands\/|core\/index\.ts$)/.test(file) || isStarted(file));
  const reached = new Set(entrances);
  for (const file of reached) {
    for (const imported of importsOf.get(file) ?? []) reached.add(imported);
  }
  return graph.map(({ file }) => file).filter((file) => !reached.has(file));
}

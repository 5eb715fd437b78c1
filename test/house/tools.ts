/**
 * The house's own tools, run on a tree: this checkout, or a copy of it in which something was done wrong on purpose.
 *
 * Each answers with what it refuses, in one form, so that a test can ask "who refused this file, and by which rule?".
 * The tools are started as `npm run check` starts them, with the tree's own configuration.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This checkout. */
export const checkout = fileURLToPath(new URL('../..', import.meta.url));

export interface Refusal {
  file: string;
  rule: string;
  says: string;
}

/** A file of ours and the files of ours it imports, types included. */
export interface Imports {
  file: string;
  imports: string[];
}

/** What the import rules refuse. */
export function refusedImports(tree: string): Refusal[] {
  return cruise(tree).summary.violations.map(({ from, to, rule }) => ({
    file: from,
    rule: rule.name,
    says: `imports ${to}`,
  }));
}

/** The import graph of src/. */
export function importGraph(tree: string): Imports[] {
  return cruise(tree)
    .modules.filter((module) => module.source.startsWith('src/'))
    .map(({ source, dependencies }) => ({
      file: source,
      imports: dependencies.map(({ resolved }) => resolved).filter((path) => path.startsWith('src/')),
    }));
}

/** What the pure rooms use that does not exist for them. */
export function refusedByPureCompile(tree: string): Refusal[] {
  const lines = run(tree, 'tsc', '-p', 'tsconfig.pure.json', '--pretty', 'false').split('\n');
  return lines.flatMap((line) => {
    const [, file, rule, says] = /^(.+?)\(\d+,\d+\): error (TS\d+): (.*)$/.exec(line) ?? /^()error (TS\d+): (.*)$/.exec(line) ?? [];
    return rule === undefined ? [] : [{ file: file ?? '', rule, says: says ?? '' }];
  });
}

/** What the linter refuses. */
export function refusedByLinter(tree: string): Refusal[] {
  const results = JSON.parse(run(tree, 'eslint', '--format', 'json', '.')) as LintResult[];
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId, message, line }) => ({
      file: relative(tree, filePath),
      rule: ruleId ?? 'syntax',
      says: `line ${line}: ${message}`,
    })),
  );
}

/** Every file below these folders of the tree, as paths from its root, in order. */
export function filesBelow(tree: string, ...folders: string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(join(tree, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)))
    .sort();
}

interface Cruise {
  modules: { source: string; dependencies: { resolved: string }[] }[];
  summary: { violations: { from: string; to: string; rule: { name: string } }[] };
}

interface LintResult {
  filePath: string;
  messages: { ruleId: string | null; message: string; line: number }[];
}

function cruise(tree: string): Cruise {
  return JSON.parse(run(tree, 'depcruise', '--output-type', 'json', 'src')) as Cruise;
}

/** A tool that finds something wrong exits with a failure; a tool that cannot run says so on stderr alone. */
function run(tree: string, tool: string, ...args: string[]): string {
  const { stdout, stderr, status, error } = spawnSync(join(checkout, 'node_modules/.bin', tool), args, {
    cwd: tree,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  if (status !== 0 && stdout.trim() === '') throw new Error(`${tool} could not run in ${tree}: ${stderr}`);
  return stdout;
}

/**
 * What a user types and sees: each page beside this file is a session of bash with
 * bin/dlm in its path and a node of its own.
 *
 * In a ```console block, `$ ` begins a command (`> ` continues it), what follows
 * is what it prints on either stream, and a last line such as [80] is its exit
 * code, 0 if there is none. What differs from run to run has a word: <pid>, <hex>,
 * <id> (of a lock), <time>, <dir> (of the node), <any> (within a line) and
 * <lines> (any number of them). Wide gaps are all the same, since the columns of a
 * table follow from what is in them.
 *
 * `soon COMMAND` repeats a command, silently, until it succeeds; `quiet COMMAND`
 * hides what bash itself says about a process that was killed.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Desk } from '../terminal/shell.js';

interface Exchange {
  readonly line: number;
  readonly command: string;
  readonly expected: string;
}

const folder = dirname(fileURLToPath(import.meta.url));
const pages = readdirSync(folder).filter((name) => name.endsWith('.md')).sort();

describe('a session', { concurrency: 2 }, () => {
  for (const page of pages) {
    test(page, { timeout: 120_000 }, async () => {
      const exchanges = parsePage(readFileSync(join(folder, page), 'utf8'));
      const desk = new Desk();
      try {
        const seen = await perform(desk, exchanges);
        exchanges.forEach((exchange, index) => compare(page, exchange, seen[index] ?? 'nothing: the session ended early', desk.dir));
      } finally {
        await desk.clear();
      }
    });
  }
});

function parsePage(text: string): Exchange[] {
  const exchanges: { line: number; command: string; lines: string[] }[] = [];
  let isConsole = false;
  for (const [index, line] of text.split('\n').entries()) {
    const last = exchanges.at(-1);
    if (line.startsWith('```')) isConsole = line === '```console';
    else if (!isConsole) continue;
    else if (line.startsWith('$ ')) exchanges.push({ line: index + 1, command: line.slice(2), lines: [] });
    else if (line.startsWith('> ') && last?.lines.length === 0) last.command += `\n${line.slice(2)}`;
    else last?.lines.push(line);
  }
  return exchanges.map(({ line, command, lines }) => ({ line, command, expected: lines.join('\n') }));
}

const mark = '\x1e';

const prelude = `
exec 2>&1 < /dev/null
soon() { local i; for i in $(seq 200); do "$@" > /dev/null 2>&1 && return; sleep 0.05; done; echo "never: $*"; return 1; }
quiet() { "$@"; } 2> /dev/null

`;

/** What each command printed, with its exit code as the page writes it. */
async function perform(desk: Desk, exchanges: readonly Exchange[]): Promise<string[]> {
  const steps = exchanges.map(({ command }) => `${command}\nprintf '${mark}%d${mark}' "$?"\n`);
  const { out } = await desk.shell(prelude + steps.join(''));
  const parts = out.split(mark);
  return exchanges.flatMap((_, index) => {
    const [printed, exit] = [parts[2 * index], parts[2 * index + 1]];
    if (printed === undefined || exit === undefined) return [];
    return [printed.replace(/\n$/, '') + (exit === '0' ? '' : `${printed === '' ? '' : '\n'}[${exit}]`)];
  });
}

const words: Readonly<Record<string, string>> = {
  pid: '\\d+',
  hex: '[0-9a-f]+',
  id: '\\S+:\\d+\\.\\d+\\.[0-9a-f]{8}',
  time: '\\d+(\\.\\d)? (s|min|h|d)( \\d+ (s|min|h))?',
  any: '.*',
};

function compare(page: string, { line, command, expected }: Exchange, printed: string, dir: string): void {
  const [wanted, seen] = [sameGaps(expected), sameGaps(printed)];
  if (patternOf(wanted, dir).test(`${seen}\n`)) return;
  assert.equal(seen, wanted, `${page} line ${line}: $ ${command}`);
}

function sameGaps(text: string): string {
  return text.replace(/ {2,}/g, '  ').replace(/ +$/gm, '');
}

function patternOf(expected: string, dir: string): RegExp {
  const lines = expected.split('\n').map((line) => {
    if (line === '<lines>') return '(.*\n)*?';
    const literal = line.split(/(<\w+>)/).map((part) => partOf(part, dir)).join('');
    return `${literal}\n`;
  });
  return new RegExp(`^${lines.join('')}$`);
}

function partOf(part: string, dir: string): string {
  const word = /^<(\w+)>$/.exec(part)?.[1];
  if (word === 'dir') return escapeForPattern(dir);
  return (word === undefined ? undefined : words[word]) ?? escapeForPattern(part);
}

function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

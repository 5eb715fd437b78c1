/**
 * The stories: each is told by the real nodes, prints what stands in its file, and says
 * by `expect` that what it is about really happened.
 *
 * UPDATE=1 writes what was printed into the files; git diff is the review. An expectation
 * that fails, fails all the same.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { describeDifferences, tellStory } from '../../src/core/sim/scenario/story.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.txt')).sort();
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

describe('a story', () => {
  for (const file of files) {
    test(file, () => {
      const text = read(`test/scenario/${file}`);
      const report = tellStory(text);
      assert.equal(report.failure, null);
      if (process.env['UPDATE'] === '1') writeFileSync(`${folder}${file}`, report.rewritten);
      else assert.ok(report.isSame, describeDifferences(report).join('\n'));
      assert.ok(report.expectations > 0, 'it claims nothing');
      assert.match(text, /^(# .+\n){1,3}[a-z]/, 'it begins with one to three lines that say what it is about');
      assert.equal(tellStory(text).rewritten, report.rewritten, 'told again, it is another one');
    });
  }
});

/** A row of a table in docs/stories.md. */
interface Row {
  readonly numbers: readonly number[];
  readonly cells: readonly string[];
}

const rows: readonly Row[] = read('docs/stories.md')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
  .map((cells) => ({ numbers: cells[0]!.split(', ').map(Number), cells }));

const stories = rows.filter(({ cells }) => cells[1]!.includes('test/scenario/'));
const others = rows.filter(({ cells }) => !cells[1]!.includes('test/scenario/'));

/** Up to here there must be a story or a test; later ones may be there. */
const wanted = 88;

describe('docs/stories.md', () => {
  test(`has every number from 1 to ${wanted}`, () => {
    const told = new Set(rows.flatMap(({ numbers }) => numbers));
    assert.deepEqual(Array.from({ length: wanted }, (_, index) => index + 1).filter((number) => !told.has(number)), []);
  });

  test('names every story, by the numbers its file is named after, and no other', () => {
    const listed = stories.map(({ cells }) => /\(\.\.\/test\/scenario\/(.+\.txt)\)/.exec(cells[1]!)![1]!);
    assert.deepEqual([...listed].sort(), files);
    for (const [index, { numbers }] of stories.entries()) {
      const named = /^[\d-]+(?=-)/.exec(listed[index]!)![0].split('-').map(Number);
      assert.deepEqual(numbers, named);
    }
  });

  for (const { numbers, cells } of others) {
    test(`${numbers.join(', ')}: ${cells[1]}`, () => {
      const [, path, name] = /^`(\S+)`: (.+)$/.exec(cells[1]!)!;
      const [, trigger] = /`(.+)`/.exec(cells[3]!)!;
      const [, ...after] = read(path!).split(name!);
      assert.equal(after.length, 1, 'there is one test of that name');
      const [body] = after[0]!.split(/\n\s*(?:test|it|tell)\(/);
      assert.ok(body!.includes(trigger!), 'that test no longer asserts that it happened');
    });
  }
});

/**
 * Is the drawing of the rooms true?
 *
 * docs/rooms.md shows which room imports which, as dependency-cruiser finds it in the sources, in the same form as the
 * table of what is allowed. `npm run draw` (UPDATE=1) draws it again; the difference is for the reviewer.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkout, importGraph, type Imports } from './tools.js';

const page = join(checkout, 'docs/rooms.md');

test('docs/rooms.md shows the rooms as they are', () => {
  const now = pageWith(drawing(importGraph(checkout)));
  if (process.env.UPDATE === '1') writeFileSync(page, now);
  const shown = existsSync(page) ? readFileSync(page, 'utf8') : '';
  assert.equal(shown, now, 'docs/rooms.md is stale: run `npm run draw` and look at the difference');
});

test('files become rooms, and imports within a room are left out', () => {
  const graph: Imports[] = [
    { file: 'src/core/index.ts', imports: ['src/core/lock/lock.ts'] },
    { file: 'src/core/lock/lock.ts', imports: ['src/core/lock/mode.ts', 'src/core/base/ids.ts'] },
    { file: 'src/core/lock/mode.ts', imports: [] },
    { file: 'src/core/base/ids.ts', imports: [] },
    { file: 'src/commands/node/join.ts', imports: ['src/core/index.ts', 'src/terminal/flags.ts'] },
    { file: 'src/terminal/flags.ts', imports: [] },
  ];
  assert.equal(
    drawing(graph),
    ['flowchart BT', '  base', '  commands --> index & terminal', '  index --> lock', '  lock --> base', '  terminal'].join('\n'),
  );
});

/** src/core/lock/grant.ts is in lock; src/commands/node/join.ts in commands; src/core/index.ts is a room of its own. */
function roomOf(file: string): string {
  const [, room] = /^src\/(?:core\/)?([a-z-]+)/.exec(file) ?? [];
  return room ?? file;
}

function drawing(graph: Imports[]): string {
  const importsOf = new Map<string, Set<string>>();
  for (const { file, imports } of graph) {
    const room = roomOf(file);
    const others = importsOf.get(room) ?? new Set();
    for (const other of imports.map(roomOf)) if (other !== room) others.add(other);
    importsOf.set(room, others);
  }
  const rows = [...importsOf].map(([room, others]) => (others.size === 0 ? room : `${room} --> ${[...others].sort().join(' & ')}`));
  return ['flowchart BT', ...rows.sort().map((row) => `  ${row}`)].join('\n');
}

function pageWith(picture: string): string {
  return `# The rooms, as they are

Which room of \`src\` imports which. An arrow means that at least one file does, if only for a type. This page is drawn
from the sources by \`npm run draw\`, and a test fails when it is stale. What is *allowed* is a table of the same form,
\`mayImport\` in [.dependency-cruiser.mjs](../.dependency-cruiser.mjs): an arrow here that is missing there is refused,
and an arrow there that never appears here is a door nobody has used yet.

\`\`\`mermaid
${picture}
\`\`\`
`;
}

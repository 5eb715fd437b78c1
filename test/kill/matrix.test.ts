/**
 * Killed anywhere: {command, child, node, shell, command and node, all} ×
 * {waiting, granted, converting} × {TERM, KILL, STOP then CONT}, on real
 * processes, with a rival in a loop. What is right in each cell is in expected.ts.
 */
import assert from 'node:assert/strict';
import { after, describe } from 'node:test';
import { test } from './bounded.js';
import { play, type Outcome } from './cell.js';
import { cells, kinds } from './expected.js';

/** Cells at a time: each mostly waits. */
const concurrency = 4;

const outcomes: Outcome[] = [];

describe('killed anywhere', { concurrency }, () => {
  for (const cell of cells) {
    test(`${cell.state}: ${cell.victim}: ${cell.kind}: ${cell.exit}, ${cell.why}`, async () => {
      const outcome = await play(cell);
      outcomes.push(outcome);
      const { exit, section, overlaps, leaked, childrenLeft } = outcome;
      assert.deepEqual(
        { exit, section, overlaps, leaked, childrenLeft },
        { exit: cell.exit, section: cell.section, overlaps: [], leaked: 0, childrenLeft: 0 },
      );
    });
  }

  after(() => {
    const sum = (count: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + count(outcome), 0);
    const byKind = kinds.map((kind) => `${kind} ${cells.filter((cell) => cell.kind === kind).length}`).join('; ');
    const line = [
      `kill matrix: ${outcomes.length} of ${cells.length} cells played (${byKind})`,
      `${sum(({ sections }) => sections)} sections run`,
      `${sum(({ overlaps }) => overlaps.length)} overlaps`,
      `${sum(({ leaked }) => leaked)} locks leaked`,
      `${sum(({ childrenLeft }) => childrenLeft)} children left`,
    ];
    process.stdout.write(`${line.join(', ')}\n`);
  });
});

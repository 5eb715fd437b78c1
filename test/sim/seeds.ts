/**
 * Many worlds, one after the other: every property holds in each, and whatever its
 * checker counts was at stake. The file of tests says which seeds; SEEDS makes them more (`npm run soak`).
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Panel } from '../../src/core/sim/checkers/panel.js';
import { runWorld, type Report } from '../../src/core/sim/run.js';
import { Tally, seedCommand } from '../../src/core/sim/stakes.js';

/** The properties of a lock manager that worlds are held to, as they are numbered in every checker's `says`. */
const letters = ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7', 'S8', 'S9', 'S10', 'S11', 'S12', 'S13', 'S14', 'S15', 'S16', 'S17', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7', 'L8', 'L9'];

/** Every how many worlds one is lived through twice (S18: the same seed is the same world, to the last line). */
const twiceEvery = 20;

/** How many worlds a file of tests runs. */
const perFile = Number(process.env['SEEDS'] ?? 2000) / 2;

/**
 * What happens in one of some hundred worlds only: shorter runs may miss it, and say so. Whether the checkers would see it
 * then is told by their own stories (aftermath-checkers.test.ts) and mutants.
 */
const rare: ReadonlySet<string> = new Set(['zombies refused', 'zombies afterLies', 'progress suspended', 'resumption explained', 'value-block alternatives']);
const enoughForRare = 10_000;

/** After so many broken worlds it is clear enough. */
const brokenMax = 10;
/** A run of many worlds says how far it has come. */
const tellEvery = 1000;

/** Worlds of three to five nodes and a minute each. `part`: 0 or 1, every other seed. */
export function runSeeds(context: TestContext, part: 0 | 1): void {
  const tally = new Tally();
  const broken: string[] = [];
  for (let index = 0; index < perFile; index += 1) {
    const seed = 2 * index + part + 1;
    const report = runWorld({ seed, nodes: 3 + (index % 3), minutes: 1 });
    tally.add(report);
    if (report.failure !== null) {
      broken.push(explain(report));
      if (broken.length === brokenMax) break;
      continue;
    }
    if (index % twiceEvery === 0) assert.equal(runWorld({ seed, nodes: 3 + (index % 3), minutes: 1 }).fingerprint, report.fingerprint, seedCommand(report));
    if (perFile > tellEvery && tally.runs % tellEvery === 0) console.error(`${tally.runs} of ${perFile} worlds, ${tally.failures} broken`);
  }
  assert.equal(broken.join('\n\n'), '');
  const { stakes, faults } = tally;
  for (const [property, counts] of Object.entries(stakes)) {
    for (const [kind, count] of Object.entries(counts)) {
      const mayMiss = rare.has(`${property} ${kind}`) && perFile < enoughForRare;
      if (mayMiss && count === 0) context.diagnostic(`${property} ${kind} was never at stake, and is rare`);
      assert.ok(mayMiss || count > 0, `${property} ${kind} was never at stake`);
    }
  }
  assert.deepEqual(lettersOf(new Panel()), [...letters].sort());
  const injected = Object.values(faults).reduce((sum, count) => sum + count, 0);
  context.diagnostic(`${tally.runs} seeds, ${tally.hours.toFixed(1)} simulated hours, ${injected} faults: ${JSON.stringify(faults)}`);
  context.diagnostic(`at stake: ${JSON.stringify(stakes)}`);
}

/** Every letter that some checker says it stands for. */
function lettersOf(panel: Panel): string[] {
  const said = Object.entries(panel.says()).flatMap(([property, says]) => {
    const own = says.match(/\b[SL]\d+\b/g) ?? [];
    assert.ok(own.length > 0, `${property} does not say what it stands for`);
    return own;
  });
  return [...new Set(said)].sort();
}

function explain({ failure, ...report }: Report): string {
  return failure === null ? '' : `${failure.property}: ${failure.message}\n${failure.where ?? failure.story.join('\n')}\n${seedCommand(report)}`;
}

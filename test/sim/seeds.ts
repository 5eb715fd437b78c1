/**
 * Many worlds, one after the other: every property holds in each, and each was at
 * stake. The file of tests says which seeds; SEEDS makes them more (`npm run soak`).
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { runWorld, type Report } from '../../src/core/sim/run.js';
import { seedCommand, stakesOf } from '../../src/core/sim/stakes.js';

/** What several nodes must at least have come through, in whatever many worlds. */
const mustOccur = [
  ['exclusion', 'beside'],
  ['departed', 'grantsPast'],
  ['pairing', 'cancelled'],
  ['tokens', 'acrossGenerations'],
  ['fairness', 'acrossRecovery'],
  ['value-block', 'afterWriteElsewhere'],
  ['value-block', 'invalid'],
  ['directory', 'remote'],
  ['holdings', 'remote'],
  ['orphans', 'deadLives'],
  ['progress', 'recoveries'],
] as const;

/** How many worlds a file of tests runs. */
const perFile = Number(process.env['SEEDS'] ?? 2000) / 2;

/** Worlds of three to five nodes and a minute each. `part`: 0 or 1, every other seed. */
export function runSeeds(context: TestContext, part: 0 | 1): void {
  const kept: Report[] = [];
  let millis = 0;
  for (let index = 0; index < perFile; index += 1) {
    const seed = 2 * index + part + 1;
    const report = runWorld({ seed, nodes: 3 + (index % 3), minutes: 1 });
    assert.equal(report.failure, null, explain(report));
    millis += report.simulatedMillis;
    kept.push({ ...report, failure: null });
  }
  const { stakes, faults } = stakesOf(kept);
  for (const [property, kind] of mustOccur) assert.ok(stakes[property]![kind]! > 0, `${property} ${kind} was never at stake`);
  const injected = Object.values(faults).reduce((sum, count) => sum + count, 0);
  context.diagnostic(`${perFile} seeds, ${(millis / 3_600_000).toFixed(1)} simulated hours, ${injected} faults: ${JSON.stringify(faults)}`);
  context.diagnostic(`at stake: ${JSON.stringify(stakes)}`);
}

function explain({ failure, ...report }: Report): string {
  return failure === null ? '' : `${failure.property}: ${failure.message}\n${failure.where ?? failure.story.join('\n')}\n${seedCommand(report)}`;
}

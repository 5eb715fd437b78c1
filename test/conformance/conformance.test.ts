/**
 * Our node against a real kernel, over everything that was recorded.
 *
 * With every switch of the law off there is no difference, and nothing is excused.
 * With ours on, every difference follows from a choice, and no rule is needed that
 * no choice explains. The counts are written down here, so that nothing can be
 * left out unnoticed.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultLaw, kernelLaw } from '../../src/core/lock/law.js';
import {
  closingLine, countByRule, describeStep, runConformance, unexplainedSteps, type ConformanceReport,
} from '../../src/core/sim/conformance/conformance.js';
import { differenceRules } from '../../src/core/sim/conformance/differences.js';
import { randomClusters, randomScenarios, recordByKernelLaw } from './random-scenarios.js';
import { readRecordings, runAll } from './recordings.js';

const recordings = readRecordings();

/** How many differences each rule explains, a line a rule. */
function countsOf(report: ConformanceReport): string[] {
  const counts = countByRule(report);
  return differenceRules.map(({ name }) => `by rule ${name}: ${counts.get(name) ?? 0}`);
}

test('all of it is there', () => {
  const lines = recordings.flatMap(({ results }) => results.split('\n').filter((line) => line !== ''));
  assert.deepEqual([recordings.length, lines.length], [23, 6314]);
  const { scenarios, steps } = runAll(recordings, kernelLaw);
  assert.deepEqual({ scenarios, steps }, { scenarios: 476, steps: 6314 });
});

test('by the kernel\'s law nothing differs, and nothing is excused', (context) => {
  const report = runAll(recordings, kernelLaw);
  context.diagnostic(closingLine(report));
  assert.deepEqual(report.different.flatMap(describeStep), []);
  assert.equal(closingLine(report), '476 scenarios, 6314 steps, 0 differ');
});

test('by our law every difference is by rule', (context) => {
  const report = runAll(recordings, defaultLaw);
  for (const line of countsOf(report)) context.diagnostic(line);
  context.diagnostic(closingLine(report));
  assert.deepEqual(unexplainedSteps(report).flatMap(describeStep), []);
  assert.equal(closingLine(report), '476 scenarios, 6314 steps, 0 differ');
  assert.deepEqual([...countByRule(report)].sort(), [['adopterIsTold', 1], ['arrivalIsFollowed', 11], ['copiesAreKnown', 10],
    ['orderSurvives', 13], ['persistentStays', 3], ['placeIsNoDeadlock', 30], ['waitingOrphanEnds', 3]]);
});

describe('the referee', () => {
  const { scenarios, results } = recordings.find(({ name }) => name === 'h08-orphan')!;

  /** The report when the kernel had answered something else in one place. */
  const spoiled = (line: string, from: string, to: string, law = defaultLaw): string[] => {
    const spoilt = results.split('\n').map((json) => (json.includes(`"${line}"`) ? json.replace(from, to) : json)).join('\n');
    assert.notEqual(spoilt, results);
    return unexplainedSteps(runConformance(scenarios, spoilt, law)).flatMap(describeStep);
  };

  test('finds a return code, a callback, a value and a queue that differ', () => {
    assert.match(spoiled('purge nodeid=9 pid=0', 'ENOBUFS', '0')[0]!, /rc: kernel 0, ours ENOBUFS$/);
    assert.match(spoiled('lock B res=R mode=PR', '"mode": "PR"', '"mode": "EX"')[0]!, /ev p2:A: kernel bast\(EX\), ours bast\(PR\)$/);
    assert.match(spoiled('convert p2:A mode=EX flags=PERSISTENT,VALBLK lvb=0102', '"0102"', '"0103"')[0]!, /st R lvb: kernel 0103, ours 0102$/);
    assert.match(spoiled('lock N res=R mode=NL', 'N:NL', 'N:PR')[0]!, /st R g: kernel N:PR, ours N:NL$/);
  });

  test('finds a step that was not recorded, and one that was another', () => {
    const report = runConformance('scenario a\nlock A res=R mode=EX\nunlock A', '{"s":"a","i":0,"op":"lock B res=R mode=EX"}', kernelLaw);
    assert.deepEqual(report.different.flatMap(describeStep), [
      'a step 0 \'lock A res=R mode=EX\': op: kernel lock B res=R mode=EX, ours lock A res=R mode=EX',
      'a step 1 \'unlock A\': op: kernel not recorded, ours unlock A',
    ]);
  });

  test('excuses nothing where the kernel\'s law would differ as well, though a rule covers it', () => {
    const line = 'lock C res=R mode=PR flags=ORPHAN';
    assert.deepEqual(spoiled(line, 'ENOENT', 'EINVAL').length > 0, true);
    assert.deepEqual(spoiled(line, 'EAGAIN', 'EBUSY').length > 0, true);
  });
});

describe('random scenarios, recorded by the kernel\'s law', () => {
  const texts = [1, 2, 3, 5, 8].map((seed) => randomScenarios(seed, 200, 40));
  const recorded = texts.map((text) => ({ name: '', scenarios: text, results: recordByKernelLaw(text) }));

  test('show no difference by that law', () => {
    assert.equal(closingLine(runAll(recorded, kernelLaw)), '1000 scenarios, 40000 steps, 0 differ');
  });

  test('show differences by rule only, by ours', (context) => {
    const report = runAll(recorded, defaultLaw);
    for (const line of countsOf(report)) context.diagnostic(line);
    assert.deepEqual(unexplainedSteps(report).flatMap(describeStep), []);
    assert.ok(report.different.length > 1000);
  });

  test('show with a single switch on only what its own rule covers', () => {
    // Each switch with one of two sets of 8,000 steps.
    for (const [index, name] of (Object.keys(defaultLaw) as (keyof typeof defaultLaw)[]).entries()) {
      const { scenarios, results } = recorded[index % 2]!;
      const report = runConformance(scenarios, results, { ...kernelLaw, [name]: true });
      assert.deepEqual(unexplainedSteps(report).flatMap(describeStep), []);
      assert.deepEqual([...countByRule(report).keys()].filter((rule) => rule !== name), []);
    }
  });
});

describe('random scenarios of three nodes, recorded by the kernel\'s law', () => {
  const texts = [1, 2, 3].map((seed) => randomClusters(seed, 150, 40));
  const recorded = texts.map((text) => ({ name: '', scenarios: text, results: recordByKernelLaw(text) }));

  test('show no difference by that law, wherever the directory was', () => {
    const report = runAll(recorded, kernelLaw);
    assert.deepEqual(report.different.flatMap(describeStep), []);
    assert.equal(closingLine(report), '450 scenarios, 18000 steps, 0 differ');
  });

  test('show differences by rule only, by ours', (context) => {
    const report = runAll(recorded, defaultLaw);
    for (const line of countsOf(report)) context.diagnostic(line);
    assert.deepEqual(unexplainedSteps(report).flatMap(describeStep), []);
    assert.ok(countByRule(report).get('orderSurvives')! > 20);
  });
});

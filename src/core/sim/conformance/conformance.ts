/**
 * The referee: scenarios carried out by our nodes, held against the recordings of
 * a real kernel.
 *
 * Under the kernel's law every difference counts. Under ours, those that follow
 * from a choice of ours are told apart by the rule that explains them.
 */
import type { Law } from '../../lock/law.js';
import { showField, type Difference } from './compare.js';
import type { RuleName } from './differences.js';
import { ruleFor } from './judge.js';
import { parseRecordings } from './recording.js';
import { parseScenarios } from './scenario.js';
import { Trial } from './trial.js';

/** A difference, and the rule by which we chose it; null: nothing explains it. */
export interface JudgedDifference extends Difference {
  readonly rule: RuleName | null;
}

/** A step that came out differently. */
export interface DifferentStep {
  readonly scenario: string;
  readonly step: number;
  readonly line: string;
  readonly differences: readonly JudgedDifference[];
}

export interface ConformanceReport {
  readonly scenarios: number;
  readonly steps: number;
  readonly different: readonly DifferentStep[];
}

/** Run one scenario file against its result file. */
export function runConformance(scenarioText: string, resultText: string, law: Law): ConformanceReport {
  const recordings = parseRecordings(resultText);
  const trials = parseScenarios(scenarioText).map((scenario) => new Trial(scenario, recordings.get(scenario.name) ?? []));
  return {
    scenarios: trials.length,
    steps: trials.reduce((sum, { scenario }) => sum + scenario.steps.length, 0),
    different: trials.flatMap((trial) => differentSteps(trial, law)),
  };
}

function differentSteps(trial: Trial, law: Law): DifferentStep[] {
  return trial.under(law).flatMap((differences, step) => {
    if (differences.length === 0) return [];
    const judged = differences.map((difference) => ({ ...difference, rule: ruleFor(trial, law, step, difference) }));
    return [{ scenario: trial.scenario.name, step, line: trial.scenario.steps[step]!.line, differences: judged }];
  });
}

/** Several files as one. */
export function sumOf(reports: readonly ConformanceReport[]): ConformanceReport {
  const add = (count: (report: ConformanceReport) => number): number =>
    reports.reduce((sum, report) => sum + count(report), 0);
  return {
    scenarios: add((report) => report.scenarios),
    steps: add((report) => report.steps),
    different: reports.flatMap((report) => report.different),
  };
}

/** The steps that no rule explains, or not wholly. */
export function unexplainedSteps({ different }: ConformanceReport): DifferentStep[] {
  return different.filter(({ differences }) => differences.some(({ rule }) => rule === null));
}

/** How many differences each rule explains, for the rules that explain any. */
export function countByRule({ different }: ConformanceReport): Map<RuleName, number> {
  const counts = new Map<RuleName, number>();
  for (const { rule } of different.flatMap(({ differences }) => differences)) {
    if (rule !== null) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  return counts;
}

/** A step's differences for people, a line each. */
export function describeStep({ scenario, step, line, differences }: DifferentStep): string[] {
  const where = `${scenario} step ${step} '${line}'`;
  return differences.map((difference) => {
    const { kernel, ours, rule } = difference;
    const why = rule === null ? '' : ` (${rule})`;
    return `${where}: ${showField(difference)}: kernel ${kernel || 'nothing'}, ours ${ours || 'nothing'}${why}`;
  });
}

/** The last line of a run. Only what no rule explains counts as different. */
export function closingLine(report: ConformanceReport): string {
  return `${report.scenarios} scenarios, ${report.steps} steps, ${unexplainedSteps(report).length} differ`;
}

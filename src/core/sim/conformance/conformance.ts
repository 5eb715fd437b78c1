/**
 * The referee: scenarios carried out by our node, held against the recordings of
 * a real kernel.
 *
 * Scenarios that need several nodes are counted and left out.
 */
import type { Law } from '../../lock/law.js';
import { compareStep, type Difference } from './compare.js';
import { Device } from './device.js';
import { parseRecordings, type RecordedStep } from './recording.js';
import { parseScenarios, type Scenario } from './scenario.js';

/** A step that came out differently. */
export interface DifferentStep {
  readonly scenario: string;
  readonly step: number;
  readonly line: string;
  readonly differences: readonly Difference[];
}

export interface ConformanceReport {
  readonly scenarios: number;
  readonly steps: number;
  /** Scenarios for several nodes, which were not run. */
  readonly leftOut: number;
  readonly different: readonly DifferentStep[];
}

/** Run one scenario file against its result file. */
export function runConformance(scenarioText: string, resultText: string, law: Law): ConformanceReport {
  const recordings = parseRecordings(resultText);
  const all = parseScenarios(scenarioText);
  const chosen = all.filter((scenario) => scenario.nodes === 1);
  const reports = chosen.map((scenario) => runScenario(scenario, recordings.get(scenario.name) ?? [], law));
  return {
    scenarios: chosen.length,
    steps: chosen.reduce((sum, scenario) => sum + scenario.steps.length, 0),
    leftOut: all.length - chosen.length,
    different: reports.flat(),
  };
}

function runScenario(scenario: Scenario, recorded: readonly RecordedStep[], law: Law): DifferentStep[] {
  const device = new Device(law);
  return scenario.steps.flatMap((step, index) => {
    const ours = device.perform(step);
    const kernel = recorded[index];
    const differences =
      kernel === undefined || kernel.op !== step.line
        ? [{ field: 'op', kernel: kernel?.op ?? 'not recorded', ours: step.line }]
        : compareStep(kernel, ours);
    if (differences.length === 0) return [];
    return [{ scenario: scenario.name, step: index, line: step.line, differences }];
  });
}

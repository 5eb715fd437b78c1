/**
 * A process that holds copies of the core against the recordings, one copy a message.
 *
 * Copies that are broken may throw, or never come back; then the parent ends this
 * process and starts another. The answer is the closing line, or what was thrown.
 */
import { readCore } from '../sim/broken-core.js';
import { readRecordings } from './recordings.js';

/** The shortest first: most mutants differ in some of these already. */
const recordings = readRecordings().sort((one, other) => one.scenarios.length - other.scenarios.length);

/** Once something differs, it is found. */
function run(path: string): string {
  const { kernelLaw, runConformance, sumOf, closingLine } = readCore(path);
  const reports = [];
  for (const { scenarios, results } of recordings) {
    const report = runConformance(scenarios, results, kernelLaw);
    reports.push(report);
    if (report.different.length > 0) break;
  }
  return closingLine(sumOf(reports));
}

process.on('message', (path: string) => {
  let line: string;
  try {
    line = run(path);
  } catch (error) {
    line = `threw ${String(error)}`;
  }
  process.send!(line);
});

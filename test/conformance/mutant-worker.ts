/**
 * A process that holds copies of the core against the recordings, one copy a message.
 *
 * Copies that are broken may throw, or never come back; then the parent ends this
 * process and starts another. The answer is the closing line, or what was thrown.
 */
import { pathToFileURL } from 'node:url';
import { readRecordings } from './recordings.js';

const recordings = readRecordings();

async function run(core: string): Promise<string> {
  const load = (file: string): Promise<unknown> => import(pathToFileURL(`${core}/${file}`).href);
  const { kernelLaw } = (await load('lock/law.ts')) as typeof import('../../src/core/lock/law.js');
  const { runConformance, sumOf, closingLine } = (await load(
    'sim/conformance/conformance.ts',
  )) as typeof import('../../src/core/sim/conformance/conformance.js');
  return closingLine(sumOf(recordings.map(({ scenarios, results }) => runConformance(scenarios, results, kernelLaw))));
}

process.on('message', (core: string) => {
  run(core)
    .catch((error: unknown) => `threw ${String(error)}`)
    .then((line) => process.send!(line));
});

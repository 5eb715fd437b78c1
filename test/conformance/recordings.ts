/**
 * The recordings, from disk: which files there are, and the referee over all of
 * them or over some text of one's own.
 */
import { readFileSync, readdirSync } from 'node:fs';
import type { Law } from '../../src/core/lock/law.js';
import { runConformance, sumOf, type ConformanceReport } from '../../src/core/sim/conformance/conformance.js';

const folder = new URL('recordings/', import.meta.url);

/** A scenario file and its result file, as text. */
export interface Recording {
  readonly name: string;
  readonly scenarios: string;
  readonly results: string;
}

export function readRecordings(): Recording[] {
  const read = (path: string): string => readFileSync(new URL(path, folder), 'utf8');
  const names = readdirSync(new URL('scenarios/', folder)).map((file) => file.replace(/\.txt$/, '')).sort();
  return names.map((name) => ({ name, scenarios: read(`scenarios/${name}.txt`), results: read(`results/${name}.jsonl`) }));
}

export function runAll(recordings: readonly Recording[], law: Law): ConformanceReport {
  return sumOf(recordings.map(({ scenarios, results }) => runConformance(scenarios, results, law)));
}

/**
 * Recordings of a kernel, as they lie in folders: scenarios/NAME.txt and
 * results/NAME.jsonl, or the two side by side.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DlmError, escapeText } from '../core/index.js';

export interface Recording {
  readonly scenarios: string;
  readonly results: string;
}

/** What lies at a path: all of a folder, or one file. Throws `DLM_USAGE`. */
export function readRecordings(path: string): Recording[] {
  const files = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? scenarioFilesIn(path) : [path];
  return files.map((file) => ({ scenarios: readText(file), results: readText(resultBeside(file)) }));
}

function scenarioFilesIn(folder: string): string[] {
  const inside = join(folder, 'scenarios');
  const place = existsSync(inside) ? inside : folder;
  const names = readdirSync(place).filter((name) => name.endsWith('.txt')).sort();
  if (names.length > 0) return names.map((name) => join(place, name));
  throw new DlmError('DLM_USAGE', `there are no scenarios in ${escapeText(folder)}`, 'it should hold scenarios/*.txt and results/*.jsonl');
}

/** results/NAME.jsonl next to scenarios/NAME.txt, or NAME.jsonl in the same folder. */
function resultBeside(file: string): string {
  const name = `${basename(file, '.txt')}.jsonl`;
  const apart = join(dirname(file), '..', 'results', name);
  return existsSync(apart) ? apart : join(dirname(file), name);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : (code ?? 'unknown reason');
    throw new DlmError('DLM_USAGE', `cannot read ${escapeText(file)}: ${why}`, 'a result lies beside its scenario, or in results/');
  }
}

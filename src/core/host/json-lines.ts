/**
 * Records of what has happened, a line of JSON each, in a node's folder, where they
 * outlive the node.
 *
 * Two files of a limited length are kept, so the last records are always there. A line
 * that broke off when the machine stopped spoils itself and no other. Nobody but its
 * owner may read them. What a record means is for whoever writes and reads it.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DlmError } from '../base/errors.js';
import { prepareFolder, type Places } from './places.js';
import { codeOf, reasonOf } from './system-error.js';

export const linesBytesMax = 2 * 1024 * 1024;

const newLine = 0x0a;

export interface LinesRead<Found> {
  /** The oldest first. */
  readonly records: readonly Found[];
  /** Lines that could not be read, as one that broke off when the machine stopped. */
  readonly damaged: number;
}

export class JsonLines {
  readonly path: string;
  readonly #older: string;
  readonly #bytesMax: number;

  /** `name`: of the file, without its ending. */
  constructor(state: string, name: string, bytesMax: number = linesBytesMax) {
    this.path = join(state, `${name}.jsonl`);
    this.#older = join(state, `${name}.1.jsonl`);
    this.#bytesMax = bytesMax;
  }

  /** Throws what the system says. */
  add({ state, scope }: Pick<Places, 'state' | 'scope'>, record: object): void {
    prepareFolder(state, scope);
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
    if (append(this.path, bytes) >= this.#bytesMax) renameSync(this.path, this.#older);
  }

  /** What is kept; nothing, if nothing ever was. `recordIn`: null for what is no record. Throws `DLM_NOT_PERMITTED`, `DLM_STATE_UNUSABLE`. */
  read<Found>(recordIn: (value: unknown) => Found | null): LinesRead<Found> {
    const found = [this.#older, this.path].flatMap((path) => linesOf(path)).map((line) => recordIn(valueOf(line)));
    const records = found.filter((record) => record !== null);
    return { records, damaged: found.length - records.length };
  }
}

/** How long is the file now? A line that had broken off is ended first. */
function append(path: string, bytes: Buffer): number {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const file = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    if (size > 0) readSync(file, last, 0, 1, size - 1);
    writeSync(file, size > 0 && last[0] !== newLine ? Buffer.concat([Buffer.from([newLine]), bytes]) : bytes);
    return size + bytes.length;
  } finally {
    closeSync(file);
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter((line) => line !== '');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    const words = `cannot read ${path}: ${reasonOf(error)}`;
    if (code === 'EACCES' || code === 'EPERM') throw new DlmError('DLM_NOT_PERMITTED', words, 'ask as the user of the node, or as root');
    throw new DlmError('DLM_STATE_UNUSABLE', words);
  }
}

function valueOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}

/**
 * What has been done to fence nodes: every attempt, every outcome and every word of an
 * operator, a line of JSON each, in the node's folder, where it outlives the node.
 *
 * It is a record and decides nothing: fencing goes on when it cannot be written. Two
 * files of a limited length are kept, so the last attempts are always there. Nothing
 * secret is in it, since what agents print has been cleared before it comes here; still
 * nobody else may read it.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { prepareFolder, type Places } from './places.js';
import type { FenceAttempt } from './fence-agent.js';
import type { FenceOutcome } from './fence-methods.js';
import { codeOf, reasonOf } from './system-error.js';

export type FenceRecord =
  | ({ readonly kind: 'attempt' } & FenceAttempt)
  | ({ readonly kind: 'outcome'; readonly at: string } & Omit<FenceOutcome, 'attempts'>)
  /** An operator has said that the node is off. */
  | { readonly kind: 'ack'; readonly at: string; readonly node: number; readonly by: string; readonly reason: string; readonly evidence: string };

export interface FenceHistoryRead {
  /** The oldest first. */
  readonly records: readonly FenceRecord[];
  /** Lines that could not be read, as one that broke off when the machine stopped. */
  readonly damaged: number;
}

type Where = Pick<Places, 'state' | 'scope'>;

const bytesMax = 2 * 1024 * 1024;
const newLine = 0x0a;

const fileIn = (state: string): string => join(state, 'fence-history.jsonl');
const olderIn = (state: string): string => join(state, 'fence-history.1.jsonl');

export class FenceHistory {
  readonly #places: Where;
  readonly #log: (line: string) => void;
  readonly #bytesMax: number;

  constructor(places: Where, log: (line: string) => void, limit: number = bytesMax) {
    this.#places = places;
    this.#log = log;
    this.#bytesMax = limit;
  }

  attempt(attempt: FenceAttempt): void {
    this.#add({ kind: 'attempt', ...attempt });
  }

  outcome({ attempts: _recorded, ...rest }: FenceOutcome): void {
    this.#add({ kind: 'outcome', at: new Date().toISOString(), ...rest });
  }

  ack(node: number, by: string, reason: string, evidence: string): void {
    this.#add({ kind: 'ack', at: new Date().toISOString(), node, by, reason, evidence });
  }

  #add(record: FenceRecord): void {
    const { state, scope } = this.#places;
    try {
      prepareFolder(state, scope);
      const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
      if (append(fileIn(state), bytes) >= this.#bytesMax) renameSync(fileIn(state), olderIn(state));
    } catch (error) {
      this.#log(`cannot write to ${fileIn(state)}, so what was done about node ${record.node} is not kept: ${reasonOf(error)}`);
    }
  }
}

/** What is kept; nothing, if nothing ever was. Throws what the system says if it cannot be read. */
export function readFenceHistory({ state }: Pick<Places, 'state'>): FenceHistoryRead {
  const lines = [olderIn(state), fileIn(state)].flatMap((path) => linesOf(path));
  const records = lines.map((line) => recordIn(line));
  const good = records.filter((record) => record !== null);
  return { records: good, damaged: records.length - good.length };
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
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function recordIn(line: string): FenceRecord | null {
  try {
    const record = JSON.parse(line) as Partial<FenceRecord> | null;
    const isRecord = ['attempt', 'outcome', 'ack'].includes(record?.kind ?? '') && typeof record!.at === 'string' && Number.isSafeInteger(record!.node);
    return isRecord ? (record as FenceRecord) : null;
  } catch {
    return null;
  }
}

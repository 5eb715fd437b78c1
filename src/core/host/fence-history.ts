/**
 * What has been done to fence nodes: every attempt, every outcome and every word of an
 * operator, and what other members have told of theirs, a line of JSON each, in the
 * node's folder, where it outlives the node.
 *
 * It is a record and decides nothing: fencing goes on when it cannot be written. Nothing
 * secret is in it, since what agents print has been cleared before it comes here; still
 * nobody else may read it.
 */
import type { FenceAttempt } from './fence-agent.js';
import type { FenceOutcome } from './fence-methods.js';
import { JsonLines, type LinesRead } from './json-lines.js';
import type { Places } from './places.js';
import { reasonOf } from './system-error.js';

export type FenceRecord =
  | ({ readonly kind: 'attempt' } & FenceAttempt)
  | ({ readonly kind: 'outcome'; readonly at: string } & Omit<FenceOutcome, 'attempts'>)
  /** An operator has said that the node is off. */
  | { readonly kind: 'ack'; readonly at: string; readonly node: number; readonly by: string; readonly reason: string; readonly evidence: string }
  /** Another member has said that the node was fenced, or that an operator there has said so. */
  | { readonly kind: 'heard'; readonly at: string; readonly node: number; readonly verdict: 'fenced' | 'acknowledged'; readonly from: number; readonly words: string };

export type FenceHistoryRead = LinesRead<FenceRecord>;

type Where = Pick<Places, 'state' | 'scope'>;

const fileName = 'fence-history';

export class FenceHistory {
  readonly #places: Where;
  readonly #log: (line: string) => void;
  readonly #lines: JsonLines;

  constructor(places: Where, log: (line: string) => void, limit?: number) {
    this.#places = places;
    this.#log = log;
    this.#lines = new JsonLines(places.state, fileName, limit);
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

  /** `words`: in what way; or who has said so, and why. */
  heard(node: number, verdict: 'fenced' | 'acknowledged', from: number, words: string): void {
    this.#add({ kind: 'heard', at: new Date().toISOString(), node, verdict, from, words });
  }

  #add(record: FenceRecord): void {
    try {
      this.#lines.add(this.#places, record);
    } catch (error) {
      this.#log(`cannot write to ${this.#lines.path}, so what was done about node ${record.node} is not kept: ${reasonOf(error)}`);
    }
  }
}

/** What is kept; nothing, if nothing ever was. Throws `DLM_NOT_PERMITTED`, `DLM_STATE_UNUSABLE`. */
export function readFenceHistory({ state }: Pick<Places, 'state'>): FenceHistoryRead {
  return new JsonLines(state, fileName).read(recordIn);
}

function recordIn(value: unknown): FenceRecord | null {
  const record = value as Partial<FenceRecord> | null;
  const isRecord = ['attempt', 'outcome', 'ack', 'heard'].includes(record?.kind ?? '') && typeof record!.at === 'string' && Number.isSafeInteger(record!.node);
  return isRecord ? (record as FenceRecord) : null;
}

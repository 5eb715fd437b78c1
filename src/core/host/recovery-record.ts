/**
 * The record of one recovery of one lockspace, as one of its members has seen it: what
 * it is made of, reading what is kept, and holding it against the order that was asked for.
 *
 * It is read long after it was written, and by another version maybe: a line that is no
 * record is counted as damaged and skipped.
 */
import { nodeId, type NodeId } from '../base/ids.js';
import { checkTrace, parseOrder, type Step } from '../node/snapshot.js';
import { JsonLines, type LinesRead } from './json-lines.js';
import type { Places } from './places.js';

export interface RecordedStep {
  readonly step: Step;
  readonly state: 'begun' | 'ended' | 'failed';
  /** Where it was done. */
  readonly node: number;
  /** The failed member that it is about; null: about all. */
  readonly victim: number | null;
  readonly words: string;
  /** When, by the clock on the wall. */
  readonly at: string;
  /** And since the recovery began, by a clock that does not jump. */
  readonly millis: number;
}

/** A phase of the recovery of locks. */
export interface RecordedPhase {
  readonly phase: string;
  readonly millis: number;
  /** Who ended it last; null: nobody, for another view came before its end. */
  readonly slowest: number | null;
}

export interface RecoveryRecord {
  readonly kind: 'recovery';
  readonly lockspace: string;
  /** Null: it goes on, and has no number yet, because not all members have been heard. */
  readonly generation: number | null;
  readonly order: string;
  /** Who has seen it so. */
  readonly node: number;
  /** The views it went through; the last one was recovered in. */
  readonly views: readonly number[];
  /** When it began. */
  readonly at: string;
  readonly members: readonly number[];
  readonly victims: readonly number[];
  /** Of these, whose application alone had died: it was seen to have ended, the node lived on, and there was nobody to fence. */
  readonly lived: readonly number[];
  /** Of the victims, whose data had to be put in order. */
  readonly toRecover: readonly number[];
  readonly left: readonly number[];
  readonly came: readonly number[];
  readonly steps: readonly RecordedStep[];
  readonly phases: readonly RecordedPhase[];
  /** Until locks were recovered; null: they are not yet. Where the order has `resume`, nobody is granted anything new until the end. */
  readonly stoppedMillis: number | null;
  /** Until the last step had ended; null: it goes on. */
  readonly totalMillis: number | null;
}

export type RecoveryHistory = LinesRead<RecoveryRecord>;

export const recordsFile = 'recoveries';

/** What is kept; nothing, if nothing ever was. Throws `DLM_NOT_PERMITTED`, `DLM_STATE_UNUSABLE`. */
export function readRecoveries({ state }: Pick<Places, 'state'>): RecoveryHistory {
  return new JsonLines(state, recordsFile).read(recordIn);
}

function recordIn(value: unknown): RecoveryRecord | null {
  const record = value as Partial<RecoveryRecord> | null;
  const lists = [record?.views, record?.members, record?.victims, record?.toRecover, record?.left, record?.came, record?.steps, record?.phases];
  const isRecord = record?.kind === 'recovery' && typeof record.lockspace === 'string' && typeof record.order === 'string' && lists.every(Array.isArray);
  // Older records do not tell who lived.
  return isRecord && Number.isSafeInteger(record.generation) && Number.isSafeInteger(record.node) ? { ...(record as RecoveryRecord), lived: record.lived ?? [] } : null;
}

/** Each deviation from the order, in words; none: all was in order. */
export function deviationsIn(record: RecoveryRecord): string[] {
  // Where nobody has failed, locks are recovered and there is nothing else to do.
  const order = parseOrder(record.victims.length === 0 ? 'none' : record.order);
  if ('problem' in order) return [order.problem];
  const nodes = (some: readonly number[]): NodeId[] => some.map((node) => nodeId(node));
  const events = record.steps
    .filter(({ step }) => record.victims.length > 0 || order.steps.has(step))
    .map(({ step, state, node, victim }) => ({ step, state, node: nodeId(node), victim: victim === null ? null : nodeId(victim) }));
  const { victims, lived, members, toRecover } = record;
  return checkTrace(order, { self: nodeId(record.node), members: nodes(members), victims: nodes(victims), lived: nodes(lived), toRecover: nodes(toRecover) }, events);
}

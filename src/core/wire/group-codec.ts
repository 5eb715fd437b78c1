/**
 * The bodies of the messages of the families `group` and `application`, one pair of
 * functions a kind: what one writes the other reads. Asked by codec.ts, which has written
 * or read the envelope.
 */
import { incarnation, nodeId, viewId, type LockspaceId, type ViewId } from '../base/ids.js';
import type { ByteReader } from './byte-reader.js';
import { numberBytesMax, type ByteWriter } from './byte-writer.js';
import { codeOf, verdicts } from './kinds.js';
import { readBoolean } from './lock-codec.js';
import type { CaseVerdict, Census, FailureCase, SlotResult, Verdict } from './message.js';
import { readPending, writeList, writePending } from './recovery-codec.js';

function readVerdict(reader: ByteReader): Verdict {
  return verdicts[reader.code(verdicts.length, 'verdict')]!;
}

export function writeCensus(writer: ByteWriter, { isNew, cases }: Census): void {
  writer.byte(isNew ? 1 : 0);
  writeList(writer, cases, (one) => writeCase(writer, one));
}

export function readCensus(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Census {
  return { kind: 'census', lockspace, seq, isNew: readBoolean(reader), cases: reader.list(readCase) };
}

function writeCase(writer: ByteWriter, one: FailureCase): void {
  writer.number(one.victim);
  writer.number(one.incarnation);
  writer.number(one.since);
  writer.byte(codeOf(verdicts, one.verdict));
  writer.number(one.by ?? 0);
  writer.number(one.attempts);
  writer.name(one.name);
  writer.words(one.words);
  writeList(writer, one.lockspaces, (name) => writer.name(name));
  writer.reserve(numberBytesMax);
  writeList(writer, one.witnesses, (node) => writer.number(node));
}

function readCase(reader: ByteReader): FailureCase {
  const victim = nodeId(reader.number());
  const life = incarnation(reader.number());
  const since = viewId(reader.number());
  const verdict = readVerdict(reader);
  const by = reader.number();
  const attempts = reader.number();
  const name = reader.name();
  const words = reader.words();
  const lockspaces = reader.list((item) => item.name());
  const witnesses = reader.list((item) => nodeId(item.number()));
  return { victim, incarnation: life, name, since, lockspaces, witnesses, verdict, by: by === 0 ? null : nodeId(by), words, attempts };
}

export function writeVerdict(writer: ByteWriter, message: CaseVerdict): void {
  writer.number(message.victim);
  writer.number(message.incarnation);
  writer.byte(codeOf(verdicts, message.verdict));
  writer.number(message.attempts);
  writer.words(message.words);
}

export function readCaseVerdict(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): CaseVerdict {
  const victim = nodeId(reader.number());
  const life = incarnation(reader.number());
  const verdict = readVerdict(reader);
  const attempts = reader.number();
  return { kind: 'verdict', lockspace, seq, victim, incarnation: life, verdict, words: reader.words(), attempts };
}

export function writeSlotResult(writer: ByteWriter, { isDone, work }: SlotResult): void {
  writer.byte(isDone ? 1 : 0);
  writePending(writer, work);
}

export function readSlotResult(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): SlotResult {
  return { kind: 'slotResult', lockspace, seq, isDone: readBoolean(reader), work: readPending(reader) };
}

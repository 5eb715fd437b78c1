/**
 * The bodies of the messages of the family `inspection`, one pair of functions a kind:
 * what one writes the other reads. Asked by codec.ts, which has written or read the envelope.
 */
import type { LockspaceId, ViewId } from '../base/ids.js';
import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import { readBoolean } from './lock-codec.js';
import type { Inspect, InspectReply } from './message.js';

export function writeInspect(writer: ByteWriter, { question, name }: Inspect): void {
  writer.number(question);
  writer.byte(name === null ? 0 : 1);
  if (name !== null) writer.name(name);
}

export function readInspect(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Inspect {
  const question = reader.number();
  return { kind: 'inspect', lockspace, seq, question, name: readBoolean(reader) ? reader.name() : null };
}

export function writeInspectReply(writer: ByteWriter, { question, text }: InspectReply): void {
  writer.number(question);
  writer.text(text);
}

export function readInspectReply(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): InspectReply {
  return { kind: 'inspectReply', lockspace, seq, question: reader.number(), text: reader.text() };
}

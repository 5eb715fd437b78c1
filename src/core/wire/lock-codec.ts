/**
 * The bodies of the messages of the family `lock`, one pair of functions a kind: what
 * one writes the other reads, field by field in the order of message.ts.
 *
 * Asked by codec.ts, which has written or read the envelope. Nothing here knows a frame.
 */
import { generation, lkid, nodeId, ownerId, type LockspaceId, type ViewId } from '../base/ids.js';
import { EX, IV, type Mode, type ModeOrNone } from '../lock/mode.js';
import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import { cancelStatuses, codeOf, standings, valueStates } from './kinds.js';
import type { Answer, Blocking, Cancel, Convert, LookupReply, Purge, Remove, Request, Unlock } from './message.js';

export function readMode(reader: ByteReader): Mode {
  return reader.code(EX + 1, 'mode') as Mode;
}

export function writeModeOrNone(writer: ByteWriter, mode: ModeOrNone): void {
  writer.byte(mode - IV);
}

export function readModeOrNone(reader: ByteReader): ModeOrNone {
  return (reader.code(EX + 1 - IV, 'mode') + IV) as ModeOrNone;
}

export function readBoolean(reader: ByteReader): boolean {
  return reader.code(2, 'yes or no') === 1;
}

export function writeRequest(writer: ByteWriter, message: Request): void {
  writer.number(message.lkid);
  writer.byte(message.mode);
  writer.number(message.flags);
  writer.byte(message.isLookup ? 1 : 0);
  writer.name(message.name);
  writer.value(message.value);
}

export function readRequest(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Request {
  const id = lkid(reader.number());
  const mode = readMode(reader);
  const flags = reader.number();
  const isLookup = readBoolean(reader);
  const name = reader.name();
  return { kind: 'request', lockspace, seq, lkid: id, name, mode, flags, value: reader.value(), isLookup };
}

export function writeConvert(writer: ByteWriter, message: Convert): void {
  writer.number(message.lkid);
  writer.number(message.masterLkid);
  writer.byte(message.mode);
  writer.number(message.flags);
  writer.value(message.value);
}

export function readConvert(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Convert {
  const id = lkid(reader.number());
  const masterLkid = lkid(reader.number());
  const mode = readMode(reader);
  const flags = reader.number();
  return { kind: 'convert', lockspace, seq, lkid: id, masterLkid, mode, flags, value: reader.value() };
}

export function writeUnlock(writer: ByteWriter, message: Unlock): void {
  writer.number(message.lkid);
  writer.number(message.masterLkid);
  writer.number(message.flags);
  writer.value(message.value);
}

export function readUnlock(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Unlock {
  const id = lkid(reader.number());
  const masterLkid = lkid(reader.number());
  const flags = reader.number();
  return { kind: 'unlock', lockspace, seq, lkid: id, masterLkid, flags, value: reader.value() };
}

export function writeCancel(writer: ByteWriter, message: Cancel): void {
  writer.number(message.lkid);
  writer.number(message.masterLkid);
  writer.number(message.flags);
  writer.byte(codeOf(cancelStatuses, message.status));
}

export function readCancel(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Cancel {
  const id = lkid(reader.number());
  const masterLkid = lkid(reader.number());
  const flags = reader.number();
  const status = cancelStatuses[reader.code(cancelStatuses.length, 'status')]!;
  return { kind: 'cancel', lockspace, seq, lkid: id, masterLkid, flags, status };
}

export function writeAnswer(writer: ByteWriter, message: Answer): void {
  writer.number(message.lkid);
  writer.number(message.masterLkid);
  writer.byte(codeOf(standings, message.standing));
  writeModeOrNone(writer, message.mode);
  writer.number(message.results);
  writer.byte(codeOf(valueStates, message.valueState));
  writer.number(message.valueSequence);
  writer.number(message.generation);
  writer.number(message.mastership);
  writer.number(message.sequence);
  writer.signed(message.queueNumber);
  writer.value(message.value);
}

export function readAnswer(reader: ByteReader, kind: Answer['kind'], lockspace: LockspaceId, seq: ViewId): Answer {
  const id = lkid(reader.number());
  const masterLkid = lkid(reader.number());
  const standing = standings[reader.code(standings.length, 'standing')]!;
  const mode = readModeOrNone(reader);
  const results = reader.number();
  const valueState = valueStates[reader.code(valueStates.length, 'state of a value')]!;
  const valueSequence = reader.number();
  const ofGeneration = generation(reader.number());
  const mastership = reader.number();
  const sequence = reader.number();
  const queueNumber = reader.signed();
  return {
    kind,
    lockspace,
    seq,
    lkid: id,
    masterLkid,
    standing,
    mode,
    results,
    value: reader.value(),
    valueState,
    valueSequence,
    generation: ofGeneration,
    mastership,
    sequence,
    queueNumber,
  };
}

export function writeBlocking(writer: ByteWriter, message: Blocking): void {
  writer.number(message.lkid);
  writer.byte(message.mode);
}

export function readBlocking(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Blocking {
  return { kind: 'blocking', lockspace, seq, lkid: lkid(reader.number()), mode: readMode(reader) };
}

export function writeLookupReply(writer: ByteWriter, message: LookupReply): void {
  writer.number(message.lkid);
  writer.number(message.master);
  writer.number(message.mastership);
}

export function readLookupReply(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): LookupReply {
  const id = lkid(reader.number());
  const master = nodeId(reader.number());
  return { kind: 'lookupReply', lockspace, seq, lkid: id, master, mastership: reader.number() };
}

export function writeRemove(writer: ByteWriter, message: Remove): void {
  writer.number(message.mastership);
  writer.name(message.name);
}

export function readRemove(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Remove {
  const mastership = reader.number();
  return { kind: 'remove', lockspace, seq, name: reader.name(), mastership };
}

export function writePurge(writer: ByteWriter, message: Purge): void {
  writer.byte(message.formerOwner === null ? 0 : 1);
  if (message.formerOwner !== null) writer.number(message.formerOwner);
}

export function readPurge(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Purge {
  return { kind: 'purge', lockspace, seq, formerOwner: readBoolean(reader) ? ownerId(reader.number()) : null };
}

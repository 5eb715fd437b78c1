/**
 * A message as bytes, and back.
 *
 *   kind: byte · lockspace: four bytes · seq: number · what the kind has, in the order of message.ts
 *
 * Numbers take as many bytes as they need, modes and other words one. Reading throws a
 * `WireError` at anything that writing would not have written. Which frame a message
 * travels in is not known here (session.ts).
 */
import { lockspaceId, viewId } from '../base/ids.js';
import { unreachable } from '../base/assert.js';
import type { ByteReader } from './byte-reader.js';
import type { ByteWriter } from './byte-writer.js';
import { readCaseVerdict, readCensus, readSlotResult, writeCensus, writeSlotResult, writeVerdict } from './group-codec.js';
import { readInspect, readInspectReply, writeInspect, writeInspectReply } from './inspection-codec.js';
import { kindCodes } from './kinds.js';
import {
  readAnswer,
  readBlocking,
  readCancel,
  readConvert,
  readLookupReply,
  readPurge,
  readRemove,
  readRequest,
  readUnlock,
  writeAnswer,
  writeBlocking,
  writeCancel,
  writeConvert,
  writeLookupReply,
  writePurge,
  writeRemove,
  writeRequest,
  writeUnlock,
} from './lock-codec.js';
import type { Message } from './message.js';
import {
  readMasterLookup,
  readMasterLookupReply,
  readNames,
  readNamesReply,
  readProceed,
  readReached,
  readRebuildLocks,
  readRebuildLocksReply,
  writeMasterLookup,
  writeMasterLookupReply,
  writeNames,
  writeNamesReply,
  writeProceed,
  writeReached,
  writeRebuildLocks,
  writeRebuildLocksReply,
} from './recovery-codec.js';

/** Room for all of a message that does not ask for its own: no kind has more than twenty numbers outside its lists. */
const fixedBytesMax = 192;

/** Write a message at the end of the frame. A message that breaks a limit is a mistake of ours and fails an assertion. */
export function encodeMessage(writer: ByteWriter, message: Message): void {
  writer.reserve(fixedBytesMax);
  writer.byte(kindCodes[message.kind]);
  writer.word(message.lockspace);
  writer.number(message.seq);
  writeBody(writer, message);
}

function writeBody(writer: ByteWriter, message: Message): void {
  switch (message.kind) {
    case 'request':
      return writeRequest(writer, message);
    case 'convert':
      return writeConvert(writer, message);
    case 'unlock':
      return writeUnlock(writer, message);
    case 'cancel':
      return writeCancel(writer, message);
    case 'requestReply':
    case 'convertReply':
    case 'unlockReply':
    case 'cancelReply':
    case 'grant':
      return writeAnswer(writer, message);
    case 'blocking':
      return writeBlocking(writer, message);
    case 'lookupReply':
      return writeLookupReply(writer, message);
    case 'remove':
      return writeRemove(writer, message);
    case 'purge':
      return writePurge(writer, message);
    case 'reached':
      return writeReached(writer, message);
    case 'proceed':
      return writeProceed(writer, message);
    case 'names':
      return writeNames(writer, message);
    case 'namesReply':
      return writeNamesReply(writer, message);
    case 'masterLookup':
      return writeMasterLookup(writer, message);
    case 'masterLookupReply':
      return writeMasterLookupReply(writer, message);
    case 'rebuildLocks':
      return writeRebuildLocks(writer, message);
    case 'rebuildLocksReply':
      return writeRebuildLocksReply(writer, message);
    case 'inspect':
      return writeInspect(writer, message);
    case 'inspectReply':
      return writeInspectReply(writer, message);
    case 'census':
      return writeCensus(writer, message);
    case 'verdict':
      return writeVerdict(writer, message);
    case 'slotResult':
      return writeSlotResult(writer, message);
    default:
      return unreachable(message);
  }
}

/** The next message of the frame. Throws `WireError`. */
export function decodeMessage(reader: ByteReader): Message {
  const code = reader.byte();
  const lockspace = lockspaceId(reader.word());
  const seq = viewId(reader.number());
  switch (code) {
    case kindCodes.request:
      return readRequest(reader, lockspace, seq);
    case kindCodes.convert:
      return readConvert(reader, lockspace, seq);
    case kindCodes.unlock:
      return readUnlock(reader, lockspace, seq);
    case kindCodes.cancel:
      return readCancel(reader, lockspace, seq);
    case kindCodes.requestReply:
      return readAnswer(reader, 'requestReply', lockspace, seq);
    case kindCodes.convertReply:
      return readAnswer(reader, 'convertReply', lockspace, seq);
    case kindCodes.unlockReply:
      return readAnswer(reader, 'unlockReply', lockspace, seq);
    case kindCodes.cancelReply:
      return readAnswer(reader, 'cancelReply', lockspace, seq);
    case kindCodes.grant:
      return readAnswer(reader, 'grant', lockspace, seq);
    case kindCodes.blocking:
      return readBlocking(reader, lockspace, seq);
    case kindCodes.lookupReply:
      return readLookupReply(reader, lockspace, seq);
    case kindCodes.remove:
      return readRemove(reader, lockspace, seq);
    case kindCodes.purge:
      return readPurge(reader, lockspace, seq);
    case kindCodes.reached:
      return readReached(reader, lockspace, seq);
    case kindCodes.proceed:
      return readProceed(reader, lockspace, seq);
    case kindCodes.names:
      return readNames(reader, lockspace, seq);
    case kindCodes.namesReply:
      return readNamesReply(reader, lockspace, seq);
    case kindCodes.masterLookup:
      return readMasterLookup(reader, lockspace, seq);
    case kindCodes.masterLookupReply:
      return readMasterLookupReply(reader, lockspace, seq);
    case kindCodes.rebuildLocks:
      return readRebuildLocks(reader, lockspace, seq);
    case kindCodes.rebuildLocksReply:
      return readRebuildLocksReply(reader, lockspace, seq);
    case kindCodes.inspect:
      return readInspect(reader, lockspace, seq);
    case kindCodes.inspectReply:
      return readInspectReply(reader, lockspace, seq);
    case kindCodes.census:
      return readCensus(reader, lockspace, seq);
    case kindCodes.verdict:
      return readCaseVerdict(reader, lockspace, seq);
    case kindCodes.slotResult:
      return readSlotResult(reader, lockspace, seq);
    default:
      throw reader.error('badCode', `${code} stands for no kind of message`);
  }
}

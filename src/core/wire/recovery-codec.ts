/**
 * The bodies of the messages of the family `recovery`, one pair of functions a kind:
 * what one writes the other reads.
 *
 * Asked by codec.ts, which has written or read the envelope. A list says how long it is
 * and asks for room item by item; of two lists that belong together one length is told.
 */
import { assert } from '../base/assert.js';
import { generation, lkid, nodeId, slot, viewId, type Lkid, type LockspaceId, type NodeId, type ViewId } from '../base/ids.js';
import type { ByteReader } from './byte-reader.js';
import { numberBytesMax, type ByteWriter } from './byte-writer.js';
import { codeOf, phaseNames } from './kinds.js';
import { listMax } from './limits.js';
import { readBoolean, readModeOrNone, writeModeOrNone } from './lock-codec.js';
import type {
  LockRecord,
  MasterLookup,
  MasterLookupReply,
  MemberReport,
  MemberSlot,
  Names,
  NamesReply,
  PendingSlot,
  PhaseName,
  Proceed,
  Reached,
  RebuildLocks,
  RebuildLocksReply,
} from './message.js';

/** Room for the numbers and words of one item of a list. */
const itemBytesMax = 12 * numberBytesMax;

export function writeList<Item>(writer: ByteWriter, items: readonly Item[], write: (item: Item, index: number) => void): void {
  assert(items.length <= listMax, `a list of ${items.length}, and ${listMax} is the most`);
  writer.number(items.length);
  items.forEach((item, index) => {
    writer.reserve(itemBytesMax);
    write(item, index);
  });
}

function readPhase(reader: ByteReader): PhaseName {
  return phaseNames[reader.code(phaseNames.length, 'phase')]!;
}

export function writeReached(writer: ByteWriter, message: Reached): void {
  const { phase, report } = message;
  writer.byte(codeOf(phaseNames, phase));
  writer.byte(report === null ? 0 : 1);
  if (report === null) return;
  writer.byte(report.slot === null ? 0 : 1);
  if (report.slot !== null) writer.number(report.slot);
  writer.number(report.generation);
  writeTerms(writer, report.terms);
  writer.byte(report.hasApplication ? 1 : 0);
  writer.byte(report.hasResumed ? 1 : 0);
  writer.byte(report.isInitialized ? 1 : 0);
  writeList(writer, report.pending, (one) => writePending(writer, one));
  writer.reserve(itemBytesMax);
  writeList(writer, report.recovered, (one) => writePending(writer, one));
}

export function readReached(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Reached {
  const phase = readPhase(reader);
  return { kind: 'reached', lockspace, seq, phase, report: readBoolean(reader) ? readReport(reader) : null };
}

function readReport(reader: ByteReader): MemberReport {
  const own = readBoolean(reader) ? slot(reader.number()) : null;
  const heard = generation(reader.number());
  const terms = reader.list((item) => item.name());
  const hasApplication = readBoolean(reader);
  const hasResumed = readBoolean(reader);
  const isInitialized = readBoolean(reader);
  const pending = reader.list(readPending);
  return { slot: own, generation: heard, terms, hasApplication, hasResumed, isInitialized, pending, recovered: reader.list(readPending) };
}

export function writePending(writer: ByteWriter, pending: PendingSlot): void {
  writer.number(pending.slot ?? 0);
  writer.number(pending.victim ?? 0);
  writer.number(pending.since);
  writer.number(pending.by ?? 0);
  writer.number(pending.tries);
}

export function readPending(reader: ByteReader): PendingSlot {
  const number = reader.number();
  const victim = reader.number();
  const since = viewId(reader.number());
  const by = reader.number();
  return {
    slot: number === 0 ? null : slot(number),
    victim: victim === 0 ? null : nodeId(victim),
    since,
    by: by === 0 ? null : nodeId(by),
    tries: reader.number(),
  };
}

export function writeProceed(writer: ByteWriter, message: Proceed): void {
  writer.byte(codeOf(phaseNames, message.phase));
  writer.number(message.last);
  writer.number(message.generation);
  writeList(writer, message.slots, (member) => {
    writer.number(member.node);
    writer.number(member.slot);
    writer.byte(member.hasApplication ? 1 : 0);
    writer.byte(member.hasResumed ? 1 : 0);
  });
  writer.reserve(itemBytesMax);
  writeList(writer, message.pending, (one) => writePending(writer, one));
  writer.reserve(itemBytesMax);
  writeTerms(writer, message.terms);
}

function writeTerms(writer: ByteWriter, terms: readonly string[]): void {
  writeList(writer, terms, (term) => writer.name(term));
  writer.reserve(itemBytesMax);
}

export function readProceed(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Proceed {
  const phase = readPhase(reader);
  const last = nodeId(reader.number());
  const reached = generation(reader.number());
  const slots = reader.list(readMemberSlot);
  return { kind: 'proceed', lockspace, seq, phase, last, generation: reached, slots, pending: reader.list(readPending), terms: reader.list((item) => item.name()) };
}

function readMemberSlot(reader: ByteReader): MemberSlot {
  const node = nodeId(reader.number());
  const number = slot(reader.number());
  const hasApplication = readBoolean(reader);
  return { node, slot: number, hasApplication, hasResumed: readBoolean(reader) };
}

export function writeNames(writer: ByteWriter, message: Names): void {
  assert(message.names.length === message.masterships.length, 'each name has its mastership');
  writer.number(message.batch);
  writeList(writer, message.names, (name, index) => {
    writer.number(message.masterships[index]!);
    writer.name(name);
  });
}

export function readNames(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): Names {
  const batch = reader.number();
  const masterships: number[] = [];
  const names = reader.list((item) => {
    masterships.push(item.number());
    return item.name();
  });
  return { kind: 'names', lockspace, seq, batch, names, masterships };
}

export function writeNamesReply(writer: ByteWriter, message: NamesReply): void {
  writer.number(message.batch);
}

export function readNamesReply(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): NamesReply {
  return { kind: 'namesReply', lockspace, seq, batch: reader.number() };
}

export function writeMasterLookup(writer: ByteWriter, message: MasterLookup): void {
  writer.number(message.batch);
  writeList(writer, message.names, (name) => writer.name(name));
}

export function readMasterLookup(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): MasterLookup {
  const batch = reader.number();
  return { kind: 'masterLookup', lockspace, seq, batch, names: reader.list((item) => item.name()) };
}

export function writeMasterLookupReply(writer: ByteWriter, message: MasterLookupReply): void {
  assert(message.masters.length === message.masterships.length, 'each master has its mastership');
  writer.number(message.batch);
  writeList(writer, message.masters, (master, index) => {
    writer.number(master);
    writer.number(message.masterships[index]!);
  });
}

export function readMasterLookupReply(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): MasterLookupReply {
  const batch = reader.number();
  const masterships: number[] = [];
  const masters = reader.list((item): NodeId => {
    const master = nodeId(item.number());
    masterships.push(item.number());
    return master;
  });
  return { kind: 'masterLookupReply', lockspace, seq, batch, masters, masterships };
}

export function writeRebuildLocks(writer: ByteWriter, message: RebuildLocks): void {
  writer.number(message.batch);
  writeList(writer, message.locks, (lock) => writeLockRecord(writer, lock));
}

export function readRebuildLocks(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): RebuildLocks {
  const batch = reader.number();
  return { kind: 'rebuildLocks', lockspace, seq, batch, locks: reader.list(readLockRecord) };
}

function writeLockRecord(writer: ByteWriter, lock: LockRecord): void {
  writer.number(lock.lkid);
  writeModeOrNone(writer, lock.granted);
  writeModeOrNone(writer, lock.requested);
  writer.number(lock.flags);
  writer.number(lock.results);
  writer.number(lock.valueSequence);
  writer.number(lock.generation);
  writer.number(lock.mastership);
  writer.number(lock.sequence);
  writer.signed(lock.queueNumber);
  writer.name(lock.name);
  writer.value(lock.value);
}

function readLockRecord(reader: ByteReader): LockRecord {
  const id = lkid(reader.number());
  const granted = readModeOrNone(reader);
  const requested = readModeOrNone(reader);
  const flags = reader.number();
  const results = reader.number();
  const valueSequence = reader.number();
  const ofGeneration = generation(reader.number());
  const mastership = reader.number();
  const sequence = reader.number();
  const queueNumber = reader.signed();
  const name = reader.name();
  return {
    lkid: id,
    name,
    granted,
    requested,
    flags,
    results,
    value: reader.value(),
    valueSequence,
    generation: ofGeneration,
    mastership,
    sequence,
    queueNumber,
  };
}

export function writeRebuildLocksReply(writer: ByteWriter, message: RebuildLocksReply): void {
  writer.number(message.batch);
  writeList(writer, message.masterLkids, (id) => writer.number(id));
}

export function readRebuildLocksReply(reader: ByteReader, lockspace: LockspaceId, seq: ViewId): RebuildLocksReply {
  const batch = reader.number();
  return { kind: 'rebuildLocksReply', lockspace, seq, batch, masterLkids: reader.list((item): Lkid => lkid(item.number())) };
}

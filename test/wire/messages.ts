/**
 * Any message at all, for fast-check, and a plain one with a number in it.
 *
 * Asked by the tests of the codec, of sessions and of links. Every field takes every
 * value it may have, and those at the edges often.
 */
import fc, { type Arbitrary } from 'fast-check';
import { generation, incarnation, lkid, lockspaceId, nodeId, ownerId, slot, viewId } from '../../src/core/base/ids.js';
import { modes, type ModeOrNone } from '../../src/core/lock/mode.js';
import { cancelStatuses, kindCodes, phaseNames, standings, valueStates, verdicts } from '../../src/core/wire/kinds.js';
import { listMax, nameBytesMax, valueBytesMax, wordsBytesMax } from '../../src/core/wire/limits.js';
import type { Answer, LockRecord, Message, NamesReply } from '../../src/core/wire/message.js';

const edges = [0, 1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 53 - 1];
const count = fc.oneof(fc.constantFrom(...edges), fc.nat(), fc.nat(300), fc.maxSafeNat());
const signed = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 2 ** 52 - 1, -(2 ** 52 - 1), 2 ** 40, -(2 ** 40)));
const characters = (maxLength: number): Arbitrary<string> => fc.array(fc.nat(255), { maxLength }).map((codes) => String.fromCharCode(...codes));
const name = characters(nameBytesMax);
const words = fc.oneof(characters(nameBytesMax), characters(wordsBytesMax), fc.constant('\xff'.repeat(wordsBytesMax)));
const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: valueBytesMax, maxLength: valueBytesMax }));
const value = fc.option(bytes, { nil: null });
const mode = fc.constantFrom(...modes);
const modeOrNone = fc.constantFrom<ModeOrNone>(-1, ...modes);
const list = <Item>(item: Arbitrary<Item>): Arbitrary<Item[]> => fc.array(item, { maxLength: 12 });

const lkids = count.map(lkid);
const generations = count.map(generation);
const envelope = { lockspace: fc.nat(0xffff_ffff).map(lockspaceId), seq: count.map(viewId) };

function of<Kind extends Message['kind'], Fields extends object>(
  kind: Kind,
  fields: { [Key in keyof Fields]: Arbitrary<Fields[Key]> },
): Arbitrary<{ kind: Kind } & Fields> {
  return fc.record({ kind: fc.constant(kind), ...envelope, ...fields }, { noNullPrototype: true }) as unknown as Arbitrary<
    { kind: Kind } & Fields
  >;
}

const answer = (kind: Answer['kind']): Arbitrary<unknown> =>
  of(kind, {
    lkid: lkids,
    masterLkid: lkids,
    standing: fc.constantFrom(...standings),
    mode: modeOrNone,
    results: count,
    value,
    valueState: fc.constantFrom(...valueStates),
    valueSequence: count,
    generation: generations,
    mastership: count,
    sequence: count,
    queueNumber: signed,
  });

const lockRecord: Arbitrary<LockRecord> = fc.record(
  {
    lkid: lkids,
    name,
    granted: modeOrNone,
    requested: modeOrNone,
    flags: count,
    results: count,
    value,
    valueSequence: count,
    generation: generations,
    mastership: count,
    sequence: count,
    queueNumber: signed,
  },
  { noNullPrototype: true },
);

/** Two lists of one length. */
const paired = <Key extends string, Item>(key: Key, item: Arbitrary<Item>): Arbitrary<Record<string, unknown>> =>
  list(fc.tuple(item, count)).map((pairs) => ({
    [key]: pairs.map(([first]) => first),
    masterships: pairs.map(([, mastership]) => mastership),
  }));

const batched = <Kind extends Message['kind']>(kind: Kind, rest: Arbitrary<Record<string, unknown>>): Arbitrary<unknown> =>
  fc.tuple(of(kind, { batch: count }), rest).map(([head, lists]) => ({ ...head, ...lists }));

/** A number of somebody or something, never 0, or none. */
const some = fc.maxSafeNat().map((number) => Math.max(1, number));
const slotOrNone = fc.option(some.map(slot), { nil: null });
const nodeOrNone = fc.option(some.map(nodeId), { nil: null });
const pendingSlot = fc.record(
  { slot: slotOrNone, victim: nodeOrNone, since: count.map(viewId), by: nodeOrNone, tries: count },
  { noNullPrototype: true },
);
const report = fc.record(
  {
    slot: fc.option(count.map(slot), { nil: null }),
    generation: generations,
    terms: list(name),
    hasApplication: fc.boolean(),
    hasResumed: fc.boolean(),
    isInitialized: fc.boolean(),
    pending: list(pendingSlot),
    recovered: list(pendingSlot),
  },
  { noNullPrototype: true },
);
const memberSlot = fc.record(
  { node: count.map(nodeId), slot: count.map(slot), hasApplication: fc.boolean(), hasResumed: fc.boolean() },
  { noNullPrototype: true },
);
const verdict = fc.constantFrom(...verdicts);
const failureCase = fc.record(
  {
    victim: count.map(nodeId),
    incarnation: count.map(incarnation),
    name,
    since: count.map(viewId),
    lockspaces: list(name),
    witnesses: list(count.map(nodeId)),
    verdict,
    by: nodeOrNone,
    words,
    attempts: count,
  },
  { noNullPrototype: true },
);
const phase = fc.constantFrom(...phaseNames);

/** One for each kind, so that none is forgotten. */
const ofEachKind: Readonly<Record<Message['kind'], Arbitrary<unknown>>> = {
  request: of('request', { lkid: lkids, name, mode, flags: count, value, isLookup: fc.boolean() }),
  convert: of('convert', { lkid: lkids, masterLkid: lkids, mode, flags: count, value }),
  unlock: of('unlock', { lkid: lkids, masterLkid: lkids, flags: count, value }),
  cancel: of('cancel', { lkid: lkids, masterLkid: lkids, flags: count, status: fc.constantFrom(...cancelStatuses) }),
  requestReply: answer('requestReply'),
  convertReply: answer('convertReply'),
  unlockReply: answer('unlockReply'),
  cancelReply: answer('cancelReply'),
  grant: answer('grant'),
  blocking: of('blocking', { lkid: lkids, mode }),
  lookupReply: of('lookupReply', { lkid: lkids, master: count.map(nodeId), mastership: count }),
  remove: of('remove', { name, mastership: count }),
  purge: of('purge', { formerOwner: fc.option(count.map(ownerId), { nil: null }) }),
  reached: of('reached', { phase, report: fc.option(report, { nil: null }) }),
  proceed: of('proceed', { phase, last: count.map(nodeId), generation: generations, slots: list(memberSlot), pending: list(pendingSlot), terms: list(name) }),
  names: batched('names', paired('names', name)),
  namesReply: of('namesReply', { batch: count }),
  masterLookup: of('masterLookup', { batch: count, names: list(name) }),
  masterLookupReply: batched('masterLookupReply', paired('masters', count.map(nodeId))),
  rebuildLocks: of('rebuildLocks', { batch: count, locks: list(lockRecord) }),
  inspect: of('inspect', { question: count, name: fc.option(name, { nil: null }) }),
  inspectReply: of('inspectReply', { question: count, text: fc.uint8Array({ maxLength: 300 }) }),
  census: of('census', { isNew: fc.boolean(), cases: list(failureCase) }),
  verdict: of('verdict', { victim: count.map(nodeId), incarnation: count.map(incarnation), verdict, words, attempts: count }),
  slotResult: of('slotResult', { isDone: fc.boolean(), work: pendingSlot }),
  rebuildLocksReply: of('rebuildLocksReply', { batch: count, masterLkids: list(lkids) }),
};

export const kinds = Object.keys(kindCodes) as Message['kind'][];

export const messageOf = (kind: Message['kind']): Arbitrary<Message> => ofEachKind[kind] as Arbitrary<Message>;

export const anyMessage: Arbitrary<Message> = fc.oneof(...kinds.map(messageOf));

/** The longest message there is. */
export function longest(): Message {
  const lock: LockRecord = {
    lkid: lkid(2 ** 53 - 1),
    name: '\xff'.repeat(nameBytesMax),
    granted: 5,
    requested: 5,
    flags: 2 ** 53 - 1,
    results: 2 ** 53 - 1,
    value: new Uint8Array(valueBytesMax),
    valueSequence: 2 ** 53 - 1,
    generation: generation(2 ** 53 - 1),
    mastership: 2 ** 53 - 1,
    sequence: 2 ** 53 - 1,
    queueNumber: 2 ** 52 - 1,
  };
  const locks = Array.from({ length: listMax }, () => lock);
  return { kind: 'rebuildLocks', lockspace: lockspaceId(2 ** 32 - 1), seq: viewId(2 ** 53 - 1), batch: 2 ** 53 - 1, locks };
}

/** A message that says nothing but a number. */
export function numbered(number: number): NamesReply {
  return { kind: 'namesReply', lockspace: lockspaceId(1), seq: viewId(1), batch: number };
}

export function numberIn(message: Message): number {
  return message.kind === 'namesReply' ? message.batch : -1;
}

/** One life of each side of a pair. */
export const lives = { one: incarnation(1_700_000_001), other: incarnation(1_700_000_002) } as const;

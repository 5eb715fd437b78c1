/**
 * What the members of a cluster on corosync say to all in their group, themselves
 * included; corosync brings it to everybody in the same order.
 *
 *     stand    how I stand: who I am, what I wish, the last view I know, what quorum says
 *     beat     I am here
 *     view     the next view (from the leader)
 *     out      a process is no member any more, for this reason
 *     refuse   a newcomer cannot become one (from the leader)
 *
 * A stand repeats everything, so nothing has to be acknowledged or asked for again. All
 * but beats name the epoch they are about: the ring of corosync and the processes in the
 * group. One that arrives in another epoch is void, for everybody alike.
 *
 * What is said is judged before anything is done with it; whatever is no message of ours
 * is passed over, by everybody alike.
 */
import { isUtf8 } from 'node:buffer';
import { errorCodes, type ErrorCode } from '../../base/errors.js';
import { nodeId, viewId } from '../../base/ids.js';
import type { View } from './engine.js';
import { isCount, isLockspaces, isName, isText } from './registrar-protocol.js';
import { memberOf } from './roll.js';

export const protocolVersion = 1;
/** The longest message, in bytes; corosync takes a little more. */
export const messageMax = 1_000_000;
export const membersMax = 64;
export const lockspacesMax = 64;
const textMax = 255;
const incarnationMax = 0xffff_ffff;
const numberMax = 0xffff_ffff;

type Lockspaces = readonly (readonly [string, number])[];

/** A process that is a member, or wants to be one. */
export interface Enlisted {
  /** Its number in corosync, and ours. */
  readonly node: number;
  readonly pid: number;
  /** Tells this joining from any other, also of the same process. */
  readonly life: string;
  readonly incarnation: number;
  readonly name: string;
  readonly address: string;
  readonly weight: number;
  /** Name, and which join it is; in the order of the names. */
  readonly lockspaces: Lockspaces;
  /** How long after its last beat it may still act, in milliseconds. */
  readonly stopMillis: number;
}

/** Which view: two that were made apart may have one number, and then differ in who made them. */
export interface ViewName {
  readonly id: number;
  /** The life of its maker. */
  readonly maker: string;
}

/** A quorate view, as the leader makes it. */
export interface Entry extends ViewName {
  /** The number of the view before it; 0: it is the first. */
  readonly before: number;
  /** The sequence number of the ring in which it was made. */
  readonly ring: number;
  readonly members: readonly Enlisted[];
  readonly leftCleanly: readonly number[];
  /** Some who are in it had stopped for want of quorum. Maybe others had not: then they are told so now, for every node is told the same. */
  readonly hasStopped: boolean;
  /** The greatest incarnation of each number, those used last first. */
  readonly incarnations: readonly (readonly [number, number])[];
}

export interface Stand extends Enlisted {
  readonly say: 'stand';
  readonly version: number;
  readonly epoch: string;
  readonly isLeaving: boolean;
  /** What quorum says in this ring. */
  readonly isQuorate: boolean;
  /** It has stopped since its last view, for want of quorum. */
  readonly isStopped: boolean;
  /** Null: it is a newcomer. */
  readonly last: ViewName | null;
}

export interface Out {
  readonly say: 'out';
  readonly epoch: string;
  readonly node: number;
  readonly pid: number;
  /** Null: it has never said who it is. */
  readonly life: string | null;
  /** It is out unless it was heard after this beat; null: it is out. */
  readonly heard: number | null;
  readonly reason: string;
}

export interface Refusal {
  readonly say: 'refuse';
  readonly epoch: string;
  readonly life: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

export type Message =
  | Stand
  | Out
  | Refusal
  | { readonly say: 'beat'; readonly count: number }
  | { readonly say: 'view'; readonly epoch: string; readonly entry: Entry };

export function bytesOf(message: Message): Uint8Array {
  return Buffer.from(JSON.stringify(message));
}

/** Null if it is no message of ours. */
export function messageIn(bytes: Uint8Array): Message | null {
  const message = parse(bytes);
  if (message === null) return null;
  const { say, epoch, count } = message;
  if (say === 'beat') return isCount(count, 0, Number.MAX_SAFE_INTEGER) ? { say, count } : null;
  if (!isText(epoch, textMax)) return null;
  switch (say) {
    case 'stand':
      return standIn(message, epoch);
    case 'view': {
      const entry = entryIn(message['entry']);
      return entry === null ? null : { say, epoch, entry };
    }
    case 'out':
      return isOut(message) ? pick(message, epoch) : null;
    case 'refuse':
      return isRefusal(message) ? { say, epoch, life: message.life, code: message.code, message: message.message, hint: message.hint } : null;
    default:
      return null;
  }
}

/** What a node is told of a view. `isQuorate` false: the view after it, in which nobody may do anything. */
export function viewOf(entry: Entry, isQuorate: boolean): View {
  return {
    id: viewId(isQuorate ? entry.id : entry.id + 1),
    isQuorate,
    members: entry.members.map(memberOf),
    leftCleanly: isQuorate ? entry.leftCleanly.map(nodeId) : [],
  };
}

export function isSameView(one: ViewName | null, other: ViewName | null): boolean {
  return one === null || other === null ? one === other : one.id === other.id && one.maker === other.maker;
}

type Fields = Readonly<Record<string, unknown>>;

function standIn(message: Fields, epoch: string): Stand | null {
  const { version, isLeaving, isQuorate, isStopped, last } = message as unknown as Stand;
  const who = enlistedIn(message);
  const known = last === null ? null : viewNameIn(last);
  const isSound = isCount(version, 1) && [isLeaving, isQuorate, isStopped].every((word) => typeof word === 'boolean');
  if (who === null || !isSound || (last !== null && known === null)) return null;
  return { ...who, say: 'stand', version, epoch, isLeaving, isQuorate, isStopped, last: known };
}

/** Every key of a member and no other; null if one of them is not what it must be. */
function enlistedIn(value: unknown): Enlisted | null {
  if (!isObject(value)) return null;
  const { node, pid, life, incarnation: number, name, address, weight, lockspaces, stopMillis } = value as unknown as Enlisted;
  const isOne =
    isCount(node, 1, numberMax) &&
    isCount(pid, 1, numberMax) &&
    isText(life, textMax) &&
    isCount(number, 1, incarnationMax) &&
    isName(name) &&
    isText(address, textMax) &&
    isCount(weight, 0) &&
    isLockspaces(lockspaces) &&
    lockspaces.length <= lockspacesMax &&
    isCount(stopMillis, 1);
  return isOne ? { node, pid, life, incarnation: number, name, address, weight, lockspaces, stopMillis } : null;
}

function viewNameIn(value: unknown): ViewName | null {
  if (!isObject(value)) return null;
  const { id, maker } = value;
  return isCount(id, 1, Number.MAX_SAFE_INTEGER) && isText(maker, textMax) ? { id, maker } : null;
}

function entryIn(value: unknown): Entry | null {
  const name = viewNameIn(value);
  if (name === null) return null;
  const { before, ring, members, leftCleanly, hasStopped, incarnations } = value as unknown as Entry;
  const areCounts = isCount(before, 0, Number.MAX_SAFE_INTEGER) && isCount(ring, 0, Number.MAX_SAFE_INTEGER);
  if (!areCounts || typeof hasStopped !== 'boolean' || !Array.isArray(members) || !Array.isArray(leftCleanly) || !Array.isArray(incarnations)) return null;
  const enlisted = members.map(enlistedIn);
  const isSound =
    enlisted.every((member) => member !== null) &&
    leftCleanly.every((node) => isCount(node, 1, numberMax)) &&
    incarnations.every((pair: unknown) => Array.isArray(pair) && isCount(pair[0], 1, numberMax) && isCount(pair[1], 1, incarnationMax));
  return isSound ? { ...name, before, ring, members: enlisted as Enlisted[], leftCleanly, hasStopped, incarnations } : null;
}

function isOut(value: Fields): value is Fields & Out {
  const { node, pid, life, heard, reason } = value;
  const isPlace = isCount(node, 1, numberMax) && isCount(pid, 1, numberMax);
  return isPlace && (life === null || isText(life, textMax)) && (heard === null || isCount(heard, 0, Number.MAX_SAFE_INTEGER)) && isText(reason, 1_024);
}

function pick({ node, pid, life, heard, reason }: Out, epoch: string): Out {
  return { say: 'out', epoch, node, pid, life, heard, reason };
}

function isRefusal(value: Fields): value is Fields & Refusal {
  const { life, code, message, hint } = value;
  return isText(life, textMax) && errorCodes.some((one) => one === code) && isText(message, 1_024) && isText(hint, 1_024);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(bytes: Uint8Array): Fields | null {
  if (bytes.length > messageMax || !isUtf8(bytes)) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * What members and the registrar say to each other: lines of JSON, one message
 * each, over the registrar's socket.
 *
 *     member                                   registrar
 *     hello (who I am, the last view I saw) ─▶
 *                                           ◀─ view … view …   every one it has not seen
 *     announce (lockspaces)                 ─▶
 *     leave                                 ─▶
 *                                           ◀─ left
 *                                           ◀─ refused, or out   and nothing after it
 *
 * A line is judged before anything is done with it. Whoever says something else is
 * hung up on; a member then comes back with another hello, which repeats all that
 * matters, so that no message needs an answer of its own.
 */
import { isUtf8 } from 'node:buffer';
import { DlmError, errorCodes, type ErrorCode } from '../../base/errors.js';
import type { Enrolled, Entry } from './roll.js';

export const protocolVersion = 1;

/** The longest line a member may send, in bytes; a whole announcement fits. */
export const memberLineMax = 131_072;
/** The longest the registrar may send. */
export const registrarLineMax = 1 << 26;

export const lockspacesMax = 256;
const textMax = 64;
const addressMax = 255;
const countMax = 0x7fff_ffff;
const incarnationMax = 0xffff_ffff;

export interface Hello extends Omit<Enrolled, 'node'> {
  readonly say: 'hello';
  readonly version: number;
  /** The number it has, or wants; null: any. */
  readonly node: number | null;
  /** Its pid namespace; null if the system does not tell. */
  readonly pidns: string | null;
  /** The number of the last view it was given; 0: none yet. */
  readonly seen: number;
}

export interface Announcing {
  readonly say: 'announce';
  readonly lockspaces: Enrolled['lockspaces'];
}

export type FromMember = Hello | Announcing | { readonly say: 'leave' };

export type FromRegistrar =
  | { readonly say: 'view'; readonly entry: Entry }
  /** The view without it stands. */
  | { readonly say: 'left' }
  /** It cannot become a member. */
  | { readonly say: 'refused'; readonly code: ErrorCode; readonly message: string; readonly hint: string }
  /** It was a member and is none any more. */
  | { readonly say: 'out'; readonly reason: string };

/** A member's end of the line, in whichever process the registrar is. */
export interface ToRegistrar {
  tell(message: FromMember): void;
  /** Hang up; nothing more is heard. What was told still arrives. */
  end(): void;
}

/** The member, as its line sees it. */
export interface Hearer {
  hear(message: FromRegistrar): void;
  /** The line is broken. */
  gone(): void;
}

export function lineOf(message: FromMember | FromRegistrar): string {
  return `${JSON.stringify(message)}\n`;
}

/** Throws `DLM_PROTOCOL`. */
export function parseFromMember(line: Uint8Array): FromMember {
  const message = parse(line);
  const { say } = message;
  if (say === 'leave') return { say };
  if (say === 'announce' && isLockspaces(message['lockspaces'])) return { say, lockspaces: message['lockspaces'] };
  if (say === 'hello' && isVersion(message['version'])) {
    const { version, node, pidns, seen } = message as unknown as Hello;
    const isHello = (node === null || isCount(node, 1)) && (pidns === null || isText(pidns, textMax)) && isCount(seen, 0, Number.MAX_SAFE_INTEGER);
    const described = enrolled({ ...message, node: 1 });
    if (isHello && described !== null) return { ...described, say, version, node, pidns, seen };
  }
  throw strange('a member');
}

/** Throws `DLM_PROTOCOL`. */
export function parseFromRegistrar(line: Uint8Array): FromRegistrar {
  const message = parse(line);
  const { say, reason, code, message: words, hint } = message;
  if (say === 'left') return { say };
  if (say === 'out' && typeof reason === 'string') return { say, reason };
  if (say === 'refused' && isCode(code) && typeof words === 'string' && typeof hint === 'string') {
    return { say, code, message: words, hint };
  }
  const entry = say === 'view' ? entryOf(message['entry']) : null;
  if (entry !== null) return { say: 'view', entry };
  throw strange('the registrar');
}

/** An entry as it was written; null if it is none. */
export function entryOf(value: unknown): Entry | null {
  if (!isObject(value)) return null;
  const { id, members, leftCleanly } = value;
  if (!isCount(id, 0, Number.MAX_SAFE_INTEGER) || !Array.isArray(members) || !Array.isArray(leftCleanly)) return null;
  const described = members.map(enrolled);
  if (!described.every((member) => member !== null) || !leftCleanly.every((node) => isCount(node, 1))) return null;
  return { id, members: described, leftCleanly: leftCleanly as number[] };
}

/** Every key of a member and no other; null if one of them is not what it must be. */
function enrolled(value: unknown): Enrolled | null {
  if (!isObject(value)) return null;
  const { node, incarnation, name, address, weight, lockspaces, life, pid, started } = value as unknown as Enrolled;
  const isOne =
    isCount(node, 1) &&
    isCount(incarnation, 1, incarnationMax) &&
    isName(name) &&
    isText(address, addressMax) &&
    isCount(weight, 0) &&
    isLockspaces(lockspaces) &&
    isText(life, textMax) &&
    isCount(pid, 1) &&
    isCount(started, 0, Number.MAX_SAFE_INTEGER);
  return isOne ? { node, incarnation, name, address, weight, lockspaces, life, pid, started } : null;
}

/** May a member be called so? */
export function isName(value: unknown): value is string {
  return isText(value, textMax) && /^[\x21-\x7e]+$/.test(value);
}

/** A negative number: that join has ended as failed. */
export function isLockspaces(value: unknown): value is Enrolled['lockspaces'] {
  if (!Array.isArray(value) || value.length > lockspacesMax) return false;
  const areSound = value.every(
    (pair: unknown) => Array.isArray(pair) && pair.length === 2 && isText(pair[0], textMax) && isCount(pair[1], Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  );
  return areSound && value.every(([name]: [string], at) => at === 0 || (value[at - 1] as [string])[0] < name);
}

export function isCount(value: unknown, min: number, max = countMax): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

export function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === 'string' && Buffer.byteLength(value) <= lengthMax;
}

function isVersion(version: unknown): boolean {
  if (version === protocolVersion) return true;
  throw new DlmError(
    'DLM_PROTOCOL',
    `members of this cluster speak version ${protocolVersion} of the registrar's protocol, and this one another`,
    'run the same version of dlm on all nodes of the cluster',
  );
}

function isCode(code: unknown): code is ErrorCode {
  return errorCodes.some((one) => one === code);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(line: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = isUtf8(line) ? JSON.parse(Buffer.from(line).toString('utf8')) : null;
    if (isObject(value)) return value;
  } catch {
    // Whatever it is, it is none of ours.
  }
  throw new DlmError('DLM_PROTOCOL', 'a line is not a message of this protocol');
}

function strange(who: string): DlmError {
  return new DlmError('DLM_PROTOCOL', `${who} said something that is no message of this protocol`);
}

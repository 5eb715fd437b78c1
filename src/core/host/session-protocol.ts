/**
 * The words of a session: what a client may say, a row an operation, and how a
 * line becomes a request or is refused. docs/protocol.md is the same for people.
 *
 * A line is judged before anything is done with it: its length, its encoding, its
 * depth, keys given twice, keys nobody knows, values of the wrong kind. What
 * comes out has every key of its row and no other, null where one was left out.
 */
import { isUtf8 } from 'node:buffer';
import { DlmError } from '../base/errors.js';

export const protocolVersion = 1;

/** The longest line a client may send, in bytes. */
export const lineMax = 65_536;

const depthMax = 4;
const textsMax = 32;

/** What the value of a key may be; `?` at the end: it may be left out. */
interface Kinds {
  text: string;
  count: number;
  truth: boolean;
  texts: readonly string[];
  /** `{"pid": 123}` */
  process: { readonly pid: number };
}

const lockNamed = { lockspace: 'text', lkid: 'count' } as const;
const wish = { flags: 'texts?', valueHex: 'text?' } as const;

export const requestShapes = {
  hello: { version: 'count', pid: 'count', pidns: 'text?', command: 'text', recovery: 'text?' },
  lock: { lockspace: 'text', name: 'text?', nameHex: 'text?', mode: 'text', owner: 'process?', recovery: 'text?', blocking: 'truth?', ...wish },
  convert: { ...lockNamed, mode: 'text', recovery: 'text?', ...wish },
  unlock: { ...lockNamed, ...wish },
  cancel: { lockspace: 'text', lkid: 'count?', request: 'count?', forGood: 'truth?', forNobody: 'truth?' },
  protect: { pid: 'count' },
  joinLockspace: { lockspace: 'text', valueLength: 'count?', order: 'text?', nodir: 'truth?', isNew: 'truth?' },
  removeLockspace: { lockspace: 'text', force: 'truth?' },
  attachApplication: { lockspace: 'text', suspendMillis: 'count', order: 'text?', isClient: 'truth?' },
  answerApplication: { lockspace: 'text', to: 'text', slot: 'count?', since: 'count?', isDone: 'truth' },
  detachApplication: { lockspace: 'text' },
  content: { lockspace: 'text' },
  locks: { lockspace: 'text?', name: 'text?', nameHex: 'text?', orphansOnly: 'truth?', allNodes: 'truth?', tellUnlisted: 'truth?' },
  purgeOrphans: { lockspace: 'text', formerPid: 'count?' },
  status: { lockspace: 'text?' },
  awaitChange: { seen: 'count?' },
  openShell: { lockspace: 'text' },
  leave: { force: 'truth?', drain: 'truth?' },
} as const;

export type Operation = keyof typeof requestShapes;

type Value<Kind> = Kind extends `${infer Plain}?` ? Kinds[Plain & keyof Kinds] | null : Kinds[Kind & keyof Kinds];
type Fields<Shape> = { readonly [Key in keyof Shape]: Value<Shape[Key]> };

/** A request as it is carried out. */
export type Request<Op extends Operation = Operation> = {
  [One in Op]: { readonly op: One; readonly id: number } & Fields<(typeof requestShapes)[One]>;
}[Op];

/** A request as it is sent: what may be left out may be left out. */
export type Wording<Op extends Operation> = Partial<Fields<(typeof requestShapes)[Op]>>;

/** Why a line was refused, and which request it was, if that much could be read. */
export class LineRefused extends Error {
  constructor(
    readonly id: number | null,
    readonly reason: DlmError,
  ) {
    super(reason.message);
  }
}

/** Read one line. Throws `LineRefused`. */
export function parseRequest(line: Uint8Array): Request {
  const message = parseObject(line);
  const id = message['op'] === 'hello' ? 0 : message['id'];
  if (!isCount(id)) throw refused(null, 'a request needs an id: a whole number, 0 or greater');

  const op = message['op'];
  if (typeof op !== 'string' || !Object.hasOwn(requestShapes, op)) {
    throw refused(id, `there is no operation ${quote(op)}`);
  }
  const shape: Readonly<Record<string, string>> = requestShapes[op as Operation];
  for (const key of Object.keys(message)) {
    if (!Object.hasOwn(shape, key) && key !== 'op' && key !== 'id') throw refused(id, `${op} has no ${quote(key)}`);
  }
  const fields = Object.entries(shape).map(([key, kind]) => [key, fieldOf(id, op, key, kind, message[key])]);
  return { ...Object.fromEntries(fields), op, id } as Request;
}

function fieldOf(id: number, op: string, key: string, kind: string, value: unknown): unknown {
  const optional = kind.endsWith('?');
  if (value === undefined || value === null) {
    if (optional) return null;
    throw refused(id, `${op} needs ${quote(key)}`);
  }
  const plain = (optional ? kind.slice(0, -1) : kind) as keyof Kinds;
  if (!isOfKind[plain](value)) throw refused(id, `${quote(key)} of ${op} must be ${wordsFor[plain]}`);
  return value;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === 'string';

const isOfKind: Readonly<Record<keyof Kinds, (value: unknown) => boolean>> = {
  text: isText,
  count: isCount,
  truth: (value) => typeof value === 'boolean',
  texts: (value) => Array.isArray(value) && value.length <= textsMax && value.every(isText),
  process: (value) => isObject(value) && Object.keys(value).join() === 'pid' && isCount(value['pid']),
};

const wordsFor: Readonly<Record<keyof Kinds, string>> = {
  text: 'a text',
  count: 'a whole number, 0 or greater',
  truth: 'true or false',
  texts: `a list of at most ${textsMax} texts`,
  process: 'an object with the key pid',
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object of JSON in which no key is given twice. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> {
  if (!isUtf8(bytes)) throw refused(null, 'the line is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const { depth, members } = measure(text);
  if (depth > depthMax) throw refused(null, `the line is nested more than ${depthMax} deep`);

  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(null, 'the line is not JSON');
  }
  if (!isObject(value)) throw refused(null, 'the line is not a JSON object');
  if (countMembers(value) !== members) throw refused(null, 'a key is given twice');
  return value;
}

/** How deep the text is nested, and how many members its objects have: one for each colon outside of strings. */
function measure(text: string): { depth: number; members: number } {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === ':') members += 1;
    else if (char === '{' || char === '[') deepest = Math.max(deepest, (depth += 1));
    else if (char === '}' || char === ']') depth -= 1;
  }
  return { depth: deepest, members };
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, inner) => sum + countMembers(inner), own);
}

function refused(id: number | null, why: string): LineRefused {
  return new LineRefused(id, new DlmError('DLM_PROTOCOL', why));
}

/** Something a stranger sent, short and safe to show. */
function quote(value: unknown): string {
  return JSON.stringify(value === undefined ? null : value).slice(0, 40);
}

/** Bytes written as pairs of hex digits. Throws `DLM_PROTOCOL`. */
export function bytesOfHex(hex: string, what: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(hex)) throw new DlmError('DLM_PROTOCOL', `${what} must be pairs of hex digits`);
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

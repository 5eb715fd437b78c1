/**
 * Values that depend on what they were: a counter, and a value that is exchanged for
 * another if it is the one that was expected.
 *
 * Both are decided on what a lock in EX or PW has found, so that nobody can write in
 * between. Numbers are exact, however great, as long as they fit into the value
 * block. A value that is not valid is nothing to build on, unless that is asked for.
 */
import { DlmError, type LockspaceClient, type Name, type NodeClient } from '../core/index.js';
import { anchorValue } from './anchor.js';
import { askForLock, type Request } from './asking.js';
import { bigIn } from './numbers.js';
import { Failure } from './report.js';
import type { SignalWatch } from './signals.js';
import { hexOfValue, textOfValue, valueOfHex, valueOfText } from './values.js';

/** What was read of a value. */
export interface Found {
  readonly value: Uint8Array | null;
  readonly valueState: 'none' | 'valid' | 'invalid';
}

/** What the words about it need to know. */
export interface Terms {
  readonly shown: string;
  /** The length of the value block. */
  readonly room: number;
  readonly allowInvalid: boolean;
}

/** Read, decide and write under a lock in EX; the node keeps the new value. Whatever `decide` throws, nothing is written. */
export async function changeValue(
  client: NodeClient,
  request: Omit<Request, 'mode' | 'flags' | 'wantValue' | 'blocking' | 'ownerPid'>,
  signals: SignalWatch,
  decide: (found: Found) => Uint8Array,
): Promise<Uint8Array> {
  const lock = await askForLock({ ...request, mode: 'EX', flags: [], wantValue: false, blocking: false, ownerPid: null }, signals);
  let value: Uint8Array;
  try {
    value = decide(await readValue(request.space, request.target.name));
    await lock.convert('EX', { value });
    await anchorValue(client, request.space, request.target.name);
  } catch (error) {
    await lock.unlock().catch(() => undefined);
    throw error;
  }
  await lock.unlock();
  return value;
}

/**
 * Read a value under a lock in NL, which never waits.
 *
 * Also where the reader holds EX: a lock that has itself read a value writes it back
 * when it is given up, by the law, and would so make one valid that is not.
 */
export async function readValue(space: LockspaceClient, name: Name): Promise<Found> {
  const lock = await space.lock(name, { mode: 'NL', flags: ['EXPEDITE'], wantValue: true });
  const { value, valueState } = lock;
  await lock.unlock();
  return { value, valueState };
}

/** The number that the value is, with `by` added to it; no value counts as 0. Throws `DLM_VALUE_NO_NUMBER` and others. */
export function added(found: Found, by: bigint, terms: Terms): Uint8Array {
  needValid(found, terms);
  const text = found.value === null ? '' : textOfBytes(found.value).trim();
  const number = text === '' ? 0n : bigIn(text);
  if (number === null) {
    throw new DlmError('DLM_VALUE_NO_NUMBER', `the value of ${terms.shown} is not a whole number: ${textOfValue(found.value!)}`);
  }
  const sum = Buffer.from(String(number + by), 'latin1');
  needRoom(sum, terms.room);
  return new Uint8Array(sum);
}

/** One value for another. */
export interface Exchange {
  /** Null: there must be no value yet. */
  readonly expected: Uint8Array | null;
  readonly next: Uint8Array;
}

/** The words after the name, as values. Throws `DLM_USAGE`. */
export function exchangeIn(words: readonly string[], { absent, hex }: { absent: boolean; hex: boolean }): Exchange {
  if (words.length !== (absent ? 1 : 2)) {
    throw new DlmError('DLM_USAGE', absent ? 'one value is needed' : 'two values are needed', 'write: cas NAME EXPECTED NEW, or: cas NAME --absent NEW');
  }
  const [expected, next] = words.map((word) => (hex ? valueOfHex(word) : valueOfText(word)));
  return absent ? { expected: null, next: expected! } : { expected: expected!, next: next! };
}

/** Is it what was expected? Null stands for no value. Throws `DLM_VALUE_INVALID`. */
export function isAsExpected(found: Found, expected: Uint8Array | null, terms: Terms): boolean {
  needValid(found, terms);
  if (found.value === null || expected === null) return found.value === expected;
  return Buffer.from(found.value).equals(Buffer.concat([expected], found.value.length));
}

/** What is said when it is not; with -q the exit code and the value say it all. */
export function differs({ value, valueState }: Found, expected: Uint8Array | null, shown: string, isQuiet: boolean): Failure {
  const is = value === null ? `${shown} has no value` : `the value of ${shown} is '${textOfValue(value)}'`;
  const wanted = expected === null ? 'none was expected' : `'${textOfValue(expected)}' was expected`;
  const facts = value === null ? { value, text: null } : { value: hexOfValue(value), text: textOfValue(value) };
  return new Failure(new DlmError('DLM_VALUE_DIFFERS', `${is}, and ${wanted}`), { facts: { valueState, ...facts }, isSilent: isQuiet });
}

/** Does it fit into the value block? Throws `DLM_VALUE_TOO_LONG`. */
export function needRoom(value: Uint8Array, room: number): void {
  if (value.length <= room) return;
  throw new DlmError('DLM_VALUE_TOO_LONG', `the value has ${value.length} bytes and the value block ${room}`);
}

function needValid({ value, valueState }: Found, { shown, allowInvalid }: Terms): void {
  if (value === null || valueState !== 'invalid' || allowInvalid) return;
  throw notValid(shown, 'write a new one, or build on the old one with --allow-invalid');
}

export function notValid(shown: string, hint?: string): DlmError {
  return new DlmError('DLM_VALUE_INVALID', `the value of ${shown} is not valid: a writer gave up or died, or the node that decided about it has left or died`, hint);
}

/** One character a byte, without the zeros at the end. */
function textOfBytes(value: Uint8Array): string {
  return Buffer.from(value).toString('latin1').replace(/\0+$/, '');
}

/**
 * From the words of the API to the law's arguments: names to bytes, flags to
 * bits, values to the length of a value block.
 */
import { codeAt } from '../base/code-at.js';
import { DlmError } from '../base/errors.js';
import { Flag, deafMark, nameLengthMax, readMark, type FlagName } from '../lock/flags.js';
import { modeNamed, modeNames, type Mode, type ModeName } from '../lock/mode.js';
import { escapeText } from './text.js';
import type { Name } from './types.js';

interface Wish {
  readonly flags?: readonly FlagName[];
  readonly value?: Uint8Array;
  readonly wantValue?: boolean;
  readonly blocking?: boolean;
}

/** One character a byte, as the core wants names. Throws `DLM_NAME_INVALID`. */
export function nameToCore(name: Name): string {
  let core: string;
  if (typeof name !== 'string' && !(name instanceof Uint8Array)) {
    throw new DlmError('DLM_NAME_INVALID', `a resource name is text or bytes, not ${typeof name}`);
  }
  if (typeof name !== 'string') core = Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1');
  else if (isPlain(name)) core = name;
  else if (/\p{Cs}/u.test(name)) throw new DlmError('DLM_NAME_INVALID', 'the resource name contains half a character');
  else core = Buffer.from(name, 'utf8').toString('latin1');
  if (core.length > nameLengthMax) {
    throw new DlmError('DLM_NAME_INVALID', `a resource name has at most ${nameLengthMax} bytes, this one has ${core.length}`);
  }
  return core;
}

/** Has it one byte a character, also as UTF-8? A loop, since every lock asks, and an expression costs more. */
function isPlain(name: string): boolean {
  const { length } = name;
  for (let index = 0; index < length; index += 1) if (codeAt(name, index) > 0x7f) return false;
  return true;
}

/** Throws `DLM_USAGE`. */
export function modeToCore(name: ModeName): Mode {
  const mode = typeof name === 'string' ? modeNamed(name) : null;
  if (mode !== null) return mode;
  throw new DlmError('DLM_USAGE', `'${escapeText(String(name))}' is no lock mode`, `the modes are ${modeNames.join(' ')}`);
}

export function flagsOf(wish: Wish): number {
  let flags = wish.value !== undefined || wish.wantValue === true ? Flag.VALBLK : 0;
  if (wish.blocking === false) flags |= deafMark;
  for (const name of wish.flags ?? []) flags |= flagOf(name);
  return flags;
}

/** The flags of a conversion. One that brings no value must not write one: nobody who only wants to know it means that. */
export function flagsOfChange(flags: number, bringsValue: boolean): number {
  const reads = (flags & Flag.VALBLK) !== 0 && !bringsValue;
  return flags | Flag.CONVERT | (reads ? readMark : 0);
}

function flagOf(name: string): number {
  const flag = Object.hasOwn(Flag, name) ? Flag[name as FlagName] : null;
  if (flag !== null) return flag;
  throw new DlmError('DLM_USAGE', `there is no lock flag ${escapeText(name)}`, `the flags are ${Object.keys(Flag).join(' ')}`);
}

/** The value at full length, or null where none is to be moved. Throws `DLM_VALUE_TOO_LONG`. */
export function padValue(wish: Wish, length: number): Uint8Array | null {
  if ((flagsOf(wish) & Flag.VALBLK) === 0) return null;
  const padded = new Uint8Array(length);
  if (wish.value === undefined) return padded;
  if (wish.value.length > length) {
    throw new DlmError('DLM_VALUE_TOO_LONG', `the value has ${wish.value.length} bytes and the value block ${length}`);
  }
  padded.set(wish.value);
  return padded;
}

const lockspaceName = /^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,63}$/;

/** Lockspaces are named in ids, paths and addresses, so they have plain names. Throws `DLM_NAME_INVALID`. */
export function checkLockspaceName(name: string): void {
  if (lockspaceName.test(name)) return;
  throw new DlmError(
    'DLM_NAME_INVALID',
    `'${escapeText(name)}' cannot be the name of a lockspace`,
    'use 1 to 64 letters, digits and . _ : @ + -, the first a letter or a digit',
  );
}

/** The longest value block, in bytes. */
const valueLengthMax = 4096;

export function checkValueLength(length: number): void {
  if (Number.isInteger(length) && length >= 1 && length <= valueLengthMax) return;
  throw new DlmError('DLM_USAGE', `a value block has 1 to ${valueLengthMax} bytes, not ${length}`);
}

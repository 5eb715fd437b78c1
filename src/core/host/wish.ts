/**
 * From the words of the API to the law's arguments: names to bytes, flags to
 * bits, values to the length of a value block.
 */
import { DlmError } from '../base/errors.js';
import { Flag, nameLengthMax, type FlagName } from '../lock/flags.js';
import type { Name } from './types.js';

interface Wish {
  readonly flags?: readonly FlagName[];
  readonly value?: Uint8Array;
  readonly wantValue?: boolean;
}

const plainText = /^[\x00-\x7f]*$/;

/** One character a byte, as the core wants names. Throws `DLM_NAME_INVALID`. */
export function nameToCore(name: Name): string {
  let core: string;
  if (typeof name !== 'string') core = Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1');
  else if (plainText.test(name)) core = name;
  else core = Buffer.from(name, 'utf8').toString('latin1');
  if (core.length > nameLengthMax) {
    throw new DlmError('DLM_NAME_INVALID', `a resource name has at most ${nameLengthMax} bytes, this one has ${core.length}`);
  }
  return core;
}

export function flagsOf(wish: Wish): number {
  let flags = wish.value !== undefined || wish.wantValue === true ? Flag.VALBLK : 0;
  for (const name of wish.flags ?? []) flags |= Flag[name];
  return flags;
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

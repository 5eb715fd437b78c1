/**
 * Bytes that another node has sent, taken one after another, trusted in nothing.
 *
 * Each read looks whether there is as much as it takes and whether it means anything, and
 * throws a `WireError` otherwise. For everything there is one spelling only, so that what
 * was read is written again in the same bytes. What is handed out is a copy: it stays when
 * the buffer goes.
 */
import { listMax, nameBytesMax, textBytesMax, valueBytesMax, wordsBytesMax } from './limits.js';
import { WireError, type WireFault } from './wire-error.js';

/** 2^53, from which on integers are not exact. */
const countEnd = 2 ** 53;

export class ByteReader {
  #at: number;

  constructor(
    readonly bytes: Uint8Array,
    from = 0,
  ) {
    this.#at = from;
  }

  byte(): number {
    if (this.#at >= this.bytes.length) throw this.error('truncated', 'the bytes end too early');
    return this.bytes[this.#at++]!;
  }

  /** A byte below `end`: the place of something in a table. */
  code(end: number, what: string): number {
    const code = this.byte();
    if (code >= end) throw this.error('badCode', `${code} stands for no ${what}`);
    return code;
  }

  word(): number {
    const at = this.#take(4);
    return wordAt(this.bytes, at);
  }

  number(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (;;) {
      const next = this.byte();
      value += (next & 0x7f) * scale;
      if (value >= countEnd) throw this.error('badNumber', 'a number is too great');
      if (next < 0x80) {
        if (next === 0) throw this.error('badNumber', 'a number is written longer than need be');
        return value;
      }
      scale *= 128;
      if (scale > countEnd) throw this.error('badNumber', 'a number does not end');
    }
  }

  signed(): number {
    const value = this.number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  name(): string {
    const length = this.byte();
    if (length > nameBytesMax) throw this.error('tooLong', `a name of ${length} bytes`);
    return this.#characters(length);
  }

  /** A sentence or two. */
  words(): string {
    const length = this.number();
    if (length > wordsBytesMax) throw this.error('tooLong', `words of ${length} bytes`);
    return this.#characters(length);
  }

  value(): Uint8Array | null {
    const mark = this.number();
    if (mark === 0) return null;
    if (mark - 1 > valueBytesMax) throw this.error('tooLong', `a value of ${mark - 1} bytes`);
    const at = this.#take(mark - 1);
    // Not slice(): that of a Buffer shares what it is taken from.
    return new Uint8Array(this.bytes.subarray(at, at + mark - 1));
  }

  /** What is meant for people. */
  text(): Uint8Array {
    const length = this.number();
    if (length > textBytesMax) throw this.error('tooLong', `a text of ${length} bytes`);
    const at = this.#take(length);
    return new Uint8Array(this.bytes.subarray(at, at + length));
  }

  /** As many as the list says, each of at least one byte. */
  list<Item>(read: (reader: ByteReader) => Item): Item[] {
    const length = this.number();
    if (length > listMax) throw this.error('tooLong', `a list of ${length}`);
    if (length > this.bytes.length - this.#at) throw this.error('truncated', `a list of ${length} ends too early`);
    const items: Item[] = [];
    for (let index = 0; index < length; index += 1) items.push(read(this));
    return items;
  }

  /** Is everything read? Throws if not. */
  end(): void {
    if (this.#at < this.bytes.length) throw this.error('trailing', `${this.bytes.length - this.#at} bytes too many`);
  }

  error(fault: WireFault, what: string): WireError {
    return new WireError(fault, this.#at, what);
  }

  /** One a byte. In one piece: a string put together of pieces is taken apart again by the first table that looks for it. */
  #characters(length: number): string {
    const at = this.#take(length);
    const codes = new Array<number>(length);
    for (let index = 0; index < length; index += 1) codes[index] = this.bytes[at + index]!;
    return String.fromCharCode(...codes);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.bytes.length - at) throw this.error('truncated', 'the bytes end too early');
    this.#at = at + length;
    return at;
  }
}

/** Four bytes at a place, the greatest first. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/**
 * Bytes, one after another, in a buffer that grows.
 *
 * Frames are written into one slab after another, so that a small frame costs no
 * allocation of its own; a frame that reaches the end of its slab moves to the next.
 * Whoever writes asks for room first and then writes that much: the single writes do not
 * look. What is taken is never changed by the writer again.
 */
import { assert } from '../base/assert.js';
import { codeAt } from '../base/code-at.js';
import { nameBytesMax, textBytesMax, valueBytesMax, wordsBytesMax } from './limits.js';

/** The first slab is small, since many a session says little; each further one is twice as large, up to the largest. */
const firstSlabBytes = 1024;
const slabBytesMax = 64 * 1024;

/** The longest that a number gets. */
export const numberBytesMax = 8;

export class ByteWriter {
  #slab = new Uint8Array(firstSlabBytes);
  /** What it is a view of: to ask it for that costs more than a new view. */
  #memory = this.#slab.buffer;
  /** Where in the slab the current frame begins, and where it is written on. */
  #start = 0;
  #at = 0;

  /** Of the frame so far, in bytes. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Make room for that many bytes. */
  reserve(bytes: number): void {
    if (this.#at + bytes <= this.#slab.length) return;
    const written = this.length;
    const slab = new Uint8Array(Math.max(Math.min(2 * this.#slab.length, slabBytesMax), 2 * (written + bytes)));
    slab.set(this.#slab.subarray(this.#start, this.#at));
    this.#slab = slab;
    this.#memory = slab.buffer;
    this.#start = 0;
    this.#at = written;
  }

  /** Leave that many bytes of zeros, to be filled in later. */
  skip(bytes: number): void {
    this.reserve(bytes);
    this.#at += bytes;
  }

  byte(value: number): void {
    this.#slab[this.#at++] = value;
  }

  /** Four bytes, the greatest first. */
  word(value: number): void {
    assert(value >>> 0 === value, `${value} does not fit into four bytes`);
    putWord(this.#slab, this.#at, value);
    this.#at += 4;
  }

  /** An integer of 0 or more that can be counted exactly: seven bits a byte, the lowest first. */
  number(value: number): void {
    const slab = this.#slab;
    let rest = value;
    if (value >>> 0 !== value) {
      assert(Number.isSafeInteger(value) && value >= 0, `${value} is no count`);
      for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) slab[this.#at++] = (rest % 128) | 0x80;
    }
    for (; rest > 0x7f; rest >>>= 7) slab[this.#at++] = (rest & 0x7f) | 0x80;
    slab[this.#at++] = rest;
  }

  /** An integer of either sign, up to 2^52: the sign is the lowest bit. */
  signed(value: number): void {
    this.number(value < 0 ? -value * 2 - 1 : value * 2);
  }

  /** One character a byte. Asks for its own room. */
  name(name: string): void {
    const length = name.length;
    assert(length <= nameBytesMax, `a name of ${length} bytes`);
    this.reserve(1 + length);
    this.#slab[this.#at++] = length;
    this.#characters(name);
  }

  /** A sentence or two, one character a byte. Asks for its own room. */
  words(words: string): void {
    const { length } = words;
    assert(length <= wordsBytesMax, `words of ${length} bytes`);
    this.reserve(numberBytesMax + length);
    this.number(length);
    this.#characters(words);
  }

  #characters(text: string): void {
    const slab = this.#slab;
    const { length } = text;
    let at = this.#at;
    let all = 0;
    for (let index = 0; index < length; index += 1) all |= slab[at++] = codeAt(text, index);
    assert(all <= 0xff, 'a name has one character a byte');
    this.#at = at;
  }

  /** A value or none. Asks for its own room. */
  value(value: Uint8Array | null): void {
    const length = value === null ? 0 : value.length;
    assert(length <= valueBytesMax, `a value of ${length} bytes`);
    this.reserve(numberBytesMax + length);
    this.number(value === null ? 0 : length + 1);
    if (value === null) return;
    this.#slab.set(value, this.#at);
    this.#at += length;
  }

  /** What is meant for people. Asks for its own room. */
  text(text: Uint8Array): void {
    assert(text.length <= textBytesMax, `a text of ${text.length} bytes`);
    this.reserve(numberBytesMax + text.length);
    this.number(text.length);
    this.#slab.set(text, this.#at);
    this.#at += text.length;
  }

  /** The frame written so far; the next one begins. */
  take(): Uint8Array {
    const frame = new Uint8Array(this.#memory, this.#start, this.length);
    this.#start = this.#at;
    return frame;
  }
}

/** Write four bytes at a place, the greatest first. */
export function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Write a count into eight bytes at a place, the greatest first. */
export function putCount(bytes: Uint8Array, at: number, value: number): void {
  putWord(bytes, at, Math.floor(value / 2 ** 32));
  putWord(bytes, at + 4, value >>> 0);
}

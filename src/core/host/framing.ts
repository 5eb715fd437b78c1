/**
 * Frames out of a stream of bytes: each begins with its length in four bytes, which count
 * themselves.
 *
 * Asked by whoever reads a node link. A length beyond the limit is refused when it is
 * read, before anything is kept for it. A frame that came in one piece is not copied, and
 * is good until the next chunk. What is in a frame is not known here.
 */
import { wordAt } from '../wire/byte-reader.js';
import { prologueBytes } from '../wire/frame.js';
import { WireError } from '../wire/wire-error.js';

const lengthBytes = 4;
const nothing = new Uint8Array(0);

export class FrameReader {
  #chunk: Uint8Array = nothing;
  /** Where the chunk is read from. */
  #at = 0;
  /** A length that is not whole yet. */
  readonly #length = new Uint8Array(lengthBytes);
  #lengthFilled = 0;
  /** A frame that is not whole yet. */
  #frame: Uint8Array | null = null;
  #filled = 0;

  /** `lengthMax` may be raised once the peer is known. */
  constructor(public lengthMax: number) {}

  /** Take in a chunk; `next` has returned null before. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next frame, length and all, or null until more has come. Throws `WireError`, and is then of no more use. */
  next(): Uint8Array | null {
    if (this.#frame !== null) return this.#goOn(this.#frame);
    const there = this.#chunk.length - this.#at;
    if (this.#lengthFilled > 0 || there < lengthBytes) return this.#gatherLength();

    const length = this.#check(wordAt(this.#chunk, this.#at));
    if (there < length) return this.#goOn(this.#begin(length));
    const from = this.#at;
    this.#at += length;
    // Not subarray(): the pieces of a Buffer are Buffers, and those are slow to make.
    return new Uint8Array(this.#chunk.buffer, this.#chunk.byteOffset + from, length);
  }

  /** The length itself may be split. */
  #gatherLength(): Uint8Array | null {
    while (this.#lengthFilled < lengthBytes) {
      if (this.#at === this.#chunk.length) return null;
      this.#length[this.#lengthFilled++] = this.#chunk[this.#at++]!;
    }
    const frame = this.#begin(this.#check(wordAt(this.#length, 0)));
    frame.set(this.#length);
    this.#filled = lengthBytes;
    this.#lengthFilled = 0;
    return this.#goOn(frame);
  }

  #begin(length: number): Uint8Array {
    this.#filled = 0;
    return (this.#frame = new Uint8Array(length));
  }

  #goOn(frame: Uint8Array): Uint8Array | null {
    const end = Math.min(this.#chunk.length, this.#at + frame.length - this.#filled);
    frame.set(this.#chunk.subarray(this.#at, end), this.#filled);
    this.#filled += end - this.#at;
    this.#at = end;
    if (this.#filled < frame.length) return null;
    this.#frame = null;
    return frame;
  }

  #check(length: number): number {
    if (length > this.lengthMax) throw new WireError('tooLong', 0, `a frame of ${length} bytes, and ${this.lengthMax} is the most`);
    if (length < prologueBytes) throw new WireError('truncated', 0, `a frame of ${length} bytes`);
    return length;
  }
}

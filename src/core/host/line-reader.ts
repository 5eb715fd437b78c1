/**
 * Lines out of a stream of bytes: each ends with a newline, and none is longer
 * than the reader's limit.
 *
 * Bytes are kept as they came, since a character may be split between two chunks;
 * whoever reads the line decodes it.
 */
import { DlmError } from '../base/errors.js';

const newline = 0x0a;

export class LineReader {
  readonly #lengthMax: number;
  #chunks: Buffer[] = [];
  /** Where the first chunk is read from. */
  #start = 0;
  /** The chunks at the front that hold no newline, and the bytes in them. */
  #searched = 0;
  #unended = 0;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** The next line without its newline, or null until more has come. Throws `DLM_PROTOCOL` if it is too long. */
  next(): Buffer | null {
    for (; this.#searched < this.#chunks.length; this.#searched += 1) {
      const chunk = this.#chunks[this.#searched]!;
      const from = this.#searched === 0 ? this.#start : 0;
      const at = chunk.indexOf(newline, from);
      const length = this.#unended + (at < 0 ? chunk.length : at) - from;
      if (length > this.#lengthMax) {
        throw new DlmError('DLM_PROTOCOL', `a line is longer than ${this.#lengthMax} bytes`);
      }
      if (at >= 0) return this.#take(at);
      this.#unended = length;
    }
    return null;
  }

  /** What stands before the newline at `at` in the chunk just searched; both are gone from here. */
  #take(at: number): Buffer {
    const parts = this.#chunks.splice(0, this.#searched);
    const last = this.#chunks[0]!;
    if (parts.length === 0) {
      const line = last.subarray(this.#start, at);
      this.#goOn(at + 1);
      return line;
    }
    parts[0] = parts[0]!.subarray(this.#start);
    parts.push(last.subarray(0, at));
    this.#goOn(at + 1);
    return Buffer.concat(parts);
  }

  #goOn(start: number): void {
    this.#searched = 0;
    this.#unended = 0;
    this.#start = start;
    if (start < this.#chunks[0]!.length) return;
    this.#chunks.shift();
    this.#start = 0;
  }
}

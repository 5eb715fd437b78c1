/**
 * What has happened in a world, one line an event.
 *
 * The hash of all lines is the fingerprint of a run: the same seed gives the same
 * fingerprint, and a difference of one line another. Only the latest lines are
 * kept, for whoever wants to know how a failure came about.
 */
import type { Millis } from '../base/ids.js';

/** How many lines are kept. */
const tailLinesMax = 4000;

export class Trace {
  readonly #lines: string[] = [];
  #count = 0;
  #low = 0x811c9dc5 | 0;
  #high = 0x1b873593 | 0;

  add(at: Millis, words: string): void {
    const line = `${at} ${words}`;
    this.#mix(line);
    this.#lines[this.#count % tailLinesMax] = line;
    this.#count += 1;
  }

  get lineCount(): number {
    return this.#count;
  }

  get fingerprint(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  /** The latest lines, the oldest first; with words, only those that hold one of them. */
  tail(count: number, words: readonly string[] = []): string[] {
    const start = Math.max(0, this.#count - tailLinesMax);
    const kept: string[] = [];
    for (let index = this.#count - 1; index >= start && kept.length < count; index -= 1) {
      const line = this.#lines[index % tailLinesMax]!;
      if (words.length === 0 || words.some((word) => line.includes(word))) kept.push(line);
    }
    return kept.reverse();
  }

  #mix(line: string): void {
    let low = this.#low;
    let high = this.#high;
    for (let index = 0; index < line.length; index += 1) {
      const code = line.charCodeAt(index);
      low = Math.imul(low ^ code, 0x01000193);
      high = (Math.imul(high, 0x5bd1e995) + code) | 0;
    }
    this.#low = low ^ (high >>> 7);
    this.#high = high ^ (low << 5);
  }
}

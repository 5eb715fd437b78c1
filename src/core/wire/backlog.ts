/**
 * The frames that the peer has not acknowledged, by their numbers.
 *
 * A session keeps them until it has (session.ts), since until then it may have to send
 * them again. Numbers follow one another, so that a frame's place is its number less the
 * first one's.
 */

/** Places that were given up at the front before the rest moves up. */
const gapMax = 1024;

export class Backlog {
  #frames: (Uint8Array | null)[] = [];
  /** Where the first one is, and which number it has. */
  #head = 0;
  #first = 1;
  #bytes = 0;

  /** Of all frames together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of the oldest one; one more than the last if there are none. */
  get first(): number {
    return this.#first;
  }

  get last(): number {
    return this.#first + this.#frames.length - this.#head - 1;
  }

  /** Add the next one. */
  push(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  /** The frame of that number, which must be there. */
  at(number: number): Uint8Array {
    return this.#frames[this.#head + number - this.#first]!;
  }

  /** Forget all up to and including that one. */
  dropThrough(number: number): void {
    while (this.#first <= number && this.#head < this.#frames.length) {
      this.#bytes -= this.#frames[this.#head]!.length;
      this.#frames[this.#head] = null;
      this.#head += 1;
      this.#first += 1;
    }
    if (this.#head > gapMax) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
  }
}

/**
 * Chance that can be repeated: numbers that look random and follow from a seed.
 *
 * Whoever needs luck of its own forks a generator under a label. What a fork draws
 * depends on the seed and the label alone, so that one more draw in one place
 * changes nothing in another.
 *
 * Kin: sfc32, the small fast counting generator.
 */
import { assert } from './assert.js';

export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(readonly seed: string) {
    this.#a = hash(seed, 0x9e3779b9);
    this.#b = hash(seed, 0x7f4a7c15);
    this.#c = hash(seed, 0x2545f491);
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** A generator of its own for this purpose. */
  fork(label: string): Prng {
    return new Prng(`${this.seed}/${label}`);
  }

  /** 0 to 2^32-1. */
  next(): number {
    const drawn = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + drawn) | 0;
    return drawn >>> 0;
  }

  /** 0 to one less than the limit. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x100000000) * limit);
  }

  /** Both ends may be drawn. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True so many times in a thousand. */
  chance(perMille: number): boolean {
    return this.below(1000) < perMille;
  }

  pick<T>(choices: readonly T[]): T {
    assert(choices.length > 0, 'there is something to pick from');
    return choices[this.below(choices.length)]!;
  }

  /** One of these, each as often as its weight says. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    let left = this.below(choices.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [choice, weight] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    throw new Error('the weights are all nothing');
  }

  /** The same things in another order. */
  shuffled<T>(things: readonly T[]): T[] {
    const mixed = [...things];
    for (let last = mixed.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
    }
    return mixed;
  }
}

/** FNV-1a with a start of one's own, and its bits stirred once more. */
function hash(text: string, start: number): number {
  let word = start | 0;
  for (let index = 0; index < text.length; index += 1) word = Math.imul(word ^ text.charCodeAt(index), 0x01000193);
  word = Math.imul(word ^ (word >>> 16), 0x45d9f3b);
  return (word ^ (word >>> 15)) | 0;
}

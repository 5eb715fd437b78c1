/**
 * What happens next in a world: a heap of things to do, ordered by time, and for
 * the same time by when they were put there.
 *
 * The agenda is the only clock of a world. It never runs two things at once and
 * never looks at what they are.
 */
import { millis, type Millis } from '../base/ids.js';

export type Action = () => void;

interface Entry {
  readonly at: Millis;
  readonly order: number;
  readonly action: Action;
}

export class Agenda {
  readonly #heap: Entry[] = [];
  #now = millis(0);
  #order = 0;

  get now(): Millis {
    return this.#now;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Do this after so many milliseconds. */
  after(delay: number, action: Action): void {
    this.at(millis(this.#now + Math.max(0, delay)), action);
  }

  /** Do this at that time; now, if it has passed. */
  at(time: Millis, action: Action): void {
    this.#order += 1;
    const entry: Entry = { at: time < this.#now ? this.#now : time, order: this.#order, action };
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  /** Do all there is up to that time, which it then is. */
  runUntil(end: Millis): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= end; first = this.#heap[0]) {
      this.#removeFirst();
      this.#now = first.at;
      first.action();
    }
    this.#now = end;
  }

  #removeFirst(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink();
  }

  #rise(start: number): void {
    const heap = this.#heap;
    const entry = heap[start]!;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #sink(): void {
    const heap = this.#heap;
    const entry = heap[0]!;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, entry)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

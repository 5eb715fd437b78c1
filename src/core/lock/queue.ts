/**
 * A queue of locks in order, linked through the locks themselves, so that
 * joining and leaving anywhere costs the same however long the queue is.
 *
 * Only converting and waiting locks stand in one; the granted locks of a
 * resource are a plain chain, because their order has no meaning.
 */
import type { Lock } from './lock.js';

export class Queue {
  first: Lock | null = null;
  last: Lock | null = null;

  get isEmpty(): boolean {
    return this.first === null;
  }

  append(lock: Lock): void {
    lock.previous = this.last;
    lock.next = null;
    if (this.last === null) this.first = lock;
    else this.last.next = lock;
    this.last = lock;
  }

  prepend(lock: Lock): void {
    lock.next = this.first;
    lock.previous = null;
    if (this.first === null) this.last = lock;
    else this.first.previous = lock;
    this.first = lock;
  }

  remove(lock: Lock): void {
    if (lock.previous === null) this.first = lock.next;
    else lock.previous.next = lock.next;
    if (lock.next === null) this.last = lock.previous;
    else lock.next.previous = lock.previous;
    lock.next = null;
    lock.previous = null;
  }

  /** From head to tail; the lock in hand may be moved away meanwhile. */
  *[Symbol.iterator](): Generator<Lock> {
    let lock = this.first;
    while (lock !== null) {
      const following: Lock | null = lock.next;
      yield lock;
      lock = following;
    }
  }
}

/** The queue of a resource nobody queues for. Never appended to. */
export const nobody: Queue = Object.freeze(new Queue());

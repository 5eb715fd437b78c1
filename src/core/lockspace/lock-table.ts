/**
 * The locks of a lockspace by their ids.
 *
 * Ids are given out one after another, so locks taken together have ids close
 * together. They share a page, and only pages stand in the map: that is quicker
 * than an entry a lock and takes a fifth of the room. A page is dropped with its
 * last lock; at worst a lone long-lived lock keeps one page of its own.
 */
import type { Lkid } from '../base/ids.js';
import type { Lock } from '../lock/lock.js';

const pageBits = 6;
const pageSize = 1 << pageBits;

class Page {
  readonly slots: (Lock | null)[] = new Array<Lock | null>(pageSize).fill(null);
  used = 0;
}

export class LockTable {
  readonly #pages = new Map<number, Page>();
  /** The page used last: ids in a row mostly fall into it. */
  #latest: Page | null = null;
  #latestNumber = -1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: Lkid): Lock | null {
    return this.#page(id >>> pageBits)?.slots[id & (pageSize - 1)] ?? null;
  }

  /** Every lock; the one in hand may be removed meanwhile. */
  each(visit: (lock: Lock) => void): void {
    for (const { slots } of this.#pages.values()) {
      for (let slot = 0; slot < pageSize; slot += 1) {
        const lock = slots[slot]!;
        if (lock !== null) visit(lock);
      }
    }
  }

  *[Symbol.iterator](): Generator<Lock> {
    for (const page of this.#pages.values()) {
      for (const lock of page.slots) if (lock !== null) yield lock;
    }
  }

  add(lock: Lock): void {
    const page = this.#page(lock.id >>> pageBits) ?? this.#newPage(lock.id >>> pageBits);
    page.slots[lock.id & (pageSize - 1)] = lock;
    page.used += 1;
    this.#size += 1;
  }

  remove(lock: Lock): void {
    const number = lock.id >>> pageBits;
    const page = this.#page(number);
    if (page === null) return;
    page.slots[lock.id & (pageSize - 1)] = null;
    page.used -= 1;
    this.#size -= 1;
    if (page.used === 0 && page !== this.#latest) this.#pages.delete(number);
  }

  #page(number: number): Page | null {
    if (number === this.#latestNumber) return this.#latest;
    return this.#pages.get(number) ?? null;
  }

  #newPage(number: number): Page {
    if (this.#latest !== null && this.#latest.used === 0) this.#pages.delete(this.#latestNumber);
    const page = new Page();
    this.#pages.set(number, page);
    this.#latest = page;
    this.#latestNumber = number;
    return page;
  }
}

/**
 * The numbers a node gives out: lock ids and masterships.
 *
 * One series of each serves all lockspaces of a node for its whole life, so that
 * a lockspace which is removed and created again repeats neither an id that a
 * script may still hold nor a token that storage may still remember.
 */
import { lkid, type Lkid } from '../base/ids.js';

/** Larger ids would no longer be small integers to the engine that runs us. */
const lkidMax = 0x7fffffff;

export class Numbers {
  #lkid = 0;
  #mastership = 0;

  /** The next lock id; after very many, one that is free again. */
  nextLkid(taken: { get(id: Lkid): unknown }): Lkid {
    do {
      this.#lkid = this.#lkid === lkidMax ? 1 : this.#lkid + 1;
    } while (taken.get(lkid(this.#lkid)) !== null);
    return lkid(this.#lkid);
  }

  nextMastership(): number {
    this.#mastership += 1;
    return this.#mastership;
  }
}

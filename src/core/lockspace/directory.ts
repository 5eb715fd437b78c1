/**
 * This node's part of the directory: which other node is master of a name.
 *
 * A name whose master is this node needs no entry: its resource is here. Entries are
 * made when somebody is told to be master, and from what masters report in a
 * recovery; a master takes its entry away when it forgets the resource.
 *
 * Kin: dir.c; lock.c receive_lookup(), receive_remove().
 */
import type { NodeId } from '../base/ids.js';

interface Entry {
  readonly master: NodeId;
  /** Which mastership it is, so that a late farewell takes away no newer one. */
  readonly mastership: number;
}

export class Directory {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  get(name: string): Entry | null {
    return this.#entries.get(name) ?? null;
  }

  set(name: string, master: NodeId, mastership: number): Entry {
    const entry = { master, mastership };
    this.#entries.set(name, entry);
    return entry;
  }

  /** False: that mastership is over, and another one may stand in its place. */
  remove(name: string, master: NodeId, mastership: number): boolean {
    const entry = this.#entries.get(name);
    return entry?.master === master && entry.mastership === mastership && this.#entries.delete(name);
  }

  clear(): void {
    this.#entries.clear();
  }
}

/**
 * Resources whose master was asked for in vain: the directory names a node that has let
 * go of them, and whose word about that is still on its way to the directory.
 *
 * Twice the question is asked again at once; then after ever longer waits, for the word
 * may be held up for as long as a connection is broken, and requests would go round as
 * quickly as the others can be sent. While a resource waits, its locks stand in
 * `Tables.lookups`, as while somebody is asked.
 *
 * Noted by reply.ts; the lockspace says when the time has come. A recovery ends all of it.
 */
import { millis, type Millis } from '../base/ids.js';
import type { Resource } from '../lock/resource.js';

/** So many times in vain, one after another, before there is a wait. */
const promptMax = 2;
const waitMillis = 10;
const waitMillisMax = 1_000;
/** What was in vain so long ago does not count. */
const keptMillis = 2_000;

interface Detour {
  count: number;
  isWaiting: boolean;
  /** When the wait ends, or it is forgotten. */
  until: Millis;
}

export class Detours {
  readonly #known = new Map<Resource, Detour>();

  /** It was in vain once more. Must the next question wait? */
  note(now: Millis, resource: Resource): boolean {
    const count = (this.#known.get(resource)?.count ?? 0) + 1;
    const isWaiting = count > promptMax;
    const wait = isWaiting ? Math.min(waitMillis * 2 ** (count - promptMax - 1), waitMillisMax) : keptMillis;
    this.#known.set(resource, { count, isWaiting, until: millis(now + wait) });
    return isWaiting;
  }

  /** Its master has answered, or is known. Did it wait? */
  end(resource: Resource): boolean {
    if (this.#known.size === 0) return false;
    const isWaiting = this.#known.get(resource)?.isWaiting === true;
    this.#known.delete(resource);
    return isWaiting;
  }

  /** Those that have waited for long enough. */
  due(now: Millis): Resource[] {
    const due: Resource[] = [];
    for (const [resource, detour] of this.#known) {
      if (detour.until > now) continue;
      if (detour.isWaiting) due.push(resource);
      else this.#known.delete(resource);
      detour.isWaiting = false;
      detour.until = millis(now + keptMillis);
    }
    return due;
  }

  nextDeadline(): Millis | null {
    let next: Millis | null = null;
    for (const { until } of this.#known.values()) if (next === null || until < next) next = until;
    return next;
  }

  clear(): void {
    this.#known.clear();
  }
}

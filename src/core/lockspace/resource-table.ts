/**
 * The resources of a lockspace by name: in use, or idle for a while.
 *
 * A resource is forgotten with its last lock, and its value with it. Only one
 * whose value was declared not valid lingers, without bytes: whoever takes the
 * name up again soon still learns that something went wrong (the toss list).
 *
 * Kin: lock.c find_rsb(), deactivate_rsb(), the toss list.
 */
import { millis, type Millis } from '../base/ids.js';
import { Resource } from '../lock/resource.js';
import type { Numbers } from './numbers.js';

/** How long an idle resource is remembered. */
const tossMillis = 10_000;

export class ResourceTable {
  readonly #byName = new Map<string, Resource>();
  /** Idle resources and when to forget them, the earliest first. */
  readonly #idle = new Map<Resource, Millis>();
  readonly #numbers: Numbers;

  constructor(numbers: Numbers) {
    this.#numbers = numbers;
  }

  /** The resource of that name, made if need be. */
  take(name: string): Resource {
    const known = this.#byName.get(name);
    if (known !== undefined) {
      if (this.#idle.size > 0) this.#idle.delete(known);
      return known;
    }
    const made = new Resource(name, this.#numbers.nextMastership());
    this.#byName.set(name, made);
    return made;
  }

  /** The last lock has left: forget the resource now, or after a while. */
  retire(resource: Resource, now: Millis): void {
    if (resource.value === null || resource.value.isValid) {
      this.#byName.delete(resource.name);
      return;
    }
    resource.value.bytes = null;
    this.#idle.set(resource, millis(now + tossMillis));
  }

  forgetExpired(now: Millis): void {
    for (const [resource, deadline] of this.#idle) {
      if (deadline > now) return;
      this.#idle.delete(resource);
      this.#byName.delete(resource.name);
    }
  }

  /** When the next idle resource is to be forgotten. */
  nextDeadline(): Millis | null {
    if (this.#idle.size === 0) return null;
    for (const deadline of this.#idle.values()) return deadline;
    return null;
  }

  /** The resources in use, in the order of their names. */
  inUse(): Resource[] {
    const resources = [...this.#byName.values()].filter((resource) => !this.#idle.has(resource));
    return resources.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  named(name: string): Resource | null {
    const resource = this.#byName.get(name);
    return resource === undefined || this.#idle.has(resource) ? null : resource;
  }

  get size(): number {
    return this.#byName.size - this.#idle.size;
  }
}

/**
 * The resources of a lockspace by name: in use, or idle for a while.
 *
 * A node that is alone forgets a resource with its last lock, and its value with it.
 * Only one whose value was declared not valid lingers, without bytes: whoever takes
 * the name up again soon still learns that something went wrong. Among several
 * nodes every resource lingers (the toss list): its master stays master for a while,
 * and the others remember who that is.
 *
 * Kin: lock.c find_rsb(), deactivate_rsb(), the toss list.
 */
import { generation, millis, type Millis } from '../base/ids.js';
import { Resource, type Home } from '../lock/resource.js';

/** How long an idle resource is remembered. */
export const tossMillis = 10_000;

/** Nobody knows, or nobody is, the master. */
export const nowhere: Home = { master: null, generation: generation(0) };

export class ResourceTable {
  readonly #byName = new Map<string, Resource>();
  /** Idle resources and when to forget them, the earliest first. */
  readonly #idle = new Map<Resource, Millis>();

  /** The resource of that name, made if need be; then its home is `nowhere`. */
  take(name: string): Resource {
    const known = this.#byName.get(name);
    if (known !== undefined) {
      if (this.#idle.size > 0) this.#idle.delete(known);
      return known;
    }
    const made = new Resource(name, 0, nowhere);
    this.#byName.set(name, made);
    return made;
  }

  /** The last lock has left: forget the resource now, or after a while. */
  retire(resource: Resource, now: Millis, lingers: boolean): void {
    // A lock that was ending outlived it, and the name has been taken up again since.
    if (this.#byName.get(resource.name) !== resource) return;
    const isInvalid = resource.value !== null && !resource.value.isValid;
    if (!isInvalid && !lingers) {
      this.#byName.delete(resource.name);
      return;
    }
    if (!isInvalid) resource.value = null;
    else resource.value!.bytes = null;
    this.#idle.set(resource, millis(now + tossMillis));
  }

  /** Forget what has been idle for long enough. Returns what that was. */
  forgetExpired(now: Millis): Resource[] {
    const forgotten: Resource[] = [];
    for (const [resource, deadline] of this.#idle) {
      if (deadline > now) break;
      this.#idle.delete(resource);
      this.#byName.delete(resource.name);
      forgotten.push(resource);
    }
    return forgotten;
  }

  /** Forget whatever is idle. */
  forgetIdle(): void {
    for (const resource of this.#idle.keys()) this.#byName.delete(resource.name);
    this.#idle.clear();
  }

  /** When the next idle resource is to be forgotten. */
  nextDeadline(): Millis | null {
    if (this.#idle.size === 0) return null;
    for (const deadline of this.#idle.values()) return deadline;
    return null;
  }

  /** The resources in use, in no order that means anything. */
  *[Symbol.iterator](): Generator<Resource> {
    for (const resource of this.#byName.values()) if (!this.#idle.has(resource)) yield resource;
  }

  /** The same, without a step of a generator for each; the one in hand may be retired meanwhile. */
  each(visit: (resource: Resource) => void): void {
    for (const resource of this.#byName.values()) if (this.#idle.size === 0 || !this.#idle.has(resource)) visit(resource);
  }

  /** The resources in use, in the order of their names. */
  inUse(): Resource[] {
    return [...this].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** The resource of that name, if it is in use. */
  named(name: string): Resource | null {
    const resource = this.known(name);
    return resource === null || this.#idle.has(resource) ? null : resource;
  }

  /** The resource of that name, in use or idle. */
  known(name: string): Resource | null {
    return this.#byName.get(name) ?? null;
  }

  get size(): number {
    return this.#byName.size - this.#idle.size;
  }
}

/**
 * The port of a node's own process to the node it serves to others.
 *
 * It differs from the port to a node that is alone in two ways: it waits like
 * everybody else while children of an earlier node are alive, and leaving is a
 * matter for all who use the node.
 */
import type { Owner } from './host.js';
import { LocalPort } from './local-port.js';
import type { LockCall } from './port.js';
import type { Served } from './served.js';
import type { WatchedProcess } from './types.js';

export class ServedPort extends LocalPort {
  readonly #at: Served;

  constructor(at: Served, self: Owner) {
    const nobody = { gone: new AbortController().signal, agreed: () => undefined };
    super({ host: at.host, watch: at.watch, status: (lockspace) => at.status(lockspace), leave: (options) => at.leave(options, nobody) }, self);
    this.#at = at;
  }

  override lock(call: LockCall, owner: WatchedProcess | null): void {
    if (this.#at.watch.survivors.size === 0) return super.lock(call, owner);
    this.keepBack(call.cookie, (work) => this.#at.watch.onceFree(work), () => super.lock(call, owner));
  }
}

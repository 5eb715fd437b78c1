/**
 * The port of a node's own process to the node it serves to others.
 *
 * It differs from the port to a node that is alone in two ways: it waits like
 * everybody else while children of an earlier node are alive, and leaving is a
 * matter for all who use the node.
 */
import { DlmError } from '../base/errors.js';
import type { Lkid } from '../base/ids.js';
import type { Owner } from './host.js';
import { LocalPort } from './local-port.js';
import type { Listener, LockCall } from './port.js';
import type { Served } from './served.js';
import type { WatchedProcess } from './types.js';

export class ServedPort extends LocalPort {
  readonly #at: Served;
  readonly #keptBack = new Set<Listener>();

  constructor(at: Served, self: Owner) {
    const nobody = { gone: new AbortController().signal, agreed: () => undefined };
    super({ host: at.host, watch: at.watch, status: () => at.status(), leave: (options) => at.leave(options, nobody) }, self);
    this.#at = at;
  }

  override lock(call: LockCall, owner: WatchedProcess | null): void {
    if (this.#at.watch.survivors.size === 0) return super.lock(call, owner);
    this.#keptBack.add(call.cookie);
    this.#at.watch.onceFree(() => {
      if (this.#keptBack.delete(call.cookie)) super.lock(call, owner);
    });
  }

  override cancel(lockspace: string, lkid: Lkid, listener: Listener, isForNobody = false): Promise<boolean> {
    if (!this.#keptBack.delete(listener)) return super.cancel(lockspace, lkid, listener, isForNobody);
    listener.refuse(new DlmError('DLM_CANCELLED', 'the wait was cancelled'));
    return Promise.resolve(true);
  }
}

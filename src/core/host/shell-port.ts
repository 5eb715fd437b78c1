/**
 * The port of a shell, inside the node that serves it: what a session through the
 * socket may not do, a shell may not either.
 */
import { DlmError } from '../base/errors.js';
import { Flag } from '../lock/flags.js';
import type { Owner } from './host.js';
import { asksForNothingNew } from './kept-values.js';
import { nothingNew } from './outcome.js';
import type { ConvertCall, Listener, LockCall } from './port.js';
import type { Served } from './served.js';
import { ServedPort } from './served-port.js';
import type { WatchedProcess } from './types.js';

export class ShellPort extends ServedPort {
  readonly #served: Served;
  readonly #recovery: string | null;

  /** `recovery`: the identity that the shell was started with; null if it belongs to no recovery. */
  constructor(at: Served, self: Owner, recovery: string | null) {
    super(at, self);
    this.#served = at;
    this.#recovery = recovery;
  }

  override lock(call: LockCall, owner: WatchedProcess | null): void {
    const refusal = this.#refusal(call);
    if (refusal === null) super.lock(this.#recovery === null ? call : { ...call, recovery: this.#recovery }, owner);
    else call.cookie.refuse(refusal);
  }

  override convert(call: ConvertCall, listener: Listener): void {
    super.convert(this.#recovery === null ? call : { ...call, recovery: this.#recovery }, listener);
  }

  #refusal(call: LockCall): DlmError | null {
    const { host, isLeaving, watch } = this.#served;
    if (isLeaving && !asksForNothingNew(host, call)) return nothingNew();
    if (watch.survivors.size === 0 || (call.flags & Flag.NOQUEUE) === 0) return null;
    return new DlmError('DLM_BUSY', 'the node grants nothing before the protected commands of its predecessor have ended');
  }
}

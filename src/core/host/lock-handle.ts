/**
 * A lock in the hands of a program.
 *
 * One operation is in flight at a time; its outcome settles the promise that the
 * verb returned. Callbacks come from a port, in order. There may be a million
 * handles, so what few of them need is made when first used.
 */
import { DlmError } from '../base/errors.js';
import { lkid, type Lkid } from '../base/ids.js';
import { Flag, namesOfResults } from '../lock/flags.js';
import type { ValueState } from '../lock/lvb.js';
import { IV, modeNamed, nameOfMode, type ModeName, type ModeOrNone } from '../lock/mode.js';
import type { Block, Complete } from '../lock/turn.js';
import type { Adopt } from '../node/effect.js';
import type { LockspaceClient } from './lockspace-client.js';
import { errorOfRefusal, errorOfStatus } from './outcome.js';
import type { Listener, Refusal } from './port.js';
import type { ConvertOptions, ResultName, UnlockOptions } from './types.js';
import { flagsOf, padValue } from './wish.js';
import { formatLockId, formatToken } from './lock-id.js';
import { withDeadline } from './deadline.js';

/** What a holder may hear. */
export interface HandleEvents {
  /** Somebody is kept from this mode by the lock. */
  blocking: (mode: ModeName) => void;
  /** The lock is gone, or must be treated so. */
  lost: (reason: DlmError) => void;
  /** The request was queued; it is granted later. */
  waiting: () => void;
}

/** What only some handles need. */
class Extras {
  value: Uint8Array | null = null;
  valueState: ValueState = 'none';
  results = 0;
  readonly listeners: { [Event in keyof HandleEvents]: HandleEvents[Event][] } = { blocking: [], lost: [], waiting: [] };
  /** Blocking modes that came before anybody listened. */
  unheard: ModeName[] = [];
  abort: AbortController | null = null;
}

/** Somebody who waits for the operation in flight. */
class Waiter {
  constructor(
    readonly resolve: (handle: LockHandle) => void,
    readonly reject: (error: DlmError) => void,
  ) {}
}

const done = Promise.resolve();

export class LockHandle implements Listener {
  readonly #space: LockspaceClient;
  #lkid: number;
  #mode: ModeOrNone = IV;
  #mastership = 0;
  #sequence = 0;
  /** The outcome of the operation in flight: fine, an error, or not known yet; then perhaps who waits for it. */
  #outcome: 'pending' | 'fine' | DlmError | Waiter;
  #extras: Extras | null = null;

  /** Made by a lockspace: for a new request, or for a lock that exists under this id. */
  constructor(space: LockspaceClient, existing: Lkid | null = null) {
    this.#space = space;
    this.#lkid = existing ?? 0;
    this.#outcome = existing === null ? 'pending' : 'fine';
  }

  /** `LOCKSPACE:NODE.INCARNATION.LKID`; known as soon as the request is queued or granted. */
  get id(): string {
    return formatLockId(this.#space, this.#lkid as Lkid);
  }

  /** The mode held; null before the grant and after the end. */
  get mode(): ModeName | null {
    const name = nameOfMode(this.#mode);
    return name === 'IV' ? null : name;
  }

  /** The token of the present grant: rises whenever a grant excludes an earlier one. */
  get token(): string {
    return formatToken(this.#space.port.incarnation, this.#mastership, this.#sequence);
  }

  /** The value that the last grant read; null if it read none. */
  get value(): Uint8Array | null {
    return this.#extras?.value ?? null;
  }

  /** What state the resource's value was in at the last completion. */
  get valueState(): ValueState {
    return this.#extras?.valueState ?? 'none';
  }

  /** DEMOTED, VALNOTVALID, ALTMODE: what the last completion told beside its status. */
  get results(): readonly ResultName[] {
    return this.#extras === null ? [] : namesOfResults(this.#extras.results);
  }

  /** Aborted when the lock is lost, with the reason. */
  get signal(): AbortSignal {
    const extras = this.#more();
    extras.abort ??= new AbortController();
    return extras.abort.signal;
  }

  /** Hear of those the lock blocks, or of its loss. */
  on<Event extends keyof HandleEvents>(event: Event, listener: HandleEvents[Event]): this {
    const extras = this.#more();
    extras.listeners[event].push(listener);
    if (event === 'blocking') {
      for (const mode of extras.unheard.splice(0)) (listener as HandleEvents['blocking'])(mode);
    }
    return this;
  }

  /** Convert to another mode. Rejects with `DLM_BUSY`, `DLM_DEADLOCK`, `DLM_TIMED_OUT`… and then keeps its mode. */
  convert(mode: ModeName, options: ConvertOptions = {}): Promise<LockHandle> {
    this.#begin();
    this.#space.port.convert(
      {
        kind: 'convert',
        lockspace: this.#space.name,
        lkid: lkid(this.#lkid),
        mode: modeNamed(mode)!,
        flags: flagsOf(options) | Flag.CONVERT,
        value: padValue(options, this.#space.valueLength),
      },
      this,
    );
    return withDeadline(this, this.settled(), options);
  }

  /** Give the lock back. A lock that has ended already is an error: `DLM_LOCK_UNKNOWN`. */
  unlock(options: UnlockOptions = {}): Promise<void> {
    this.#begin();
    this.#space.port.unlock(
      {
        kind: 'unlock',
        lockspace: this.#space.name,
        lkid: lkid(this.#lkid),
        flags: flagsOf(options),
        value: options.value === undefined ? null : padValue(options, this.#space.valueLength),
      },
      this,
    );
    if (this.#outcome === 'fine') return done;
    return this.settled().then(() => undefined);
  }

  /** Take back what the lock waits for. False: it waited for nothing. */
  cancel(): Promise<boolean> {
    return this.#space.port.cancel(this.#space.name, lkid(this.#lkid), this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#mode !== IV) await this.unlock();
  }

  /** The outcome of the operation in flight. */
  settled(): Promise<LockHandle> {
    if (this.#outcome === 'fine') return Promise.resolve(this);
    if (this.#outcome instanceof DlmError) return Promise.reject(this.#outcome);
    return new Promise((resolve, reject) => {
      this.#outcome = new Waiter(resolve, reject);
    });
  }

  complete(effect: Complete): void {
    this.#lkid = effect.lkid;
    this.#mode = effect.mode;
    this.#mastership = effect.mastership;
    this.#sequence = effect.sequence;
    this.#noteValue(effect);

    const unexpected = !this.#isPending;
    if (effect.status === 'OK') this.#settle('fine');
    else if (effect.status !== 'EUNLOCK') this.#settle(errorOfStatus(effect.status));
    else if (unexpected) this.lost(new DlmError('DLM_LOST', 'somebody else unlocked the lock'));
    else this.#settle('fine');
  }

  wait(effect: { readonly lkid: Lkid }): void {
    this.#lkid = effect.lkid;
    for (const listener of this.#extras?.listeners.waiting ?? []) listener();
  }

  block(effect: Block): void {
    const mode = nameOfMode(effect.mode) as ModeName;
    const extras = this.#more();
    if (extras.listeners.blocking.length === 0) extras.unheard.push(mode);
    for (const listener of extras.listeners.blocking) listener(mode);
  }

  adopt(effect: Adopt): void {
    this.#lkid = effect.lkid;
    this.#mode = effect.mode;
    this.#mastership = effect.mastership;
    this.#sequence = effect.sequence;
    this.#settle('fine');
  }

  refuse(refusal: Refusal | DlmError): void {
    this.#settle(errorOfRefusal(refusal));
  }

  lost(reason: DlmError): void {
    this.#mode = IV;
    this.#settle(reason);
    this.#extras?.abort?.abort(reason);
    for (const listener of this.#extras?.listeners.lost ?? []) listener(reason);
  }

  get #isPending(): boolean {
    const outcome = this.#outcome;
    return outcome !== 'fine' && (outcome === 'pending' || outcome instanceof Waiter);
  }

  #begin(): void {
    if (this.#isPending) {
      throw new DlmError('DLM_LOCK_IN_PROGRESS', 'the lock is still waiting for an earlier request');
    }
    this.#outcome = 'pending';
  }

  #settle(outcome: 'fine' | DlmError): void {
    const waiter = this.#outcome;
    this.#outcome = outcome;
    if (waiter === 'pending' || !(waiter instanceof Waiter)) return;
    if (outcome === 'fine') waiter.resolve(this);
    else waiter.reject(outcome);
  }

  #noteValue(effect: Complete): void {
    if (effect.valueState === 'none' && effect.results === 0 && this.#extras === null) return;
    const extras = this.#more();
    extras.valueState = effect.valueState;
    extras.results = effect.results;
    extras.value = effect.value;
  }

  #more(): Extras {
    return (this.#extras ??= new Extras());
  }
}

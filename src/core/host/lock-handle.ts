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
import { IV, nameOfMode, type ModeName, type ModeOrNone } from '../lock/mode.js';
import type { Block, Complete } from '../lock/turn.js';
import type { Adopt } from '../node/effect.js';
import type { UnlockInput } from '../node/input.js';
import type { LockspaceClient } from './lockspace-client.js';
import { errorOfRefusal, errorOfStatus } from './outcome.js';
import type { ConvertCall, Listener, Refusal } from './port.js';
import type { ConvertOptions, ResultName, UnlockOptions } from './types.js';
import { flagsOf, flagsOfChange, modeToCore, padValue } from './wish.js';
import { formatLockId, formatToken } from './lock-id.js';
import { checkPatience, withDeadline } from './deadline.js';

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
  lost: DlmError | null = null;
  abort: AbortController | null = null;
}

/** Somebody who waits for the operation in flight. */
class Waiter {
  constructor(
    readonly resolve: (handle: LockHandle) => void,
    readonly reject: (error: DlmError) => void,
    readonly unlocks: boolean,
  ) {}
}

const done = Promise.resolve();

export class LockHandle implements Listener {
  readonly #space: LockspaceClient;
  #lkid: number;
  #mode: ModeOrNone = IV;
  #generation = 0;
  #mastership = 0;
  #sequence = 0;
  /** The outcome of the operation in flight: fine, an error, or not known yet; then perhaps who waits for it. */
  #outcome: 'pending' | 'unlocking' | 'fine' | DlmError | Waiter;
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
    return formatToken(this.#generation, this.#mastership, this.#sequence);
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
    if (extras.lost !== null) extras.abort.abort(extras.lost);
    return extras.abort.signal;
  }

  /**
   * Hear of those the lock blocks, or of its loss; also of what has happened before
   * anybody listened. Listeners are called when the node has finished its turn.
   */
  on<Event extends keyof HandleEvents>(event: Event, listener: HandleEvents[Event]): this {
    const extras = this.#more();
    extras.listeners[event].push(listener);
    if (event === 'blocking') {
      for (const mode of extras.unheard.splice(0)) queueMicrotask(() => (listener as HandleEvents['blocking'])(mode));
    }
    const { lost } = extras;
    if (event === 'lost' && lost !== null) queueMicrotask(() => (listener as HandleEvents['lost'])(lost));
    return this;
  }

  /** Convert to another mode. Rejects with `DLM_BUSY`, `DLM_DEADLOCK`, `DLM_TIMED_OUT`… and then keeps its mode. */
  convert(mode: ModeName, options: ConvertOptions = {}): Promise<LockHandle> {
    try {
      checkPatience(options);
      const call: ConvertCall = {
        kind: 'convert',
        lockspace: this.#space.name,
        lkid: lkid(this.#lkid),
        mode: modeToCore(mode),
        flags: flagsOfChange(flagsOf(options), options.value !== undefined),
        value: padValue(options, this.#space.valueLength),
        recovery: this.#space.recovery ?? undefined,
      };
      this.#begin('pending');
      this.#space.port.convert(call, this);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return withDeadline(this, this.settled(), options, false);
  }

  /** Give the lock back. A lock that has ended already is an error: `DLM_LOCK_UNKNOWN`. */
  unlock(options: UnlockOptions = {}): Promise<void> {
    try {
      const call: UnlockInput = {
        kind: 'unlock',
        lockspace: this.#space.name,
        lkid: lkid(this.#lkid),
        flags: flagsOf(options) | this.#keepsInvalid(options),
        value: options.value === undefined ? null : padValue(options, this.#space.valueLength),
      };
      this.#begin('unlocking');
      this.#space.port.unlock(call, this);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    if (this.#outcome === 'fine') return done;
    return this.#ended();
  }

  /** Take back what the lock waits for. False: it waited for nothing. */
  cancel(): Promise<boolean> {
    return this.#space.port.cancel(this.#space.name, lkid(this.#lkid), this);
  }

  /**
   * Take it back whoever is silent, and should it be granted later, have that undone. False: it waited for nothing. Until it
   * is known what came of it, the lock takes no other request.
   */
  giveUpForGood(): Promise<boolean> {
    return this.#space.port.cancel(this.#space.name, lkid(this.#lkid), this, 'forGood');
  }

  /** As `cancel`, by somebody who has stopped waiting for a new lock: one that is granted all the same is given back. */
  renounce(): void {
    this.#space.port.cancel(this.#space.name, lkid(this.#lkid), this, 'forNobody').catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#mode !== IV) await this.unlock();
  }

  /** The outcome of the operation in flight. */
  settled(): Promise<LockHandle> {
    if (this.#outcome === 'fine') return Promise.resolve(this);
    if (this.#outcome instanceof DlmError) return Promise.reject(this.#outcome);
    return new Promise((resolve, reject) => {
      this.#outcome = new Waiter(resolve, reject, this.#outcome === 'unlocking');
    });
  }

  /** The outcome of an unlock: one promise, for nobody needs the handle any more. */
  #ended(): Promise<void> {
    if (this.#outcome instanceof DlmError) return Promise.reject(this.#outcome);
    return new Promise((resolve, reject) => {
      this.#outcome = new Waiter(() => resolve(), reject, true);
    });
  }

  /** The outcome of the request for a new lock, cut short when the time is up or the signal is aborted. */
  settledWithin(patience: { timeout?: number; signal?: AbortSignal }): Promise<LockHandle> {
    return withDeadline(this, this.settled(), patience, true);
  }

  complete(effect: Complete): void {
    this.#lkid = effect.lkid;
    this.#mode = effect.mode;
    this.#generation = effect.generation;
    this.#mastership = effect.mastership;
    this.#sequence = effect.sequence;
    this.#noteValue(effect);

    if (effect.status === 'OK') this.#settle('fine');
    else if (effect.status !== 'EUNLOCK') this.#settle(errorOfStatus(effect.status));
    else if (this.#isUnlocking) this.#settle('fine');
    else this.lost(new DlmError('DLM_LOST', 'somebody else unlocked the lock'));
  }

  wait(effect: { readonly lkid: Lkid }): void {
    this.#lkid = effect.lkid;
    if (this.#extras !== null) for (const listener of this.#extras.listeners.waiting) queueMicrotask(listener);
  }

  block(effect: Block): void {
    const mode = nameOfMode(effect.mode) as ModeName;
    const extras = this.#more();
    if (extras.listeners.blocking.length === 0) extras.unheard.push(mode);
    for (const listener of extras.listeners.blocking) queueMicrotask(() => listener(mode));
  }

  adopt(effect: Adopt): void {
    this.#lkid = effect.lkid;
    this.#mode = effect.mode;
    this.#generation = effect.generation;
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
    const extras = this.#more();
    if (extras.lost !== null) return;
    extras.lost = reason;
    queueMicrotask(() => extras.abort?.abort(reason));
    for (const listener of extras.listeners.lost) queueMicrotask(() => listener(reason));
  }

  /** Whoever read a value that was not valid, and wrote none, must not make it valid by giving the lock back. */
  #keepsInvalid({ value }: UnlockOptions): number {
    return value === undefined && this.valueState === 'invalid' ? Flag.IVVALBLK : 0;
  }

  get #isPending(): boolean {
    const outcome = this.#outcome;
    return outcome !== 'fine' && (outcome === 'pending' || outcome === 'unlocking' || outcome instanceof Waiter);
  }

  get #isUnlocking(): boolean {
    const outcome = this.#outcome;
    return outcome === 'unlocking' || (outcome instanceof Waiter && outcome.unlocks);
  }

  #begin(outcome: 'pending' | 'unlocking'): void {
    if (this.#isPending) {
      throw new DlmError('DLM_LOCK_IN_PROGRESS', 'the lock is still waiting for an earlier request');
    }
    this.#outcome = outcome;
  }

  #settle(outcome: 'fine' | DlmError): void {
    const waiter = this.#outcome;
    this.#outcome = outcome;
    if (waiter === 'pending' || waiter === 'unlocking' || !(waiter instanceof Waiter)) return;
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

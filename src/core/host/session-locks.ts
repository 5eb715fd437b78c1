/**
 * The locks of one session: asked for, converted, given back, and let go of when
 * the session ends.
 *
 * While children of an earlier node are alive nothing is granted, so requests are
 * kept back until they are gone; what they can be asked meanwhile is to be
 * cancelled.
 */
import { DlmError } from '../base/errors.js';
import { lkid, type Lkid, type OwnerId } from '../base/ids.js';
import { Flag, deafMark, type FlagName } from '../lock/flags.js';
import { modeNamed, type Mode } from '../lock/mode.js';
import type { Refuse } from '../node/effect.js';
import type { ConvertInput, Input, UnlockInput } from '../node/input.js';
import type { Owner } from './host.js';
import { summary } from './inspect.js';
import { asksForNothingNew } from './kept-values.js';
import { giveUpForGood } from './late-grant.js';
import { cancelLock } from './local-port.js';
import { errorOfRefusal, nothingNew } from './outcome.js';
import { pidNamespace } from './process-facts.js';
import { ProcessFamily } from './process-family.js';
import type { Served } from './served.js';
import type { Session } from './session.js';
import { SessionLock } from './session-lock.js';
import { bytesOfHex, type Request } from './session-protocol.js';
import { flagsOf, flagsOfChange, nameToCore, padValue } from './wish.js';

/** Requests and conversions of one session that may wait at a time. */
const waitingMax = 65_536;

export class SessionLocks {
  readonly #at: Served;
  readonly #session: Session;
  /** The pid namespace of the client; null if it did not say. */
  readonly #namespace: string | null;
  /** The recovery that the client belongs to; null: none. */
  readonly recovery: string | null;
  readonly #own = new Map<Lkid, SessionLock>();
  /** Locks of others that we have changed. */
  readonly #others = new Map<Lkid, SessionLock>();
  /** Requests that wait, by their number. */
  readonly #waiting = new Map<number, SessionLock>();
  /** Requests that are kept back, by their number. */
  readonly #keptBack = new Map<number, Request<'lock'>>();
  /** Changes that are kept back. */
  readonly #changesKeptBack = new Set<Request<'convert' | 'unlock'>>();

  constructor(
    at: Served,
    session: Session,
    readonly owner: Owner,
    { pidns, recovery }: Pick<Request<'hello'>, 'pidns' | 'recovery'>,
  ) {
    this.#at = at;
    this.#session = session;
    this.#namespace = pidns;
    this.recovery = recovery;
  }

  get incarnation(): number {
    return this.#at.host.incarnation;
  }

  event(event: object): void {
    this.#session.event(event);
  }

  changed(lock: SessionLock): void {
    const known = lock.request === null ? this.#others : this.#own;
    if (lock.isGone) known.delete(lock.lkid);
    else known.set(lock.lkid, lock);

    if (lock.request === null) return;
    if (lock.isWaiting) this.#waiting.set(lock.request, lock);
    else this.#waiting.delete(lock.request);
  }

  lock(request: Request<'lock'>): void {
    const { host, isLeaving } = this.#at;
    if (isLeaving && !asksForNothingNew(host, { lockspace: request.lockspace, name: nameIn(request) ?? '', mode: modeIn(request), flags: flagsIn(request) })) throw nothingNew();
    if (this.#waiting.size + this.#keptBack.size >= waitingMax) {
      throw new DlmError('DLM_TOO_MANY', `${waitingMax} requests of this session are waiting already`);
    }
    const owner = this.#ownerOf(request);
    if (this.#at.watch.survivors.size > 0) this.#keepBackFromSurvivors(request);
    else if (!this.#at.host.isRunning(request.lockspace)) this.#keepBack(request, (work) => this.#at.host.whenRunning(request.lockspace, work));
    else this.#ask(request, owner);
  }

  #ask(request: Request<'lock'>, owner: OwnerId): void {
    const flags = flagsIn(request);
    const lock = new SessionLock(this, request.lockspace, request.id);
    const input: Input = {
      kind: 'lock',
      lockspace: request.lockspace,
      owner,
      name: nameIn(request) ?? '',
      mode: modeIn(request),
      flags: flags | this.#markFor(request) | (request.blocking === false ? deafMark : 0),
      value: this.#valueIn(request, flags),
      cookie: lock,
    };
    this.#session.whileHolding(() => this.#turn(request.id, input, () => ({ lkid: lock.lkid })));
  }

  /** Until `once` says that it may be asked; it can be cancelled meanwhile. */
  #keepBack(request: Request<'lock'>, once: (work: () => void) => void): void {
    this.#keptBack.set(request.id, request);
    once(() => {
      // It may have been cancelled, and its number be that of another one.
      if (this.#session.hasEnded || this.#keptBack.get(request.id) !== request) return;
      this.#keptBack.delete(request.id);
      this.#session.attempt(request.id, () => this.#ask(request, this.#ownerOf(request)));
    });
  }

  #keepBackFromSurvivors(request: Request<'lock'>): void {
    const survivors = [...this.#at.watch.survivors].map(({ pid }) => pid);
    if ((flagsIn(request) & Flag.NOQUEUE) !== 0) {
      throw new DlmError(
        'DLM_BUSY',
        `the node grants nothing before the protected commands of its predecessor have ended: process ${survivors.join(', ')}`,
        'end them, or wait for them with -w SECONDS',
      );
    }
    // When they have ended the lockspace may be recovering, and the node would keep the request, where it cannot be cancelled.
    this.#keepBack(request, (work) => this.#at.watch.onceFree(() => this.#at.host.whenRunning(request.lockspace, work)));
  }

  convert(request: Request<'convert'>): void {
    const flags = flagsIn(request);
    const value = this.#valueIn(request, flags);
    this.#change(request, {
      kind: 'convert',
      lockspace: request.lockspace,
      lkid: lkid(request.lkid),
      mode: modeIn(request),
      flags: flagsOfChange(flags, request.valueHex !== null) | this.#markFor(request),
      value,
    });
  }

  /** Of the recovery process; the request says that it comes from it, or the session did. Throws `DLM_RECOVERY_OVER`. */
  #markFor({ lockspace, recovery }: Request<'lock' | 'convert'>): number {
    return this.#at.host.applications.markFor(lockspace, recovery ?? this.recovery);
  }

  unlock(request: Request<'unlock'>): void {
    const flags = flagsIn(request);
    const value = request.valueHex === null ? null : this.#valueIn(request, flags);
    this.#change(request, {
      kind: 'unlock',
      lockspace: request.lockspace,
      lkid: lkid(request.lkid),
      flags,
      value,
    });
  }

  /** Change a lock of ours, or somebody else's; then we hear of that one too. */
  #change(request: Request<'convert' | 'unlock'>, input: ConvertInput | UnlockInput): void {
    if (this.#at.host.mayChange(input)) return this.#changeNow(request, input);
    this.#changesKeptBack.add(request);
    this.#at.host.whenChangeable(input, () => {
      if (this.#changesKeptBack.delete(request)) this.#session.attempt(request.id, () => this.#changeNow(request, input));
    });
  }

  #changeNow(request: Request<'convert' | 'unlock'>, input: Input): void {
    const id = lkid(request.lkid);
    const isOurs = this.#own.has(id) || this.#others.has(id);
    const listener = new SessionLock(this, request.lockspace, null);
    if (!isOurs) this.#at.host.attend(id, listener);
    this.#session.whileHolding(() => {
      const accepted = this.#turn(request.id, input, () => ({ lkid: request.lkid }));
      if (!accepted && !isOurs) this.#at.host.ignore(id, listener);
    });
  }

  /** One turn for one request, and its answer. Was it accepted? */
  #turn(id: number, input: Input, result: () => object): boolean {
    const refusal: Refuse | null = this.#at.host.turn(input);
    if (refusal === null) this.#session.result(id, result());
    else this.#session.refuse(id, errorOfRefusal(refusal), refusal.rule?.name);
    return refusal === null;
  }

  /** By the lock's id, or by the number of a request whose answer has not come yet. */
  cancel(request: Request<'cancel'>): void {
    const { id, lockspace } = request;
    const isForNobody = request.forNobody === true;
    const target = request.lkid === null ? (this.#asked(request.request ?? -1, isForNobody)?.lkid ?? null) : lkid(request.lkid);
    const answer = (cancelled: boolean): void => this.#session.result(id, { cancelled });
    if (this.#dropKeptBack(request)) answer(true);
    else if (target === null) answer(false);
    else if (request.forGood === true) this.#session.whileHolding(() => answer(giveUpForGood(this.#at.host, lockspace, target)));
    else {
      const refuse = (refusal: Refuse): void => this.#session.refuse(id, errorOfRefusal(refusal), refusal.rule?.name);
      this.#session.whileHolding(() => cancelLock(this.#at.host, { lockspace, lkid: target, isForNobody }, answer, refuse));
    }
  }

  /** The lock that was asked for with that number, if it waits, or whatever has become of it. */
  #asked(request: number, isAny: boolean): SessionLock | undefined {
    const waiting = this.#waiting.get(request);
    return waiting !== undefined || !isAny ? waiting : [...this.#own.values()].findLast((lock) => lock.request === request);
  }

  /** What has not been asked yet is not asked any more. False: nothing of that is kept back. */
  #dropKeptBack({ request, lkid: id }: Request<'cancel'>): boolean {
    const dropped = id === null ? this.#keptBack.get(request ?? -1) : [...this.#changesKeptBack].find((change) => change.op === 'convert' && change.lkid === id);
    if (dropped === undefined) return false;
    if (dropped.op === 'lock') this.#keptBack.delete(dropped.id);
    else this.#changesKeptBack.delete(dropped);
    this.#session.refuse(dropped.id, new DlmError('DLM_CANCELLED', 'the wait was cancelled'));
    return true;
  }

  /** Rejects with `DLM_OWNER_INVALID`. Whoever has not heard that it is done has not let the process begin. */
  async protect(pid: number): Promise<void> {
    this.checkNamespace();
    const family = await ProcessFamily.whenSeen(pid);
    if (!this.#session.hasEnded) this.#at.watch.protect(this.owner, family, pid);
  }

  /** The session has ended, and nobody is there any more for whom its requests could be granted. */
  end(): void {
    const { host } = this.#at;
    this.#keptBack.clear();
    this.#changesKeptBack.clear();
    for (const [id, listener] of this.#others) {
      host.ignore(id, listener);
      if (listener.isWaiting) giveUpForGood(host, listener.lockspace, id);
    }
    host.applications.end(this.owner, this.#at.watch);
    for (const { lockspace, lkid } of [...this.#waiting.values()]) giveUpForGood(host, lockspace, lkid);
  }

  #ownerOf(request: Request<'lock'>): OwnerId {
    if (request.owner === null) return this.owner.id;
    this.checkNamespace();
    return this.#at.watch.ownerFor(request.owner.pid).id;
  }

  /** A pid of another namespace names some other process here. Throws `DLM_OWNER_INVALID`. */
  checkNamespace(): void {
    const ours = pidNamespace();
    if (ours !== null && ours === this.#namespace) return;
    throw new DlmError(
      'DLM_OWNER_INVALID',
      'the client counts its processes in another pid namespace than the node, so the node cannot watch them',
      'lock from within one command (dlm lock NAME -- CMD), or run a node in that container',
    );
  }

  #valueIn({ lockspace, valueHex }: { lockspace: string; valueHex: string | null }, flags: number): Uint8Array | null {
    if ((flags & Flag.VALBLK) === 0) return null;
    const { valueLength } = summary(this.#at.host, lockspace);
    return padValue(valueHex === null ? { wantValue: true } : { value: bytesOfHex(valueHex, 'valueHex') }, valueLength);
  }
}

function flagsIn(request: { readonly flags: readonly string[] | null; readonly valueHex: string | null }): number {
  const flags = flagsOf({ flags: (request.flags ?? []) as FlagName[] });
  return request.valueHex === null ? flags : flags | Flag.VALBLK;
}

/** The name that a request gives, in either way; null if it gives none. */
export function nameIn({ name, nameHex }: { readonly name: string | null; readonly nameHex: string | null }): string | null {
  if (name !== null && nameHex !== null) throw new DlmError('DLM_PROTOCOL', 'give name or nameHex, not both');
  if (nameHex !== null) return nameToCore(bytesOfHex(nameHex, 'nameHex'));
  return name === null ? null : nameToCore(name);
}

/** An unknown mode is for the law to refuse, which names its rule. */
function modeIn({ mode }: { readonly mode: string }): Mode {
  return modeNamed(mode) ?? (-2 as Mode);
}

/**
 * The port to a node in this very process: calls are turns, and most locks are
 * settled before the call returns.
 */
import { DlmError } from '../base/errors.js';
import type { Lkid } from '../base/ids.js';
import { recoveryMark } from '../lock/flags.js';
import type { Complete } from '../lock/turn.js';
import type { Refuse } from '../node/effect.js';
import type { ConvertInput, UnlockInput } from '../node/input.js';
import { nameOf, parseOrder } from '../node/snapshot.js';
import type { Host, Owner } from './host.js';
import * as inspect from './inspect.js';
import { giveUpForGood } from './late-grant.js';
import { agreement } from './misfit.js';
import { askAgain, errorOfRefusal } from './outcome.js';
import type { ApplicationAnswer, ApplicationListener, ApplicationTerms, CancelWord, ConvertCall, Listener, LockCall, Port } from './port.js';
import type { LockFilter, LockInfo, LocksOfAll, LockspaceContent, LockspaceOptions, LockspaceSummary, NodeStatus, ShellDoor, WatchedProcess } from './types.js';
import { ProcessFamily } from './process-family.js';
import type { ProcessWatch } from './watch.js';
import { checkLockspaceName, checkValueLength } from './wish.js';

const goodbye = 'this client let go of the node';

/** What a port needs to know of the node's surroundings. */
export interface Surroundings {
  readonly host: Host;
  readonly watch: ProcessWatch;
  /** See `statusOf`. */
  status(lockspace: string | null): NodeStatus;
  leave(options: { force: boolean; drain: boolean }): Promise<void>;
}

export class LocalPort implements Port {
  readonly node: number;
  readonly incarnation: number;
  readonly #host: Host;
  readonly #at: Surroundings;
  readonly #self: Owner;
  /** Those who have asked for what the node has not been asked yet, and what that was. */
  readonly #keptBack = new Map<Listener, () => void>();

  constructor(at: Surroundings, self: Owner) {
    this.#at = at;
    this.#host = at.host;
    this.#self = self;
    this.node = at.host.self;
    this.incarnation = at.host.incarnation;
  }

  lock(call: LockCall, owner: WatchedProcess | null): void {
    call.owner = owner === null ? this.#self.id : this.#at.watch.ownerFor(owner.pid).id;
    if (this.#host.isFree(call.lockspace)) this.#turnNow(call, call.cookie);
    else this.keepBack(call.cookie, (work) => this.#host.whenRunning(call.lockspace, work), () => this.#turnNow(call, call.cookie));
  }

  convert(call: ConvertCall, listener: Listener): void {
    this.#change(call, listener);
  }

  unlock(call: UnlockInput, listener: Listener): void {
    this.#change(call, listener);
  }

  #change(call: ConvertCall | UnlockInput, listener: Listener): void {
    if (this.#host.mayChange(call)) this.#turnNow(call, listener);
    else if (call.kind === 'unlock') this.#host.whenChangeable(call, () => this.#turnNow(call, listener));
    else this.keepBack(listener, (work) => this.#host.whenChangeable(call, work), () => this.#turnNow(call, listener));
  }

  /** Do it when `once` says that it may be done, unless it is cancelled until then. */
  protected keepBack(listener: Listener, once: (work: () => void) => void, work: () => void): void {
    this.#keptBack.set(listener, work);
    once(() => {
      // Whoever has cancelled it may have asked for something else since, which waits for its own turn.
      if (this.#keptBack.get(listener) !== work) return;
      this.#keptBack.delete(listener);
      work();
    });
  }

  #turnNow(call: LockCall | ConvertCall | UnlockInput, listener: Listener): void {
    const isOfRecovery = call.kind !== 'unlock' && (call.recovery !== undefined || (call.flags & recoveryMark) !== 0);
    const input = isOfRecovery ? this.#marked(call) : call;
    if (input instanceof DlmError) return listener.refuse(input);
    const refusal = this.#host.turn(input);
    if (refusal !== null) listener.refuse(this.#host.misfits.has(call.lockspace) ? inspect.unknown(this.#host, call.lockspace) : refusal);
  }

  /** The mark of a recovery process is set for those who show that they are it, and for nobody else. */
  #marked({ recovery, ...call }: LockCall | ConvertCall): LockCall | ConvertInput | DlmError {
    try {
      return { ...call, flags: (call.flags & ~recoveryMark) | this.#host.applications.markFor(call.lockspace, recovery) };
    } catch (error) {
      if (error instanceof DlmError) return error;
      throw error;
    }
  }

  attend(lkid: Lkid, listener: Listener): void {
    this.#host.attend(lkid, listener);
  }

  cancel(lockspace: string, lkid: Lkid, listener: Listener, how?: CancelWord): Promise<boolean> {
    if (this.#keptBack.delete(listener)) {
      listener.refuse(new DlmError('DLM_CANCELLED', 'the wait was cancelled'));
      return Promise.resolve(true);
    }
    if (how === 'forGood') return attempt(() => giveUpForGood(this.#host, lockspace, lkid));
    return new Promise((resolve, reject) => {
      cancelLock(this.#host, { lockspace, lkid, isForNobody: how === 'forNobody' }, resolve, (refusal) => reject(errorOfRefusal(refusal)));
    });
  }

  async protect(pid: number): Promise<void> {
    this.#at.watch.protect(this.#self, await ProcessFamily.whenSeen(pid), pid);
  }

  async joinLockspace(name: string, options: LockspaceOptions): Promise<LockspaceSummary> {
    return joinLockspace(this.#host, name, options);
  }

  removeLockspace(name: string, force: boolean): Promise<void> {
    return attempt(() => removeLockspace(this.#host, name, force));
  }

  attachApplication(lockspace: string, terms: ApplicationTerms, listener: ApplicationListener): Promise<LockspaceSummary> {
    return attempt(() => {
      // This process ends with its node, and must not be ended by it.
      this.#host.applications.attach(lockspace, this.#self, { ...terms, isClient: false }, listener, this.#at.watch);
      return inspect.summary(this.#host, lockspace);
    });
  }

  answerApplication(lockspace: string, answer: ApplicationAnswer): Promise<void> {
    return attempt(() => this.#host.applications.answer(lockspace, this.#self, answer));
  }

  detachApplication(lockspace: string): Promise<void> {
    return attempt(() => this.#host.applications.detach(lockspace, this.#self, this.#at.watch));
  }

  content(lockspace: string): Promise<LockspaceContent> {
    return attempt(() => inspect.content(this.#host, lockspace));
  }

  locks(filter: LockFilter): Promise<LockInfo[]> {
    return filter.allNodes === true ? this.locksOfAll(filter).then(({ locks }) => locks) : attempt(() => inspect.locks(this.#host, filter));
  }

  locksOfAll(filter: LockFilter): Promise<LocksOfAll> {
    return this.#host.everywhere.locks(filter);
  }

  purgeOrphans(lockspace: string, formerPid: number | null): Promise<number> {
    return attempt(() => purgeOrphans(this.#host, lockspace, formerPid));
  }

  status(lockspace: string | null = null): Promise<NodeStatus> {
    return attempt(() => this.#at.status(lockspace));
  }

  awaitChange(seen: number | null): Promise<number> {
    return new Promise((resolve) => void this.#host.changes.after(seen, resolve));
  }

  openShell(): Promise<ShellDoor> {
    return Promise.reject(new DlmError('DLM_USAGE', 'a shell needs a node in another process'));
  }

  leave(options: { force: boolean; drain: boolean }): Promise<void> {
    return this.#at.leave(options);
  }

  close(): Promise<void> {
    return attempt(() => {
      const held = this.#host.node.held(this.#self.id, null);
      const unasked = [...this.#keptBack.keys()];
      // It would be granted to nobody, and end with the node only.
      this.#keptBack.clear();
      for (const listener of unasked) listener.refuse(new DlmError('DLM_NO_NODE', goodbye, askAgain));
      this.#host.endOwner(this.#self);
      this.#host.tellLost(held, goodbye);
    });
  }
}

/** A synchronous answer as a promise, errors included. */
function attempt<Answer>(work: () => Answer): Promise<Answer> {
  return new Promise((resolve) => resolve(work()));
}

/** Which lock; and is there nobody any more for whom it could be granted? */
interface CancelCall {
  readonly lockspace: string;
  readonly lkid: Lkid;
  readonly isForNobody: boolean;
}

/** Tells `answer` whether there was anything to cancel, and `refuse` if the call was refused: now, or when it is known. */
export function cancelLock(
  host: Host,
  { lockspace, lkid, isForNobody }: CancelCall,
  answer: (wasCancelled: boolean) => void,
  refuse: (refusal: Refuse) => void,
): void {
  const end = (wasCancelled: boolean): void => {
    if (!wasCancelled && isForNobody) giveBack(host, lockspace, lkid);
    answer(wasCancelled);
  };
  host.whenRunning(lockspace, () => {
    const isWaiting = host.node.isWaiting(lockspace, lkid);
    const listener = new CancelListener((wasCancelled) => {
      host.ignore(lkid, listener);
      end(wasCancelled);
    });
    host.attend(lkid, listener);
    const refusal = host.turn({ kind: 'cancel', lockspace, lkid, flags: 0, status: 'ECANCEL' });
    if (refusal === null && isWaiting) return;
    host.ignore(lkid, listener);
    if (refusal === null) end(false);
    else refuse(refusal);
  });
}

/** The grant was under way, from another node or to the caller, when it was taken back: whoever was to hold it has been told that he does not. */
function giveBack(host: Host, lockspace: string, lkid: Lkid): void {
  const call: UnlockInput = { kind: 'unlock', lockspace, lkid, flags: 0, value: null };
  setImmediate(() => host.whenChangeable(call, () => void host.turn(call)));
}

/** Hears how a lock that waits ends its wait; its master may grant it before it hears of the cancel. */
class CancelListener implements Listener {
  readonly #end: (wasCancelled: boolean) => void;

  constructor(end: (wasCancelled: boolean) => void) {
    this.#end = end;
  }

  complete({ status }: Complete): void {
    this.#end(status !== 'OK');
  }

  lost(): void {
    this.#end(false);
  }

  wait(): void {}
  block(): void {}
  adopt(): void {}
  refuse(): void {}
}

/**
 * Join-or-create. Throws or rejects with `DLM_LOCKSPACE_EXISTS` if it must be new and is not, and if it is not as wanted, here or
 * as the others have it. Whoever joins what is joined is answered at once.
 */
export function joinLockspace(host: Host, name: string, options: LockspaceOptions): LockspaceSummary | Promise<LockspaceSummary> {
  checkLockspaceName(name);
  if (options.valueLength !== undefined) checkValueLength(options.valueLength);
  const exists = host.node.hasLockspace(name);
  if (exists && options.isNew === true) {
    throw new DlmError('DLM_LOCKSPACE_EXISTS', `this node has joined lockspace '${name}' already`);
  }
  const { valueLength, order, nodir } = options;
  if (!exists) {
    const refusal = host.joinLockspace(name, { ...(valueLength === undefined ? {} : { valueLength }), ...(order === undefined ? {} : { order }), ...(nodir === undefined ? {} : { nodir }) });
    if (refusal !== null) throw errorOfRefusal(refusal);
  }
  const summary = inspect.summary(host, name);
  if (valueLength !== undefined && summary.valueLength !== valueLength) {
    throw new DlmError(
      'DLM_LOCKSPACE_EXISTS',
      `lockspace '${name}' exists with value blocks of ${summary.valueLength} bytes, not ${valueLength}`,
      'remove it first, or use it as it is',
    );
  }
  checkOrder(summary, order);
  if (nodir !== undefined && summary.nodir !== nodir) {
    const [present, wanted] = nodir ? ['a', 'none'] : ['no', 'one'];
    throw new DlmError('DLM_LOCKSPACE_EXISTS', `lockspace '${name}' exists with ${present} directory, not with ${wanted}`, 'remove it first, or use it as it is');
  }
  return exists || host.cluster === null ? summary : agreement(host, name).then(() => inspect.summary(host, name));
}

function checkOrder({ name, order: present }: LockspaceSummary, wanted: string | undefined): void {
  const order = wanted === undefined ? null : parseOrder(wanted);
  if (order === null) return;
  if ('problem' in order) throw new DlmError('DLM_USAGE', order.problem);
  if (nameOf(order) === present) return;
  throw new DlmError('DLM_LOCKSPACE_EXISTS', `lockspace '${name}' exists with the order ${present}, not ${nameOf(order)}`, 'remove it first, or use it as it is');
}

export function removeLockspace(host: Host, name: string, force: boolean): void {
  if (host.applications.lockspaces.includes(name)) {
    throw new DlmError('DLM_LOCKSPACE_IN_USE', `lockspace '${name}' has an application on this node`, 'end the application, which leaves the lockspace');
  }
  const held = host.node.held(null, name);
  const refusal = host.turn({ kind: 'leaveLockspace', lockspace: name, force });
  if (refusal !== null) throw errorOfRefusal(refusal);
  host.tellLost(held, `lockspace '${name}' was removed by force`, 'DLM_LOCKSPACE_UNKNOWN');
}

export function purgeOrphans(host: Host, lockspace: string, formerPid: number | null): number {
  const before = inspect.summary(host, lockspace).orphans;
  if (formerPid === null) host.turn({ kind: 'purgeOrphans', lockspace, formerOwner: null });
  for (const owner of host.owners()) {
    if (owner.pid === formerPid) host.turn({ kind: 'purgeOrphans', lockspace, formerOwner: owner.id });
  }
  host.forgetEnded();
  return before - inspect.summary(host, lockspace).orphans;
}

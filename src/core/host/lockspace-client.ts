/**
 * A lockspace in the hands of a program.
 */
import { ownerId, type Lkid } from '../base/ids.js';
import { Flag } from '../lock/flags.js';
import { EX } from '../lock/mode.js';
import { ApplicationHandle, type ApplicationHooks, type ApplicationOptions } from './application-handle.js';
import { abortedBefore, checkPatience } from './deadline.js';
import { LockHandle } from './lock-handle.js';
import type { Port } from './port.js';
import type { LockInfo, LockOptions, LockspaceContent, Name } from './types.js';
import { flagsOf, modeToCore, nameToCore, padValue } from './wish.js';

/** The port knows better. */
const unowned = ownerId(0);
const noOptions: LockOptions = {};

export class LockspaceClient {
  constructor(
    readonly port: Port,
    readonly name: string,
    /** In bytes. */
    readonly valueLength: number,
    /** The identity under which a recovery process locks; null for everybody else. */
    readonly recovery: string | null = null,
  ) {}

  /**
   * Lock a resource and wait until it is granted.
   *
   * Rejects with `DLM_BUSY` (NOQUEUE), `DLM_TIMED_OUT`, `DLM_CANCELLED`,
   * `DLM_RULE_BROKEN`, `DLM_NAME_INVALID`… The lock lasts until it is unlocked or
   * its owner ends.
   */
  lock(name: Name, options: LockOptions = noOptions): Promise<LockHandle> {
    if (options !== noOptions && options.signal?.aborted === true) return Promise.reject(abortedBefore());
    const handle = new LockHandle(this);
    try {
      this.start(handle, name, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return options === noOptions ? handle.settled() : handle.settledWithin(options);
  }

  /** Ask, without waiting: the handle tells what becomes of it. */
  start(handle: LockHandle, name: Name, options: LockOptions): void {
    if (options !== noOptions) checkPatience(options);
    const flags = options === noOptions ? 0 : flagsOf(options);
    this.port.lock(
      {
        kind: 'lock',
        lockspace: this.name,
        owner: unowned,
        name: nameToCore(name),
        mode: options.mode === undefined ? EX : modeToCore(options.mode),
        flags,
        value: (flags & Flag.VALBLK) === 0 ? null : padValue(options, this.valueLength),
        cookie: handle,
        recovery: this.recovery ?? undefined,
      },
      options.owner ?? null,
    );
  }

  /** Run `work` under a lock and unlock afterwards, whatever happens. */
  async withLock<Result>(
    name: Name,
    options: LockOptions,
    work: (lock: LockHandle) => Promise<Result> | Result,
  ): Promise<Result> {
    const lock = await this.lock(name, options);
    try {
      return await work(lock);
    } finally {
      await lock[Symbol.asyncDispose]();
    }
  }

  /** A lock that was taken earlier, perhaps by another process, to convert, unlock or cancel it. */
  handleOf(lkid: Lkid): LockHandle {
    const handle = new LockHandle(this, lkid);
    this.port.attend(lkid, handle);
    return handle;
  }

  /** The locks on one resource, or on all; of this node, or of all members of its cluster. */
  locks(name?: Name, { allNodes = false } = {}): Promise<LockInfo[]> {
    return this.port.locks({ lockspace: this.name, ...(name === undefined ? {} : { name }), ...(allNodes ? { allNodes } : {}) });
  }

  content(): Promise<LockspaceContent> {
    return this.port.content(this.name);
  }

  /**
   * Be the application of this lockspace on this node: hear when to touch no data, when to put in order what a failed
   * member has left behind, and when to go on. It begins suspended. Should this process end without `detach`, others
   * recover as if the node had failed. Rejects with `DLM_NO_CLUSTER`, `DLM_LOCKSPACE_IN_USE`, `DLM_RULE_BROKEN`.
   */
  attach(hooks: ApplicationHooks, options: ApplicationOptions = {}): Promise<ApplicationHandle> {
    return attachApplication(this.port, this.name, hooks, options);
  }

  purgeOrphans(formerPid: number | null = null): Promise<number> {
    return this.port.purgeOrphans(this.name, formerPid);
  }
}

/** Without having joined the lockspace before, which would be without an application. Rejects as `LockspaceClient.attach`. */
export function attachApplication(port: Port, lockspace: string, hooks: ApplicationHooks, options: ApplicationOptions = {}): Promise<ApplicationHandle> {
  return ApplicationHandle.attach(port, lockspace, hooks, options, (valueLength, recovery) => new LockspaceClient(port, lockspace, valueLength, recovery));
}

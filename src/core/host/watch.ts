/**
 * Processes that the node watches: owners without a connection, and children that
 * must be gone before their owner's locks are let go.
 *
 * A process is a pid and the time it started, so that a number used again is
 * never mistaken for it. The system tells nobody of the end of a process that is
 * not its child, so they are looked at four times a second, while there are any.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DlmError } from '../base/errors.js';
import type { ChildRegister } from './child-register.js';
import type { Host, Owner } from './host.js';
import { commandOf, identify, isAlive, type ProcessId } from './process-facts.js';

export interface Watch {
  /** The owner that stands for this process. Throws `DLM_OWNER_INVALID`. */
  ownerFor(pid: number): Owner;
  /** Keep what `owner` holds until this process is gone. Throws `DLM_OWNER_INVALID`. */
  protect(owner: Owner, pid: number): void;
}

const lookMillis = 250;

/** What a watched process means to its owner. */
interface Watched {
  readonly process: ProcessId;
  readonly owner: Owner;
  readonly isChild: boolean;
}

export class ProcessWatch implements Watch {
  readonly #host: Host;
  readonly #register: ChildRegister | null;
  readonly #watched = new Set<Watched>();
  /** Owners that have ended but for their children. */
  readonly #ending = new Set<Owner>();
  readonly #survivors = new Set<ProcessId>();
  #onceFree: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** Without a register, nobody but this process knows of its children. */
  constructor(host: Host, register: ChildRegister | null) {
    this.#host = host;
    this.#register = register;
  }

  ownerFor(pid: number): Owner {
    const process = living(pid);
    for (const { process: known, owner, isChild } of this.#watched) {
      if (!isChild && known.pid === pid && known.started === process.started) return owner;
    }
    const owner = this.#host.addOwner('process', pid, commandOf(pid));
    this.#add({ process, owner, isChild: false });
    return owner;
  }

  protect(owner: Owner, pid: number): void {
    const process = living(pid);
    this.#register?.add(process);
    this.#add({ process, owner, isChild: true });
  }

  /** The owner has ended: its locks end too, once its protected children are gone. */
  end(owner: Owner): void {
    this.#ending.add(owner);
    this.#look();
  }

  /** Children of an earlier node: nothing is granted before they are gone. */
  awaitSurvivors(survivors: readonly ProcessId[]): void {
    for (const survivor of survivors) this.#survivors.add(survivor);
    if (this.#survivors.size > 0) this.#arm();
  }

  /** The children of an earlier node that are still alive. */
  get survivors(): ReadonlySet<ProcessId> {
    return this.#survivors;
  }

  /** Call back when the last of them is gone. */
  onceFree(callback: () => void): void {
    if (this.#survivors.size === 0) callback();
    else this.#onceFree.push(callback);
  }

  /** Ask the protected children to end, and kill those that have not after a while. */
  async endChildren(graceMillis: number): Promise<void> {
    const children = [...this.#watched].filter((watched) => watched.isChild).map((watched) => watched.process);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const deadline = performance.now() + graceMillis;
      for (const child of children) send(child, signal);
      while (children.some(isAlive) && performance.now() < deadline) await pause(lookMillis / 5);
    }
    this.#look();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #add(watched: Watched): void {
    this.#watched.add(watched);
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#look(), lookMillis);
    this.#timer.unref();
  }

  #look(): void {
    for (const watched of this.#watched) {
      if (!isAlive(watched.process)) this.#forget(watched);
    }
    for (const owner of this.#ending) {
      if (this.#hasChild(owner)) continue;
      this.#ending.delete(owner);
      this.#host.endOwner(owner);
    }
    this.#lookForSurvivors();
    if (this.#watched.size === 0 && this.#survivors.size === 0) this.stop();
  }

  #forget(watched: Watched): void {
    this.#watched.delete(watched);
    if (watched.isChild) this.#register?.remove(watched.process);
    else this.#host.endOwner(watched.owner);
  }

  #hasChild(owner: Owner): boolean {
    for (const watched of this.#watched) if (watched.owner === owner) return true;
    return false;
  }

  #lookForSurvivors(): void {
    for (const survivor of this.#survivors) {
      if (isAlive(survivor)) continue;
      this.#survivors.delete(survivor);
      this.#register?.remove(survivor);
    }
    if (this.#survivors.size > 0) return;
    for (const callback of this.#onceFree.splice(0)) callback();
  }
}

function send(process: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(process)) return;
  try {
    globalThis.process.kill(process.pid, signal);
  } catch {
    // It has ended meanwhile, or it is not ours to signal; then it is waited for.
  }
}

function living(pid: number): ProcessId {
  const process = Number.isSafeInteger(pid) && pid > 0 ? identify(pid) : null;
  if (process !== null) return process;
  throw new DlmError('DLM_OWNER_INVALID', `there is no living process ${pid} here`);
}

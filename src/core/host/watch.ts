/**
 * Processes that the node watches: owners without a connection, and children that
 * must be gone before their owner's locks are let go.
 *
 * A child has a guard, the command that started it, whose session owns the lock.
 * If the guard ends and the lock is not unlocked, the child is stopped (see
 * family-stop.ts), and the lock stays until it and its family are gone.
 *
 * A process is a pid and the time it started, so that a number used again is
 * never mistaken for it. The system tells nobody of the end of a process that is
 * not its child, so they are looked at four times a second, while there are any.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DlmError } from '../base/errors.js';
import type { ChildRegister } from './child-register.js';
import { FamilyStop } from './family-stop.js';
import type { Host, Owner } from './host.js';
import { commandOf, identify, isAlive, isStopped, type ProcessId } from './process-facts.js';
import { ProcessFamily } from './process-family.js';

export interface Watch {
  /** The owner that stands for this process. Throws `DLM_OWNER_INVALID`. */
  ownerFor(pid: number): Owner;
  /** Keep what `owner` holds until the family of that process is gone. Throws `DLM_OWNER_INVALID`; and `DLM_LOST`, when nothing may begin any more. */
  protect(owner: Owner, child: ProcessFamily | null, pid: number): void;
}

const lookMillis = 250;
/** How long stopping children may take before they count as those that cannot be stopped. */
const stopMillis = 20_000;

/** How the children of a node that ends are waited for. */
export interface EndingChildren {
  /** They are killed when their grace is over, whatever their guards do. */
  readonly isUrgent?: boolean;
  /** May the node end without having seen their end? Asked once they should be gone; no if not given. */
  readonly mayLeave?: () => boolean;
  /** Hears of those that are waited for, and once more of those that cannot be stopped. */
  readonly tell?: (children: readonly ProcessFamily[], cannotBeStopped: boolean) => void;
}

export class ProcessWatch implements Watch {
  readonly #host: Host;
  readonly #register: ChildRegister | null;
  /** Owners that are processes, by pid and starting time. */
  readonly #processes = new Map<string, { readonly process: ProcessId; readonly owner: Owner }>();
  /** The protected children of each owner. */
  readonly #children = new Map<Owner, Set<ProcessFamily>>();
  /** Owners that have ended but for their children. */
  readonly #ending = new Set<Owner>();
  readonly #survivors = new Set<ProcessFamily>();
  readonly #stops = new FamilyStop();
  #onceFree: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** Children are being ended, and those who wait for that know of no other. */
  #isEnding = false;

  /** Without a register, nobody but this process knows of its children. */
  constructor(host: Host, register: ChildRegister | null) {
    this.#host = host;
    this.#register = register;
  }

  ownerFor(pid: number): Owner {
    const process = needLiving(pid, identify(pid));
    const key = `${process.pid}.${process.started}`;
    const known = this.#processes.get(key);
    if (known !== undefined) return known.owner;
    const owner = this.#host.addOwner('process', pid, commandOf(pid));
    this.#processes.set(key, { process, owner });
    this.#arm();
    return owner;
  }

  protect(owner: Owner, family: ProcessFamily | null, pid: number): void {
    const child = needLiving(pid, family);
    if (this.#isEnding) throw new DlmError('DLM_LOST', 'the node is leaving and its locks are lost, so nothing begins under them any more');
    this.#register?.add(child);
    const children = this.#children.get(owner) ?? new Set();
    this.#children.set(owner, children.add(child));
    this.#arm();
  }

  /** Nobody has to wait for its end any more, nor to end it. */
  unprotect(owner: Owner, pid: number): void {
    for (const child of this.#children.get(owner) ?? []) if (child.pid === pid) this.#forget(owner, child);
  }

  /**
   * Returns when nobody is left of the children of `owner`, which are killed, and of those of all for whom `isAlso` says so,
   * who are told otherwise that they have to stop; however long that takes. `tell` hears of those that are waited for.
   */
  async killChildren(owner: Owner, isAlso: (owner: Owner) => boolean, tell: (children: readonly ProcessFamily[]) => void): Promise<void> {
    const own = [...(this.#children.get(owner) ?? [])];
    const others = [...this.#children].filter(([one]) => one !== owner && isAlso(one)).flatMap(([, some]) => [...some]);
    for (const child of others) this.#stops.doomed(child);
    const left = (): ProcessFamily[] => [...own, ...others].filter((child) => !child.isGone);
    for (const child of own) child.signal('SIGKILL');
    if (left().length > 0) tell(left());
    while (left().length > 0) {
      await pause(lookMillis / 10);
      for (const child of own) child.signal('SIGKILL');
      this.#stops.look();
    }
    this.#look();
  }

  /** The owner has ended: its locks end too, once its protected children are gone. Were they? */
  end(owner: Owner): boolean {
    this.#ending.add(owner);
    const isNeeded = this.#host.node.hasLocksOf(owner.id);
    for (const child of this.#children.get(owner) ?? []) {
      if (!isNeeded) this.#forget(owner, child);
      else if (!child.isGone) this.#stops.unguarded(child);
    }
    this.#lookAt(owner);
    return !this.#ending.has(owner);
  }

  /** Children of an earlier node: nothing is granted before they are gone. */
  awaitSurvivors(survivors: readonly ProcessFamily[]): void {
    for (const survivor of survivors) {
      this.#survivors.add(survivor);
      this.#stops.doomed(survivor);
    }
    if (this.#survivors.size > 0) this.#arm();
  }

  /** The children of an earlier node that are still alive. */
  get survivors(): ReadonlySet<ProcessFamily> {
    return this.#survivors;
  }

  /** Call back when the last of them is gone. */
  onceFree(callback: () => void): void {
    if (this.#survivors.size === 0) callback();
    else this.#onceFree.push(callback);
  }

  /**
   * Returns when the protected children have been stopped. Whoever guards one stops it, as it has been told that the
   * lock is lost. One that KILL does not end (it is somebody else's, or waits for a disk) is waited for as long as it
   * takes, unless `mayLeave` says that others wait for it then.
   */
  async endChildren({ isUrgent = false, mayLeave = () => false, tell = () => undefined }: EndingChildren = {}): Promise<void> {
    this.#isEnding = true;
    const children = [...this.#children.values()].flatMap((some) => [...some]);
    for (const [owner, some] of this.#children) {
      for (const child of some) {
        if (isStopped(owner.pid)) this.#stops.abandoned(child);
        else if (isUrgent) this.#stops.overdue(child);
        else this.#stops.doomed(child);
      }
    }
    const left = (): ProcessFamily[] => children.filter((child) => !child.isGone);
    if (children.length > 0) tell(children, false);
    const deadline = performance.now() + stopMillis;
    let isTold = false;
    while (left().length > 0) {
      const isOverdue = performance.now() >= deadline;
      if (isOverdue && mayLeave()) break;
      if (isOverdue && !isTold) tell(left(), true);
      isTold ||= isOverdue;
      await pause(lookMillis / 5);
      this.#stops.look();
    }
    this.#look();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#look(), lookMillis);
    this.#timer.unref();
  }

  #look(): void {
    this.#stops.look();
    for (const [key, { process, owner }] of this.#processes) {
      if (isAlive(process)) continue;
      this.#processes.delete(key);
      this.#host.endOwner(owner);
    }
    for (const owner of this.#children.keys()) this.#lookAt(owner);
    this.#lookForSurvivors();
    if (this.#processes.size + this.#children.size + this.#survivors.size === 0) this.stop();
  }

  /** Which of its children live? The last one ends what is left of an owner that has ended. */
  #lookAt(owner: Owner): void {
    for (const child of this.#children.get(owner) ?? []) {
      if (child.isGone) this.#forget(owner, child);
    }
    if (this.#children.has(owner)) return;
    if (this.#ending.delete(owner)) this.#host.endOwner(owner);
  }

  #forget(owner: Owner, child: ProcessFamily): void {
    const children = this.#children.get(owner);
    children?.delete(child);
    if (children?.size === 0) this.#children.delete(owner);
    this.#stops.forget(child);
    this.#register?.remove(child);
  }

  #lookForSurvivors(): void {
    for (const survivor of this.#survivors) {
      if (!survivor.isGone) continue;
      this.#survivors.delete(survivor);
      this.#stops.forget(survivor);
      this.#register?.remove(survivor);
    }
    if (this.#survivors.size > 0) return;
    for (const callback of this.#onceFree.splice(0)) callback();
  }
}

function needLiving<Found extends ProcessId>(pid: number, found: Found | null): Found {
  if (found !== null) return found;
  throw new DlmError('DLM_OWNER_INVALID', `there is no living process ${pid} here`);
}

/**
 * The gate of an application: may ordinary callers take new locks, and does the
 * application know that it must not touch its data?
 *
 * This is the second of two gates. The first is recovery itself, and lets nobody
 * through. This one is closed from the moment a failure is seen until everything that
 * has to be done about it is done; it lets through what the recovery process asks for, as well as
 * unlocks and conversions downward, which take nothing.
 *
 *   open ──failure──▶ closed, application suspends ──▶ suspended ──all is done──▶ open
 *
 * A node without an application has nothing to suspend. One that comes begins suspended.
 * Without `suspend` in its order a lockspace has no such gate.
 *
 * Kin: gfs_controld; gfs2 DFL_BLOCK_LOCKS.
 */
import type { Millis } from '../base/ids.js';
import { millis } from '../base/ids.js';

/** What the application of this node is doing about its data. */
export type ApplicationState = 'none' | 'suspended' | 'running' | 'suspending';

/** What is to be asked of the application. */
export type GateEvent = 'suspend' | 'resume';

export class Gate {
  #isOpen: boolean;
  #state: ApplicationState;
  #deadline: Millis | null = null;
  #hasResumed = false;

  constructor(
    /** Does the order have suspend and resume? */
    readonly hasGate: boolean,
    hasApplication: boolean,
    /** How long the application may take to suspend. */
    readonly suspendMillis: number,
  ) {
    this.#isOpen = !hasGate;
    this.#state = hasApplication ? 'suspended' : 'none';
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get state(): ApplicationState {
    return this.#state;
  }

  /** Has the application been told to resume since it came? Where it need not be told: might it have been granted a lock? */
  get hasResumed(): boolean {
    return this.#hasResumed;
  }

  /** Does nothing here touch the data? */
  get isSuspended(): boolean {
    return this.#state === 'none' || this.#state === 'suspended';
  }

  /** Locks are about to be recovered, and then granted: where no application is told to resume, it needs no more to touch its data. */
  begun(): void {
    if (!this.hasGate && this.#state !== 'none') this.#hasResumed = true;
  }

  /** Something has failed. */
  close(now: Millis): GateEvent[] {
    if (!this.hasGate) return [];
    this.#isOpen = false;
    if (this.#state !== 'running') return [];
    this.#state = 'suspending';
    this.#deadline = millis(now + this.suspendMillis);
    return ['suspend'];
  }

  /** The application says that it has suspended. */
  suspended(): void {
    if (this.#state !== 'suspending') return;
    this.#state = 'suspended';
    this.#deadline = null;
  }

  /** All is done. */
  open(): GateEvent[] {
    this.#isOpen = true;
    if (this.#state !== 'suspended') return [];
    this.#state = 'running';
    this.#hasResumed = true;
    return ['resume'];
  }

  /** By when the application must have suspended; null: nobody waits for it. */
  get deadline(): Millis | null {
    return this.#deadline;
  }

  isOverdue(now: Millis): boolean {
    return this.#deadline !== null && this.#deadline <= now;
  }

  /** It has not, or cannot: nobody waits for it any more, and all others for the end of this node. */
  failed(): void {
    this.#deadline = null;
  }
}

/**
 * What the device keeps for its locks, and what each label stands for.
 *
 * A label whose lock has ended stands for nothing. Until its end has been read, the
 * id is still known to a conversion.
 */
import { lkid, type Lkid, type OwnerId } from '../../base/ids.js';
import type { ModeOrNone } from '../../lock/mode.js';
import { parseLabel, targetOf, type Step } from './scenario.js';

/** What the device keeps for one lock: its file's memory of it. */
export interface DeviceLock {
  label: string;
  readonly node: number;
  readonly owner: OwnerId;
  /** The name that was asked for. */
  readonly resource: string;
  /** Was an address given for blocking callbacks? */
  hearsBlocking: boolean;
  lkid: Lkid | null;
  buffer: Uint8Array | null;
  /** What the buffer held when it went to a master elsewhere with the last call. */
  sent: Uint8Array | null;
  /** The mode of the completion delivered last. */
  completed: ModeOrNone;
  hasEnded: boolean;
}

/** The lock a call speaks of, as far as the device knows it. */
export interface Target {
  /** The node on which the call is made. */
  readonly node: number;
  readonly id: Lkid;
  readonly lock: DeviceLock | null;
  /** Has it ended without anybody having read so? */
  readonly isUnread: boolean;
}

export class Memory {
  /** What each label stands for. */
  readonly #labels = new Map<string, DeviceLock>();
  /** The labels of locks whose end has not been read. */
  readonly #unread = new Set<string>();

  /** From now on the label stands for this lock. */
  add(lock: DeviceLock): void {
    this.#labels.set(lock.label, lock);
  }

  end(lock: DeviceLock): void {
    lock.hasEnded = true;
    if (this.#labels.get(lock.label) === lock) this.#labels.delete(lock.label);
    this.#unread.add(lock.label);
  }

  /** All there was to read has been read. */
  read(): void {
    this.#unread.clear();
  }

  /** The node is gone, and its files with it. */
  forgetNode(node: number): void {
    for (const [label, lock] of this.#labels) if (lock.node === node) this.#labels.delete(label);
  }

  /** The lock a call speaks of: by its label, or by an id. */
  target(step: Step): Target {
    const { node } = parseLabel(step.words[0] ?? '');
    const label = targetOf(step);
    if (typeof label === 'number') return { node, id: lkid(label), lock: null, isUnread: false };
    const meant = this.#labels.get(label) ?? null;
    const lock = meant === null || meant.node === node ? meant : this.#at(node, meant.lkid);
    return { node, id: meant?.lkid ?? lkid(0), lock, isUnread: this.#unread.has(label) };
  }

  /** What the file remembers of an orphan, its buffer and what was delivered, goes to whoever adopts it. */
  inherit(lock: DeviceLock): void {
    const former = this.#at(lock.node, lock.lkid);
    if (former === null) return;
    lock.buffer = former.buffer;
    lock.completed = former.completed;
    this.#labels.delete(former.label);
  }

  readonly labelOf = (node: number, id: Lkid): string => this.#at(node, id)?.label ?? '?';

  #at(node: number, id: Lkid | null): DeviceLock | null {
    for (const lock of this.#labels.values()) if (lock.node === node && lock.lkid === id) return lock;
    return null;
  }
}

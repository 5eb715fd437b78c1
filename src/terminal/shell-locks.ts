/**
 * The locks of one shell, by id and by the name they were taken on.
 *
 * A name is as good as an id, because an id that a subshell has put into a
 * variable is lost with the subshell. Where a shell has several locks on one name,
 * the latest is meant that the asking process itself has taken, or else the latest.
 */
import { compatible, modeNamed, type LockHandle, type ModeName } from '../core/index.js';

export interface ShellLock {
  readonly handle: LockHandle;
  /** Lockspace and resource, as a key. */
  readonly place: string;
  /** The name, safe to print. */
  readonly shown: string;
  /** The process that took it: the shell or a subshell of it. */
  readonly taker: number;
}

/** Is it no longer held, though it was not given back? */
export function isLost({ handle }: ShellLock): boolean {
  return handle.mode === null;
}

export class ShellLocks {
  readonly #byId = new Map<string, ShellLock>();
  readonly #byPlace = new Map<string, ShellLock[]>();

  /** A lock has been granted. What was lost on that name is forgotten. */
  add(handle: LockHandle, place: string, shown: string, taker: number): ShellLock {
    for (const other of this.#on(place).filter(isLost)) this.remove(other);
    const lock: ShellLock = { handle, place, shown, taker };
    this.#byId.set(handle.id, lock);
    const others = this.#byPlace.get(place);
    if (others === undefined) this.#byPlace.set(place, [lock]);
    else others.push(lock);
    return lock;
  }

  remove(lock: ShellLock): void {
    this.#byId.delete(lock.handle.id);
    const locks = this.#byPlace.get(lock.place) ?? [];
    const at = locks.indexOf(lock);
    if (at >= 0) locks.splice(at, 1);
    if (locks.length === 0) this.#byPlace.delete(lock.place);
  }

  withId(id: string): ShellLock | null {
    return this.#byId.get(id) ?? null;
  }

  /** The one that `asker` means by a name. */
  named(place: string, asker: number): ShellLock | null {
    const locks = this.#on(place);
    return locks.findLast(({ taker }) => taker === asker) ?? locks.at(-1) ?? null;
  }

  /** One on that name for whose end `asker` would wait, though it is its own; `but` is not counted. */
  inTheWayOf(mode: ModeName, place: string, asker: number, but: ShellLock | null = null): ShellLock | null {
    const isInTheWay = (lock: ShellLock): boolean =>
      lock !== but && lock.taker === asker && lock.handle.mode !== null && !compatible(modeNamed(lock.handle.mode)!, modeNamed(mode)!);
    return this.#on(place).find(isInTheWay) ?? null;
  }

  /** One on that name under which its value can be written. */
  writer(place: string): ShellLock | null {
    return this.#on(place).find(({ handle }) => handle.mode === 'EX' || handle.mode === 'PW') ?? null;
  }

  #on(place: string): readonly ShellLock[] {
    return this.#byPlace.get(place) ?? [];
  }
}

/**
 * One turn of a lockspace: what time it is, by which law, and where the
 * callbacks of the turn go.
 *
 * Callbacks are effects, collected in order and carried out when the turn is over.
 * Here too the blocking callbacks nobody needs are dropped: one that repeats the
 * callback just before it, and one for a mode the holder does not block.
 *
 * Kin: fs/dlm/ast.c dlm_add_cb(), dlm_may_skip_callback().
 */
import type { Generation, Lkid, Millis } from '../base/ids.js';
import type { Outlet } from '../base/outbox.js';
import type { Status } from '../base/status.js';
import type { Law } from './law.js';
import type { Lock } from './lock.js';
import { stateOf, type ValueState } from './lvb.js';
import { PR, compatible, type Mode, type ModeOrNone } from './mode.js';

/** Completion ast: an accepted operation has ended. */
export class Complete {
  readonly kind = 'complete';

  constructor(
    readonly cookie: unknown,
    readonly lkid: Lkid,
    readonly status: Status,
    /** The mode held from now on; IV: the lock is gone. */
    readonly mode: ModeOrNone,
    /** `Result` flags. */
    readonly results: number,
    /** The resource's value, if the grant read it. */
    readonly value: Uint8Array | null,
    readonly valueState: ValueState,
    /** The token. */
    readonly generation: Generation,
    readonly mastership: number,
    readonly sequence: number,
  ) {}
}

/** Blocking ast: somebody is kept from `mode` by this lock. */
export class Block {
  readonly kind = 'block';

  constructor(
    readonly cookie: unknown,
    readonly lkid: Lkid,
    readonly mode: Mode,
  ) {}
}

/** A request or conversion was accepted and waits: in a queue, or for the word of a master elsewhere. Said once. */
export class Wait {
  readonly kind = 'wait';

  constructor(
    readonly cookie: unknown,
    readonly lkid: Lkid,
  ) {}
}

export type Callback = Complete | Block | Wait;

/** Where the callbacks of locks go that are held on other nodes. */
export interface Distant {
  complete(lock: Lock, status: Status, value: Uint8Array | null): void;
  wait(lock: Lock): void;
  demoted(lock: Lock): void;
  block(lock: Lock, mode: Mode): void;
}

export class Turn {
  /** Set by the lockspace before there is a lock of another node. */
  distant: Distant | null = null;
  now = 0 as Millis;
  /** Tells the callbacks of this turn from earlier ones. */
  number = 0;
  /** The locks whose owner ends in this turn: nobody is left to hear of them. */
  dying: ReadonlySet<Lock> | null = null;
  /** Locks whose owners take for done what is still to be answered. */
  readonly toldEarly = new Set<Lock>();
  /** Are applications suspended? Then only the recovery process takes new locks. */
  isSuspended = false;

  constructor(
    readonly law: Law,
    readonly outbox: Outlet<Callback>,
  ) {}

  begin(now: Millis): void {
    this.now = now;
    this.number += 1;
    this.dying = null;
  }

  complete(lock: Lock, status: Status, value: Uint8Array | null = null): void {
    const { blocking } = lock;
    if (blocking !== null) blocking.turn = -1;
    if (lock.copy === 'master') {
      this.distant!.complete(lock, status, value);
      return;
    }
    if (this.wasTold(lock, status)) return;
    if (lock.owner === null && (lock.copy === 'process' || this.dying?.has(lock) === true)) return;
    const { resource } = lock;
    this.outbox.push(
      new Complete(
        lock.cookie,
        lock.id,
        status,
        lock.granted,
        lock.results,
        value,
        stateOf(resource.value),
        lock.generation,
        lock.mastership,
        lock.tokenSequence,
      ),
    );
  }

  /** Is this the answer that its owner takes for given? It is so once. */
  wasTold(lock: Lock, status: Status): boolean {
    return this.toldEarly.size > 0 && status === 'OK' && this.toldEarly.delete(lock);
  }

  wait(lock: Lock): void {
    if (lock.copy === 'master') this.distant!.wait(lock);
    else if (lock.owner !== null || lock.copy === 'local') this.outbox.push(new Wait(lock.cookie, lock.id));
  }

  /** It waits on, and has given up its mode meanwhile. Its owner hears so when the conversion ends; the node where it is, now. */
  demoted(lock: Lock): void {
    if (lock.copy === 'master') this.distant!.demoted(lock);
  }

  /** Tell a holder that it blocks `mode`, and remember that it knows of `remembered`. */
  block(lock: Lock, mode: Mode, remembered: Mode = mode): void {
    const memory = lock.remember();
    memory.told = remembered;
    if (lock.owner === null && lock.copy !== 'master') return;
    if (memory.turn === this.number && saysItAll(memory.mode, mode)) return;

    memory.turn = this.number;
    memory.mode = mode;
    if (compatible(lock.granted, mode)) return;
    if (lock.copy === 'master') this.distant!.block(lock, mode);
    else this.outbox.push(new Block(lock.cookie, lock.id, mode));
  }
}

/** Does the callback just given make one for `mode` redundant? CW and PR do not cover each other. */
export function saysItAll(given: ModeOrNone, mode: Mode): boolean {
  return given === mode || (given > mode && given > PR);
}

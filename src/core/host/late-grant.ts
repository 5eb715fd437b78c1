/**
 * A request that was given up, and what becomes of it if it is granted all the same.
 *
 * Another node may have granted it before it hears of the cancel, or be silent and
 * grant it much later. Whoever has given up has been told that he does not have it,
 * so the grant is undone: a new lock is given back, a conversion goes back to the
 * mode that was held before. It is asked by sessions and ports, and decides about no
 * race: what is granted when the node is told to give it up stays granted.
 */
import type { Lkid } from '../base/ids.js';
import { Flag } from '../lock/flags.js';
import { IV, areMiddlePair, isDown, modeNamed, type Mode, type ModeName, type ModeOrNone } from '../lock/mode.js';
import type { Complete } from '../lock/turn.js';
import type { ConvertInput, UnlockInput } from '../node/input.js';
import type { Host } from './host.js';
import type { Listener } from './port.js';

/** Take back what the lock waits for, now and should it be granted later. False: it waits for nothing. */
export function giveUpForGood(host: Host, lockspace: string, lkid: Lkid): boolean {
  if (!host.node.isWaiting(lockspace, lkid)) return false;
  const { owner, copy, granted: before } = host.node.stack(lockspace)!.lockspace.locks.get(lkid)!;
  // What becomes of a lock elsewhere whose owner has ended is told to nobody: a listener would stay for good.
  if (owner !== null || copy === 'local') host.attend(lkid, new LateGrant(host, { lockspace, lkid, before }));
  host.turn({ kind: 'cancel', lockspace, lkid, flags: 0, status: 'ECANCEL' });
  return true;
}

/** Is a conversion that was given up undone where it is granted later? One that gave something up is not: others may have it by then. */
export function goesBack(before: ModeName, granted: ModeName): boolean {
  return canGoBack(modeNamed(before)!, modeNamed(granted)!);
}

function canGoBack(before: Mode, granted: Mode): boolean {
  return areMiddlePair(before, granted) || isDown(granted, before);
}

/** Hears once how the wait has ended. */
class LateGrant implements Listener {
  readonly #host: Host;
  readonly #lock: { readonly lockspace: string; readonly lkid: Lkid; readonly before: ModeOrNone };

  constructor(host: Host, lock: { lockspace: string; lkid: Lkid; before: ModeOrNone }) {
    this.#host = host;
    this.#lock = lock;
  }

  complete({ status, mode }: Complete): void {
    this.#host.ignore(this.#lock.lkid, this);
    const undo = status === 'OK' && mode !== IV ? this.#undoing(mode) : null;
    // The turn that tells of the grant has not ended.
    if (undo !== null) setImmediate(() => this.#host.whenChangeable(undo, () => void this.#host.turn(undo)));
  }

  /** Where it is refused, its owner has ended the lock or asked for something else. */
  #undoing(mode: Mode): UnlockInput | ConvertInput | null {
    const { lockspace, lkid, before } = this.#lock;
    if (before === IV) return { kind: 'unlock', lockspace, lkid, flags: 0, value: null };
    if (!canGoBack(before, mode)) return null;
    // Between PR and CW others can be in the way; then what is held stays held.
    return { kind: 'convert', lockspace, lkid, mode: before, flags: Flag.CONVERT | Flag.NOQUEUE, value: null };
  }

  wait(): void {}
  block(): void {}
  adopt(): void {}
  refuse(): void {}
  lost(): void {}
}

/**
 * What owners give back while there is no quorum. For them it is done at once; for the
 * others as soon as they can be told, and until then nobody is let in.
 *
 *   mastered here            done, but whoever waits is looked at in `settle`
 *   mastered elsewhere       its master is told, and heeds it when it may
 *   no master knows it yet,  a conversion has to wait, or to the second one that brings a
 *   or not in good order     value or declares it not valid; what ends stays without an
 *                            owner until `settle`
 *
 * A value that is given away so is lost. Its writer is told, and whatever is written
 * there is not valid from then on, also to those who are in nobody's way.
 *
 * Asked by the lockspace; when there is no quorum, the stack knows.
 */
import type { Lkid } from '../base/ids.js';
import { Flag, Result, brokenConvertRule, brokenUnlockRule, lostMark } from '../lock/flags.js';
import { grantPending } from '../lock/grant.js';
import type { Lock } from '../lock/lock.js';
import { IV, PW, isDown, type Mode } from '../lock/mode.js';
import { keptFlags, letGo, lower, type Conversion } from '../lock/operations.js';
import type { Resource } from '../lock/resource.js';
import { Complete } from '../lock/turn.js';
import { askUnlock, isUnanswered, sendConvert } from './request.js';
import type { Tables } from './tables.js';

/** Its owner has it no more, and what it wrote last may be lost. */
const givenBack = Flag.FORCEUNLOCK | Flag.IVVALBLK;

export class Stranded {
  readonly #tables: Tables;
  /** Without an owner, and not ended yet, since no master may know them. */
  #ended: Lock[] = [];
  /** Of these resources locks have ended, or been converted downward. */
  readonly #lowered = new Set<Resource>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Is the answer to a conversion under way that its owner takes for done? Whatever is asked of that lock next waits for it. */
  isToldEarly(id: Lkid): boolean {
    const { turn: { toldEarly }, locks } = this.#tables;
    const lock = toldEarly.size === 0 ? null : locks.get(id);
    return lock !== null && toldEarly.has(lock);
  }

  /** Is it in the middle of nothing, may it be ended so? */
  mayUnlock(lock: Lock, flags: number): boolean {
    const isGranted = lock.place === 'granted' && (lock.isAtRest || this.#tables.turn.toldEarly.has(lock));
    return isGranted && !this.#ended.includes(lock) && brokenUnlockRule(flags) === null && (flags & Flag.CANCEL) === 0;
  }

  /** End a lock for its owner. */
  unlock(lock: Lock, value: Uint8Array | null): void {
    const tables = this.#tables;
    tables.owners.remove(lock);
    lock.owner = null;
    this.#tell(lock, 'EUNLOCK', IV, value === null ? 0 : Result.NOTSTORED);
    if (!isKnown(lock) || tables.unsettled.has(lock.resource)) {
      // Whoever will be its master is told of it before it ends; what it may have written is not valid by then.
      if (lock.granted >= PW) lock.far!.valueIsValid = false;
      this.#ended.push(lock);
    } else if (lock.copy === 'process') {
      askUnlock(tables, lock, givenBack, null);
      tables.toldAlone.add(lock.far!.node!);
    } else {
      this.#lowered.add(lock.resource);
      tables.turn.dying = new Set([lock]);
      letGo(tables.turn, lock, givenBack, null);
      tables.forget(lock);
    }
  }

  /** Is it in the middle of nothing, may it be converted so, and does it have a master that knows of it? */
  mayLower(lock: Lock, { mode, flags, value }: Conversion): boolean {
    const { place, isAtRest, granted } = lock;
    if (place !== 'granted' || !isAtRest || !isKnown(lock) || this.#ended.includes(lock) || !isDown(granted, mode)) return false;
    // Who then reads beside it would do so before its master hears that what it wrote later is lost.
    if (lock.copy === 'process' && mode >= PW && !isValueLost(flags, value)) return false;
    // The value is made anew of copies, and then nothing says that this one is lost, or declared not valid.
    if (this.#tables.unsettled.has(lock.resource) && (isValueLost(flags, value) || (flags & Flag.IVVALBLK) !== 0)) return false;
    return brokenConvertRule(flags, granted, mode) === null;
  }

  /** Convert a lock downward. */
  lower(lock: Lock, { mode, flags, value }: Conversion): void {
    const tables = this.#tables;
    const isLost = isValueLost(flags, value);
    const results = isLost ? Result.NOTSTORED : 0;
    const wish: Conversion = { mode, flags: isLost ? (flags & ~Flag.VALBLK) | lostMark : flags, value: null };
    if (lock.copy !== 'process') {
      this.#lowered.add(lock.resource);
      lower(tables.turn, lock, wish, results);
      return;
    }
    const isSilent = isUnanswered(tables.turn.law, lock.granted, mode);
    lock.ask(mode, wish.flags | keptFlags(tables.turn.law, lock), null);
    lock.results = results;
    sendConvert(tables, lock);
    tables.toldAlone.add(lock.far!.node!);
    if (isSilent) return;
    this.#tell(lock, 'OK', mode, results);
    tables.turn.toldEarly.add(lock);
  }

  /** There is a quorum again. `end` ends a lock for everybody; the turn has begun. */
  settle(end: (lock: Lock, flags: number) => void): void {
    const { turn, locks, toldAlone } = this.#tables;
    toldAlone.clear();
    const ended = this.#ended.filter((lock) => locks.get(lock.id) === lock);
    this.#ended = [];
    turn.dying = new Set(ended);
    for (const lock of ended) end(lock, givenBack);
    for (const resource of this.#lowered) if (this.#tables.isMasterOf(resource)) grantPending(turn, resource);
    this.#lowered.clear();
  }

  #tell({ cookie, id, generation, mastership, tokenSequence }: Lock, status: 'OK' | 'EUNLOCK', mode: Mode | typeof IV, results: number): void {
    this.#tables.outbox.push(new Complete(cookie, id, status, mode, results, null, 'none', generation, mastership, tokenSequence));
  }
}

/** Would such a conversion have written? */
function isValueLost(flags: number, value: Uint8Array | null): boolean {
  return (flags & Flag.VALBLK) !== 0 && value !== null;
}

/** Has it a master, who knows of it? */
function isKnown({ resource, copy, far }: Lock): boolean {
  return resource.home.master !== null && (copy !== 'process' || far!.lkid !== null);
}

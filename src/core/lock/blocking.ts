/**
 * Whom to tell that they block somebody, and when telling them again says nothing new.
 *
 * A holder is told the mode that is blocked, and hears again only of a mode
 * numerically higher than what it was told (highbast); a grant of its own makes
 * it forget. PR and CW block each other without being ordered, so between these
 * two it is told every time until it has heard of EX. Who has said that nobody listens
 * is told nothing.
 *
 * Kin: lock.c modes_require_bast(), lock_requires_bast(), send_bast_queue().
 */
import { Flag, deafMark } from './flags.js';
import type { Lock } from './lock.js';
import { CW, EX, IV, PR, areMiddlePair, compatible, type Mode } from './mode.js';
import type { Resource } from './resource.js';
import { Block, type Turn } from './turn.js';

/** A lock has joined a queue: tell the holders in its way. */
export function tellHolders(turn: Turn, resource: Resource, blocked: Lock): void {
  tellAll(turn, resource.newestGranted, blocked);
}

/** A lock was refused with NOQUEUEBAST: tell those who convert as well. */
export function tellHoldersAndConverters(turn: Turn, resource: Resource, blocked: Lock): void {
  tellAll(turn, resource.newestGranted, blocked);
  tellAll(turn, resource.convertQueue.first, blocked);
}

/** `first` and those linked behind it. */
function tellAll(turn: Turn, first: Lock | null, blocked: Lock): void {
  const mode = blocked.requested as Mode;
  for (let holder = first; holder !== null; holder = holder.next) {
    if (holder !== blocked && shouldHearOf(holder, mode)) turn.block(holder, mode);
  }
}

/** Would nobody hear it? Whoever adopts a lock that outlives its owner may want to. */
export function isDeaf(holder: Lock): boolean {
  return holder.has(deafMark) && !holder.has(Flag.PERSISTENT);
}

function shouldHearOf(holder: Lock, mode: Mode): boolean {
  if (isDeaf(holder)) return false;
  if (areMiddlePair(holder.granted, mode)) return holder.told < EX;
  return holder.told < mode && !compatible(holder.granted, mode);
}

/** An orphan has an owner again: it hears what nobody has heard. That may be over; it is late then, not wrong. */
export function tellAdopter(turn: Turn, orphan: Lock): void {
  const { told, granted } = orphan;
  if (!turn.law.adopterIsTold || told === IV || isDeaf(orphan)) return;
  // PR remembers a CW in its way as PR.
  const mode = granted === PR && told === PR ? CW : told;
  // Demoted since (CONVDEADLK), it is in nobody's way.
  if (!compatible(granted, mode)) turn.outbox.push(new Block(orphan.cookie, orphan.id, mode));
}

/** The strongest mode still blocked after a pass over the queues. */
export interface StillBlocked {
  readonly highest: Mode;
  /** Is one of them a CW, which a PR holder blocks although CW is the lower number? */
  readonly includesCw: boolean;
}

/** A pass has granted what it could: tell the holders in the way of the rest. */
export function tellHoldersAfterPass(turn: Turn, resource: Resource, still: StillBlocked): void {
  for (let holder = resource.newestGranted; holder !== null; holder = holder.next) {
    const isPrBeforeCw = holder.granted === PR && still.includesCw;
    const shouldHear = isPrBeforeCw
      ? holder.told < EX
      : holder.told < still.highest && !compatible(holder.granted, still.highest);
    if (!shouldHear || isDeaf(holder)) continue;

    const mode = isPrBeforeCw && still.highest === PR ? CW : still.highest;
    turn.block(holder, mode, still.highest);
  }
}

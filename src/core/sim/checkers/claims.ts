/**
 * The claims as their owners know them: who holds what, by what was asked and told.
 *
 * Several checkers begin with this. A release counts from the moment it is asked
 * for, a weaker mode too; a conversion that offered to give up its mode
 * (CONVDEADLK) may have lost it at any moment, so that it counts as NL, and one
 * between PR and CW has only what both have, CR; likewise one that would also do with
 * another mode. A life counts as long as the latest view has it in it.
 */
import type { Lkid } from '../../base/ids.js';
import { Flag, deafMark } from '../../lock/flags.js';
import { CW, IV, NL, PR, commonMode, type ModeOrNone } from '../../lock/mode.js';
import type { Adopted, ClaimId, Completed, Life, SimEvent, Submitted } from '../event.js';

export class Claim {
  /** The number of its lock; null: its owner was told none yet. */
  lkid: Lkid | null = null;
  /** What its owner may rely on. */
  mode: ModeOrNone = IV;
  /** What it was told to hold, whatever it has asked for since. */
  told: ModeOrNone = IV;
  pending: Submitted | null = null;
  /** What an unlock has overtaken, and may yet be refused for. */
  overtaken: Submitted | null = null;
  isCancelling = false;
  isOrphan = false;
  /** Its end has been asked for. */
  get isEnding(): boolean {
    return this.pending?.operation === 'unlock';
  }

  /** Its owner said that nobody hears that others wait; who outlives him may hear it all the same. */
  get isDeaf(): boolean {
    return (this.first.flags & deafMark) !== 0;
  }

  /** It was waiting when its owner ended: a master elsewhere may have granted it before it was taken back there. */
  isDoubtful = false;
  /** The flags of its last lock or convert call. */
  flags: number;

  constructor(
    readonly id: ClaimId,
    readonly life: Life,
    readonly key: string,
    readonly first: Submitted,
  ) {
    this.flags = first.flags;
  }
}

export class Claims {
  readonly #byId = new Map<ClaimId, Claim>();
  readonly #byResource = new Map<string, Set<Claim>>();
  readonly #byLife = new Map<Life, Set<Claim>>();
  #members: ReadonlySet<Life> = new Set();
  /** Claims whose owner has ended or given them up. */
  readonly #ownerless = new Set<ClaimId>();

  get(id: ClaimId): Claim | null {
    return this.#byId.get(id) ?? null;
  }

  on(key: string): Iterable<Claim> {
    return this.#byResource.get(key) ?? [];
  }

  of(life: Life): Iterable<Claim> {
    return this.#byLife.get(life) ?? [];
  }

  all(): Iterable<Claim> {
    return this.#byId.values();
  }

  /** Has its owner ended, or given it up? */
  isOwnerless(id: ClaimId): boolean {
    return this.#ownerless.has(id);
  }

  /** Is it in the latest view? */
  isLive(life: Life): boolean {
    return this.#members.has(life);
  }

  /** Take over what has happened. */
  see(event: SimEvent): void {
    switch (event.kind) {
      case 'submitted':
        this.#submit(event);
        break;
      case 'refused':
        this.#refuse(event.claim, event.operation);
        break;
      case 'waits':
        this.#identify(event.claim, event.lkid);
        break;
      case 'completed':
        this.#identify(event.claim, event.lkid);
        this.#complete(event);
        break;
      case 'adopted':
        this.#adopt(event);
        break;
      case 'abandoned':
        if (event.why !== 'left') for (const id of [...event.ended, ...event.orphans]) this.#ownerless.add(id);
        for (const id of event.ended) this.#removeId(id);
        for (const id of event.orphans) this.#orphan(id);
        break;
      case 'decided':
        this.#members = new Set(event.members);
        for (const life of event.gone) for (const claim of [...this.of(life)]) this.#remove(claim);
        break;
      case 'crashed':
        if (!this.isLive(event.life)) for (const claim of [...this.of(event.life)]) this.#remove(claim);
        break;
      default:
    }
  }

  #identify(id: ClaimId, lkid: Lkid): void {
    const claim = this.get(id);
    if (claim !== null) claim.lkid = lkid;
  }

  #adopt(event: Adopted): void {
    const orphan = this.get(event.orphan);
    if (orphan !== null) this.#remove(orphan);
    const claim = this.get(event.claim);
    if (claim === null) return;
    claim.lkid = orphan?.lkid ?? null;
    claim.mode = claim.told = event.mode;
    claim.pending = null;
  }

  #submit(event: Submitted): void {
    const { operation } = event;
    const claim = this.get(event.claim);
    if (claim === null) {
      if (operation === 'lock' || operation === 'adopt') this.#add(event);
      return;
    }
    if (operation === 'cancel') {
      claim.isCancelling = true;
    } else if (operation === 'unlock') {
      claim.overtaken = claim.pending;
      claim.pending = event;
      claim.mode = IV;
    } else {
      claim.overtaken = null;
      claim.pending = event;
      if (operation === 'lock') return;
      claim.mode = keptBy(claim.mode, event.mode, event.flags);
    }
  }

  #refuse(id: ClaimId, operation: Submitted['operation']): void {
    const claim = this.get(id);
    if (claim === null) return;
    if (operation === 'lock' || operation === 'adopt') this.#remove(claim);
    else if (operation === 'cancel') claim.isCancelling = false;
    else if (operation === 'convert' && claim.isEnding) claim.overtaken = null;
    else {
      claim.mode = claim.told;
      claim.pending = null;
      if (operation === 'unlock' && claim.overtaken !== null) this.#submit(claim.overtaken);
    }
  }

  #complete(event: Completed): void {
    const claim = this.get(event.claim);
    if (claim === null) return;
    const isUnlocking = claim.pending?.operation === 'unlock';
    claim.told = event.mode;
    if (isUnlocking) claim.overtaken = null;
    if (event.mode === IV) {
      this.#remove(claim);
    } else if (!isUnlocking) {
      claim.mode = claim.isDoubtful ? keptBy(claim.mode, event.mode, 0) : event.mode;
      claim.flags = claim.pending?.flags ?? claim.flags;
      claim.pending = null;
    }
    claim.isCancelling = false;
  }

  #orphan(id: ClaimId): void {
    const claim = this.get(id);
    if (claim === null) return;
    claim.isOrphan = true;
    if (claim.pending !== null) {
      claim.isDoubtful = true;
      // What it has whatever became of its conversion it keeps.
      if (claim.pending.operation !== 'convert') claim.mode = NL;
    }
    // An unlock that is under way goes on without the owner.
    if (!claim.isEnding) claim.pending = null;
  }

  #add(event: Submitted): void {
    const claim = new Claim(event.claim, event.life, `${event.lockspace}/${event.resource}`, event);
    claim.pending = event;
    this.#byId.set(claim.id, claim);
    join(this.#byResource, claim.key, claim);
    join(this.#byLife, claim.life, claim);
  }

  #removeId(id: ClaimId): void {
    const claim = this.get(id);
    if (claim !== null) this.#remove(claim);
  }

  #remove(claim: Claim): void {
    this.#byId.delete(claim.id);
    leave(this.#byResource, claim.key, claim);
    leave(this.#byLife, claim.life, claim);
  }
}

/** What may still be relied on of a mode while a conversion is asked for. */
export function keptBy(held: ModeOrNone, asked: ModeOrNone, flags: number): ModeOrNone {
  if ((flags & Flag.CONVDEADLK) !== 0) return NL;
  if (held === IV || asked === IV) return held;
  const alternative = (flags & Flag.ALTPR) !== 0 ? PR : (flags & Flag.ALTCW) !== 0 ? CW : asked;
  return commonMode(commonMode(held, asked), alternative);
}

function join<Key>(sets: Map<Key, Set<Claim>>, key: Key, claim: Claim): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([claim]));
  else set.add(claim);
}

function leave<Key>(sets: Map<Key, Set<Claim>>, key: Key, claim: Claim): void {
  const set = sets.get(key);
  set?.delete(claim);
  if (set?.size === 0) sets.delete(key);
}

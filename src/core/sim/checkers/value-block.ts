/**
 * S11: whoever reads the value of a resource reads what was written last, or is
 * told that it is not valid.
 *
 * Writers exclude one another, so that the order in which they give their values
 * away is the order of the values. A reader whom the writer excludes is granted
 * after the write, and must see it. Any other reader may be granted while the write
 * is on its way; it must see nothing older than what was confirmed when it asked.
 * A writer that died or gave up leaves a mark: until the next write nothing is valid;
 * likewise one who is told that his value is lost. Bytes that are handed out as not valid
 * are not judged.
 * A life that is out of the view may still reach a master who has not heard of it, and
 * what it gives away then counts or not; so it is not judged.
 */
import { Flag, Result } from '../../lock/flags.js';
import { transferOf } from '../../lock/lvb.js';
import { CR, NL, PW, compatible, isDown, type ModeOrNone } from '../../lock/mode.js';
import type { ClaimId, Completed, Life, Recovered, Refused, SimEvent, Submitted } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claim, Claims } from './claims.js';
import type { Failures } from './failures.js';

interface Write {
  /** The number of its value; null: a mark that nothing is valid. */
  value: number | null;
  readonly claim: ClaimId;
  readonly mode: ModeOrNone;
  readonly at: number;
  /** When it was certain that the master has it; null: not yet. */
  confirmed: number | null;
  /** Whose it was, and did its master know that it used the value block? */
  readonly life: Life;
  readonly lockspace: string;
  readonly wasKnown: boolean;
  /** Its writer was told that it is lost: no master has answered, also not to what he asked next. */
  isLost: boolean;
  /** It may not have happened; or it is a mark that a life which was already out may have undone. */
  isDoubtful: boolean;
}

/** A call that is not answered, and when it was made. */
interface Call {
  readonly operation: Submitted['operation'];
  readonly at: number;
}

/** How many of the latest writes of a resource are remembered. */
const writesMax = 64;

export class ValueBlock implements Checker {
  readonly property = 'value-block';
  readonly says = 'S11 a reader gets the last value or is told that it is not valid';
  readonly counts = { reads: 0, afterWriteElsewhere: 0, invalid: 0, none: 0, marks: 0, lost: 0, alternatives: 0 };
  #order = 0;
  readonly #writes = new Map<string, Write[]>();
  /** Of these the oldest writes are not known any more. */
  readonly #forgotten = new Set<string>();
  /** The calls that are not answered, the oldest first: an unlock may follow a conversion that is under way. */
  readonly #calls = new Map<ClaimId, Call[]>();
  readonly #grantedAt = new Map<ClaimId, number>();
  #lastDeath = 0;
  /** What lives wrote that were already out. */
  readonly #strays = new Set<number>();
  readonly #underWay = new Set<Write>();
  readonly #marksOfTheDead = new Map<ClaimId, Write>();

  /** Shown each event before `claims` is, and after `failures` is. */
  constructor(
    readonly claims: Claims,
    readonly failures: Failures,
  ) {}

  see(event: SimEvent): void {
    this.#order += 1;
    if (event.kind === 'submitted') this.#submit(event);
    else if (event.kind === 'completed') this.#complete(event);
    else if (event.kind === 'recovered') this.#recover(event);
    else if (event.kind === 'refused') this.#takeBack(event);
    else if (event.kind === 'abandoned') {
      for (const id of event.ended) this.#mark(this.claims.get(id));
    } else if (event.kind === 'left') {
      this.#leave(event.life, event.lockspace);
    } else if (event.kind === 'decided') {
      if (event.gone.length > 0) this.#lastDeath = this.#order;
      for (const life of event.gone) {
        for (const claim of this.claims.of(life)) this.#mark(claim);
        this.#doubt((write) => write.life === life);
      }
    }
  }

  /** Its writers have told the present masters of all that was lost: from now on nobody reads anything older. */
  #recover({ life, lockspace }: Recovered): void {
    this.#lastDeath = this.#order;
    if (!this.failures.isQuorate(life)) return;
    for (const write of this.#underWay) {
      if (write.isLost && write.life === life && write.lockspace === lockspace) write.confirmed ??= this.#order;
    }
  }

  /** A life leaves the lockspace: for what it had there that is a death, also for what its owners had given up before. */
  #leave(life: Life, lockspace: string): void {
    this.#lastDeath = this.#order;
    this.#doubt((write) => write.life === life && write.lockspace === lockspace);
  }

  /** What was still on its way may be lost, and if the master knew of no value block, it knows of no loss. */
  #doubt(isAffected: (write: Write) => boolean): void {
    for (const write of this.#underWay) {
      if (write.confirmed !== null) this.#underWay.delete(write);
      else if (!write.wasKnown && isAffected(write)) write.isDoubtful = true;
    }
  }

  #submit(event: Submitted): void {
    if (event.operation !== 'cancel') this.#call(event.claim, { operation: event.operation, at: this.#order });
    if (event.operation !== 'convert' && event.operation !== 'unlock') return;
    const claim = this.claims.get(event.claim);
    if (claim === null || !this.claims.isLive(event.life)) {
      this.#stray(event);
      return;
    }
    if (event.operation === 'convert' && claim.mode >= PW && transferOf(claim.mode, event.mode as 0) !== 'write') return;
    if (claim.mode < PW) {
      // It may be granted before its unlock arrives.
      if (claim.pending !== null && event.value !== null) this.#push(claim, event.value, true);
      return;
    }
    // An unlock adds its flags to those of the call before it; a conversion puts its own in their place.
    const flags = event.operation === 'unlock' ? event.flags | (claim.pending?.flags ?? claim.flags) : event.flags;
    // Should its owner end before locking goes on, the call before it is dropped, and it adds them to those of the one before that.
    const isDoubtful = event.operation === 'unlock' && ((flags ^ (event.flags | claim.flags)) & Flag.IVVALBLK) !== 0;
    if (isDoubtful) {
      this.#push(claim, null, true);
      if (event.value !== null) this.#push(claim, event.value, true);
    } else if ((flags & Flag.IVVALBLK) !== 0) this.#mark(claim, true);
    else if ((flags & Flag.VALBLK) !== 0 && event.value !== null) this.#push(claim, event.value);
  }

  #call(id: ClaimId, call: Call): void {
    const isBusy = (this.claims.get(id)?.pending ?? null) !== null;
    this.#calls.set(id, [...(isBusy ? this.#callsOf(id) : []), call]);
  }

  #callsOf(id: ClaimId): readonly Call[] {
    return this.#calls.get(id) ?? [];
  }

  /** When the call was made that is answered now: an unlock ends all of them, anything else the oldest. */
  #answer({ claim: id, status }: Completed): number {
    const calls = this.#callsOf(id);
    this.#calls.set(id, status === 'EUNLOCK' ? [] : calls.slice(1));
    return (status === 'EUNLOCK' ? calls.at(-1) : calls[0])?.at ?? this.#order;
  }

  #stray(event: Submitted): void {
    if (event.value !== null) this.#strays.add(event.value);
    const mark = this.#marksOfTheDead.get(event.claim);
    if (mark !== undefined) mark.isDoubtful = true;
  }

  /** A writer is gone. What it might have written nobody knows. */
  #mark(claim: Claim | null, isCertain = false): void {
    if (claim === null || claim.mode < PW || !this.claims.isLive(claim.life)) return;
    const flags = claim.flags & (claim.pending?.flags ?? claim.flags);
    if (!isCertain && (flags & Flag.VALBLK) === 0) return;
    this.counts.marks += 1;
    this.#marksOfTheDead.set(claim.id, this.#push(claim, null));
  }

  #push(claim: Claim, value: number | null, isDoubtful = false): Write {
    const writes = this.#writes.get(claim.key) ?? [];
    this.#writes.set(claim.key, writes);
    const { id, life, mode, flags, first } = claim;
    const isShaky = writes.some((earlier) => earlier.claim === id && earlier.confirmed === null && !earlier.wasKnown);
    const wasKnown = (flags & Flag.VALBLK) !== 0 && !isShaky;
    const write: Write = { value, claim: id, life, lockspace: first.lockspace, mode, at: this.#order, confirmed: null, wasKnown, isLost: false, isDoubtful };
    this.#underWay.add(write);
    writes.push(write);
    if (writes.length > writesMax) {
      writes.shift();
      this.#forgotten.add(claim.key);
    }
    return write;
  }

  /** A refused call has written nothing, whatever it might have written. */
  #takeBack({ claim: id, operation }: Refused): void {
    const calls = this.#callsOf(id);
    const call = calls.findLast((one) => one.operation === operation);
    if (call === undefined) return;
    this.#calls.set(id, calls.filter((one) => one !== call));
    const claim = this.claims.get(id);
    const writes = claim === null ? undefined : this.#writes.get(claim.key);
    if (writes === undefined) return;
    const isItsOwn = (write: Write): boolean => write.claim === id && write.confirmed === null && write.at === call.at;
    this.#writes.set(claim!.key, writes.filter((write) => !isItsOwn(write)));
  }

  #complete(event: Completed): void {
    const asked = this.#answer(event);
    const claim = this.claims.get(event.claim);
    if (claim === null || !this.claims.isLive(event.life)) return;
    if ((event.results & Result.NOTSTORED) !== 0) this.#lose(claim, asked);
    this.#confirm(claim, event, asked);
    if (event.status !== 'OK' || claim.isEnding) return;
    this.#grantedAt.set(claim.id, this.#grantedAt.get(claim.id) ?? this.#order);
    const wish = claim.pending;
    if (wish === null || (wish.flags & Flag.VALBLK) === 0) return;
    // Whoever asked for EX to read reads also with an alternative mode, which would write otherwise.
    const isAlternative = claim.told === PW && (event.results & Result.ALTMODE) !== 0;
    if (isAlternative) this.counts.alternatives += 1;
    if (isAlternative || transferOf(claim.told, event.mode as 0) === 'read') this.#judge(claim, event, asked);
  }

  /** The master has answered: what this lock wrote is there. Nobody answers a weaker mode, nor, outside a quorum, an unlock. */
  #confirm(claim: Claim, event: Completed, asked: number): void {
    if (event.status === 'OK' && isDown(claim.told, event.mode)) return;
    if (event.status === 'EUNLOCK') this.#grantedAt.delete(claim.id);
    if (!this.failures.isQuorate(event.life)) return;
    for (const write of this.#writes.get(claim.key) ?? []) {
      if (write.claim === claim.id && write.at <= asked && write.confirmed === null && !write.isLost) write.confirmed = this.#order;
    }
  }

  /** Outside a quorum: what it brought is not there, nor is anything before it valid. */
  #lose(claim: Claim, asked: number): void {
    const writes = this.#writes.get(claim.key) ?? [];
    // What waited for a quorum when its lock was given back has written nothing, and is not answered before that.
    if (claim.overtaken?.operation === 'convert') {
      for (const write of writes) if (write.claim === claim.id && write.confirmed === null && !write.isLost) write.isDoubtful = true;
    }
    const write = writes.findLast(({ claim: id, at }) => id === claim.id && at === asked);
    if (write === undefined || write.value === null) return;
    this.counts.lost += 1;
    write.value = null;
    write.isLost = true;
  }

  #judge(claim: Claim, event: Completed, asked: number): void {
    this.counts.reads += 1;
    const writes = this.#writes.get(claim.key) ?? [];
    if ((event.results & Result.VALNOTVALID) !== 0) {
      this.counts.invalid += 1;
    } else if (event.value === null) {
      this.counts.none += 1;
      this.#judgeNone(claim, event, writes, asked);
    } else {
      this.#judgeValue(claim, event, writes, asked);
    }
  }

  #judgeValue(claim: Claim, event: Completed, writes: readonly Write[], asked: number): void {
    if (event.value !== null && this.#strays.has(event.value)) return;
    const index = writes.findIndex(({ value }) => value === event.value);
    if (writes[index]?.isDoubtful === true) return;
    if (index < 0 && !this.#forgotten.has(claim.key)) this.#complain(claim, event.value, 'which nobody wrote there');
    for (const later of writes.slice(index + 1)) {
      if (later.claim === claim.id) this.#complain(claim, event.value, 'older than its own');
      const isCertain = !compatible(later.mode, event.mode) || (later.confirmed !== null && later.confirmed < asked);
      if (!isCertain || later.isDoubtful) continue;
      const what = later.value === null ? 'although a writer was lost since' : `and not ${later.value}, which was written later`;
      this.#complain(claim, event.value, what);
    }
    const write = writes[index];
    if (write !== undefined && this.#lifeOf(write.claim) !== claim.life) this.counts.afterWriteElsewhere += 1;
  }

  /** There is nothing to read: right, unless somebody has kept the resource since the last write, and nobody died. */
  #judgeNone(claim: Claim, event: Completed, writes: readonly Write[], asked: number): void {
    const write = writes.findLast(({ confirmed, isDoubtful }) => confirmed !== null && confirmed < asked && !isDoubtful);
    if (write === undefined || write.value === null || this.#lastDeath > write.at) return;
    const kept = [...this.claims.on(claim.key)].some(
      (other) => other !== claim && !other.isDoubtful && other.mode >= NL && other.mode <= CR && (this.#grantedAt.get(other.id) ?? Infinity) < write.at,
    );
    if (kept) this.#complain(claim, event.value, `although ${write.value} was written and the resource never forgotten`);
  }

  #lifeOf(id: ClaimId): Life | null {
    return this.claims.get(id)?.life ?? null;
  }

  #complain(claim: Claim, value: number | null, what: string): never {
    throw new Violation(this.property, `claim ${claim.id} on ${claim.key} read ${value ?? 'nothing'} as valid, ${what}`, [
      ` ${claim.key} `,
    ]);
  }
}

/**
 * Who is in corosync's group, how each of them stands, who has gone and in which way;
 * as the stream tells it, the same for all who have been there as long.
 *
 * It keeps facts, and knows of views only which one somebody says it knows. What follows
 * from the facts is corosync-group.ts's to say.
 */
import { createHash } from 'node:crypto';
import { reasonOf, type Address, type Change, type Ring } from './corosync-library.js';
import type { Enlisted, Out, Stand } from './corosync-protocol.js';

/** A process in corosync's group. */
export interface Occupant extends Address {
  /** What it has said last, maybe in an earlier epoch. */
  stand: Stand | null;
  /** Why it is no member any more, though corosync still has it. */
  outFor: string | null;
  /** The last beat that came. */
  beats: number;
  heardAt: number;
}

/** What is known of a member that is not in corosync's group any more. */
interface Absence {
  readonly heardAt: number;
  readonly isLeaving: boolean;
  /** Its process has ended. */
  isOver: boolean;
}

export class Roster {
  readonly #occupants = new Map<string, Occupant>();
  /** Of those that corosync has no more, by life. */
  readonly #absences = new Map<string, Absence>();
  /** Lives that were said to be out. */
  readonly #struckOut = new Set<string>();
  #ring: Ring = { node: 0, seq: 0 };
  #epoch = '';

  get epoch(): string {
    return this.#epoch;
  }

  get ring(): Ring {
    return this.#ring;
  }

  occupant(address: Address): Occupant | null {
    return this.#occupants.get(keyOf(address)) ?? null;
  }

  /** In the order of their numbers, without those who are out. */
  get present(): Occupant[] {
    return [...this.#occupants.values()].filter(({ outFor }) => outFor === null).sort((a, b) => a.node - b.node || a.pid - b.pid);
  }

  /** Has it said how it stands in this epoch? */
  stands({ stand }: Occupant): boolean {
    return stand !== null && stand.epoch === this.#epoch;
  }

  /**
   * Whoever knows the latest view of those who stand; of several the lowest, also if they mean two views that were
   * made apart under one number. If nobody knows one, the lowest of all.
   */
  get leader(): Occupant | null {
    const standing = this.present.filter((occupant) => this.stands(occupant));
    let leader = standing[0] ?? null;
    for (const occupant of standing) if (idOf(occupant) > idOf(leader!)) leader = occupant;
    return leader;
  }

  /** Corosync's group has changed. `members`: those of the last view we know. */
  membersAre(now: number, all: readonly Address[], left: readonly Change[], members: readonly Enlisted[]): void {
    for (const change of left) this.#remove(change, change.reason, members);
    const here = new Set(all.map(keyOf));
    for (const occupant of [...this.#occupants.values()]) {
      if (!here.has(keyOf(occupant))) this.#remove(occupant, reasonOf.nodedown, members);
    }
    for (const { node, pid } of all) {
      const key = keyOf({ node, pid });
      if (!this.#occupants.has(key)) this.#occupants.set(key, { node, pid, stand: null, outFor: null, beats: 0, heardAt: now });
    }
    this.#beginEpoch();
  }

  ringIs(ring: Ring): void {
    this.#ring = ring;
    // That a process had ended, when its host went as well, was perhaps concluded and not seen.
    for (const absence of this.#absences.values()) absence.isOver = false;
    this.#beginEpoch();
  }

  takeStand(occupant: Occupant, stand: Stand): void {
    const earlier = occupant.stand;
    // One process has joined again: its earlier life is over.
    if (earlier !== null && earlier.life !== stand.life) {
      this.#absences.set(earlier.life, { heardAt: occupant.heardAt, isLeaving: earlier.isLeaving, isOver: true });
    }
    occupant.stand = stand;
    this.#absences.delete(stand.life);
  }

  /** True: it is out, and whoever it was is still in corosync's group. */
  strikeOut({ node, pid, life, heard, reason }: Out): boolean {
    const occupant = this.occupant({ node, pid });
    const isHere = occupant !== null && (life === null || occupant.stand === null || occupant.stand.life === life);
    // It was slow, and not silent: this came before we were heard.
    if (isHere && heard !== null && occupant.beats > heard) return false;
    if (life !== null) this.#struckOut.add(life);
    if (isHere) occupant.outFor = reason;
    return isHere;
  }

  isStruckOut({ life }: Enlisted): boolean {
    return this.#struckOut.has(life);
  }

  /** What a member says of itself; null if it is not here. */
  standOf(member: Enlisted): Stand | null {
    const occupant = this.occupant(member);
    const isHere = occupant !== null && occupant.outFor === null && occupant.stand?.life === member.life;
    return isHere ? occupant.stand : null;
  }

  /** Of a member that is not here. */
  absenceOf({ life }: Enlisted, now: number): Absence {
    const known = this.#absences.get(life);
    if (known !== undefined) return known;
    const absence = { heardAt: now, isLeaving: false, isOver: false };
    this.#absences.set(life, absence);
    return absence;
  }

  /** Only these lives matter from now on, of those that are not here. */
  forgetAllBut(members: readonly Enlisted[]): void {
    const lives = new Set(members.map(({ life }) => life));
    for (const known of [...this.#absences.keys(), ...this.#struckOut]) {
      if (lives.has(known)) continue;
      this.#absences.delete(known);
      this.#struckOut.delete(known);
    }
  }

  #beginEpoch(): void {
    const keys = [...this.#occupants.keys()].sort().join();
    this.#epoch = `${this.#ring.node}.${this.#ring.seq}/${createHash('sha256').update(keys).digest('base64url').slice(0, 16)}`;
  }

  #remove(address: Address, reason: number, members: readonly Enlisted[]): void {
    const key = keyOf(address);
    const occupant = this.#occupants.get(key);
    if (occupant === undefined) return;
    this.#occupants.delete(key);
    const life = occupant.stand?.life ?? members.find((member) => keyOf(member) === key)?.life;
    if (life === undefined) return;
    this.#absences.set(life, { heardAt: occupant.heardAt, isLeaving: occupant.stand?.isLeaving ?? false, isOver: reason === reasonOf.procdown });
  }
}

function idOf({ stand }: Occupant): number {
  return stand!.last?.id ?? 0;
}

function keyOf({ node, pid }: Address): string {
  return `${node}:${pid}`;
}

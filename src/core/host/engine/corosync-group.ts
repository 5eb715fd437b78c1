/**
 * The group of a cluster on corosync: what one member makes of the stream in which
 * corosync orders everything, its own words included, for all alike.
 *
 * Every change begins an **epoch**: the ring of corosync and the processes in the group.
 * In each, everybody says how it stands. When all have, the leader says what is to be
 * done: it is the lowest of those that know the latest view, or the lowest of all if
 * there is none yet. In this order, the next step only when all have taken the last:
 *
 *     those who stand behind   are given the view they have missed, or are out
 *     those who have left or are gone       view without them
 *     newcomers, lockspaces, quorum regained     view with them
 *
 * A view is taken by whoever receives it in the epoch it was made for, which is all or
 * nobody that stays together. So parts of a broken group go on by themselves, at most
 * one of them with quorum, and a part can be a single view ahead of others: when they
 * meet, whoever the latest view holds catches up, and whoever it does not hold was
 * called gone meanwhile and is out. If no part has made a view, nothing has happened.
 *
 * A process that has ended is gone at once, any other that is not heard only when it
 * must have stopped by itself. This file touches no clock and sends nothing: time is an
 * argument, and `steps` returns what is to be said.
 */
import { Admission } from './corosync-admission.js';
import type { Address, Change, Ring } from './corosync-library.js';
import { isSameView, type Enlisted, type Entry, type Message, type Out, type Refusal, type Stand } from './corosync-protocol.js';
import { Roster, type Occupant } from './corosync-roster.js';

/** What has come of a message, for us. */
export type Outcome =
  | { readonly kind: 'view'; readonly entry: Entry }
  /** After this view nobody may do anything. */
  | { readonly kind: 'stop'; readonly entry: Entry }
  | { readonly kind: 'left' }
  | { readonly kind: 'out'; readonly reason: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'news'; readonly line: string };

export interface Steps {
  /** For us to say now. */
  readonly say: readonly Message[];
  /** When to ask again, if nothing is heard before; Infinity: only then. */
  readonly at: number;
  /** What a next view waits for, in words; empty: nothing. */
  readonly waitsFor: string;
}

/** Now, on the clock that is used for waiting and on that which people go by. */
export interface Times {
  readonly now: number;
  readonly wall: number;
}

export interface GroupOptions {
  readonly self: Address;
  readonly life: string;
  /** How long a process may be silent that has not said how long it may act. */
  readonly stopMillis: number;
  /** Added to what others say of how long they may act. */
  readonly marginMillis: number;
}

/** The number of a view is this much greater for every step of the ring's number, and eight a millisecond of time. */
const stepOfRing = 1_024;
const stepOfTime = 8;
/** The number between two views is that of the first one without quorum. */
const stepOfView = 2;

export class ProcessGroup {
  readonly #options: GroupOptions;
  readonly #roster = new Roster();
  #last: Entry | null = null;
  /** The number of the last view after which we have stopped. */
  #stoppedAt = 0;
  /** The epoch in which the last view was taken. */
  #lastEpoch = '';
  /** What we have said in this epoch, so as to say it once. */
  readonly #said = new Set<string>();
  #saidEpoch = '';

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  get epoch(): string {
    return this.#roster.epoch;
  }

  get ring(): Ring {
    return this.#roster.ring;
  }

  /** The last quorate view we know; null: we are a newcomer. */
  get last(): Entry | null {
    return this.#last;
  }

  /** Have we stopped since the last view? */
  get isStopped(): boolean {
    return this.#last !== null && this.#stoppedAt === this.#last.id;
  }

  /** There is no quorum here. None: we have stopped already, or are a newcomer. */
  stop(): Outcome[] {
    if (this.#last === null || this.isStopped) return [];
    this.#stoppedAt = this.#last.id;
    return [{ kind: 'stop', entry: this.#last }];
  }

  get hasUs(): boolean {
    return this.#roster.occupant(this.#options.self) !== null;
  }

  /** Corosync's group has changed. */
  membersAre(now: number, all: readonly Address[], left: readonly Change[]): void {
    this.#roster.membersAre(now, all, left, this.#last?.members ?? []);
  }

  ringIs(ring: Ring): void {
    this.#roster.ringIs(ring);
  }

  /** Somebody has said something; this comes to all in the same order. */
  hear(now: number, from: Address, message: Message): Outcome[] {
    const occupant = this.#roster.occupant(from);
    if (occupant === null || occupant.outFor !== null) return [];
    occupant.heardAt = now;
    if (message.say === 'beat') {
      occupant.beats = message.count;
      return [];
    }
    if (message.epoch !== this.epoch) return [];
    const isLeader = occupant === this.#roster.leader;
    switch (message.say) {
      case 'stand':
        if (message.node === from.node && message.pid === from.pid) this.#roster.takeStand(occupant, message);
        return [];
      case 'view':
        return isLeader ? this.#takeView(message.entry) : [];
      case 'refuse':
        return isLeader && message.life === this.#options.life && this.#last === null ? [{ kind: 'refused', refusal: message }] : [];
      case 'out':
        return this.#strikeOut(message);
    }
  }

  /** What is there to be said, by us, now? */
  steps(times: Times): Steps {
    const self = this.#roster.occupant(this.#options.self);
    if (self === null) return nothing('corosync to let us into the group');
    const silence = this.#silent(times.now, self);
    const { present, leader } = this.#roster;
    const missing = present.filter((occupant) => !this.#roster.stands(occupant));
    if (missing.length > 0) return { ...silence, waitsFor: `${missing.map(nameOf).join(' and ')} to answer` };
    if (leader !== self) return { ...silence, waitsFor: leader === null ? 'somebody who is a member' : `${nameOf(leader)} to make a view` };
    const led = this.#lead(times, self);
    return { say: [...silence.say, ...led.say], at: Math.min(silence.at, led.at), waitsFor: led.waitsFor };
  }

  /** Say, as an operator does, that a member is gone; null if there is no such member. */
  expulsion(life: string, reason: string): Out | null {
    const member = this.#last?.members.find((one) => one.life === life);
    if (member === undefined) return null;
    return { say: 'out', epoch: this.epoch, node: member.node, pid: member.pid, life, heard: null, reason };
  }

  #takeView(entry: Entry): Outcome[] {
    const last = this.#last;
    if (last !== null && last.id !== entry.before) return [];
    if (!entry.members.some(({ life }) => life === this.#options.life)) return last === null ? [] : [this.#withoutUs()];
    // Where some had stopped all must have, and who was not reckoned with must once more: of those who had and those who had
    // not, the ones would recover and the others would not recover with them.
    const mustStop = this.isStopped && !entry.hasStopped;
    const stopped = entry.hasStopped ? this.stop() : [];
    this.#last = entry;
    this.#lastEpoch = this.epoch;
    this.#roster.forgetAllBut(entry.members);
    return [...stopped, { kind: 'view', entry }, ...(mustStop ? this.stop() : [])];
  }

  #withoutUs(): Outcome {
    const isLeaving = this.#roster.occupant(this.#options.self)?.stand?.isLeaving === true;
    return isLeaving ? { kind: 'left' } : { kind: 'out', reason: 'the others have made a view without this node' };
  }

  #strikeOut(out: Out): Outcome[] {
    const isHere = this.#roster.strikeOut(out);
    const { self } = this.#options;
    if (isHere && out.node === self.node && out.pid === self.pid) return [{ kind: 'out', reason: out.reason }];
    return isHere ? [{ kind: 'news', line: `node ${out.node} is out: ${out.reason}` }] : [];
  }

  /** Those who have not been heard for so long that they must have stopped; said by the lowest of the others. */
  #silent(now: number, self: Occupant): { say: Message[]; at: number } {
    const { stopMillis, marginMillis } = this.#options;
    const { present } = this.#roster;
    const endOf = ({ stand, heardAt }: Occupant): number => heardAt + (stand?.stopMillis ?? stopMillis) + marginMillis;
    const others = present.filter((occupant) => occupant !== self);
    const silent = others.filter((occupant) => endOf(occupant) <= now);
    const at = Math.min(Infinity, ...others.filter((occupant) => endOf(occupant) > now).map(endOf));
    if (present.find((occupant) => !silent.includes(occupant)) !== self) return { say: [], at };
    const { node: ringNode, seq } = this.ring;
    const say = silent.flatMap((occupant) => {
      const reason = `it was not heard for ${Math.round(now - occupant.heardAt)} ms in ring ${ringNode}.${seq}`;
      return this.#once(`silent ${occupant.node}:${occupant.pid} ${occupant.beats}`, () => this.#out(occupant, reason, occupant.beats));
    });
    return { say, at };
  }

  #out({ node, pid, stand }: Occupant, reason: string, heard: number | null): Out {
    const life = stand?.life ?? this.#last?.members.find((member) => member.node === node && member.pid === pid)?.life ?? null;
    return { say: 'out', epoch: this.epoch, node, pid, life, heard, reason };
  }

  /** The leader's part. All in the group have said how they stand. */
  #lead(times: Times, self: Occupant): Steps {
    if (!isSameView(self.stand!.last, this.#last)) return nothing('our own word');
    const { present } = this.#roster;
    const behind = present.filter((occupant) => this.#isBehind(occupant.stand!));
    if (behind.length > 0) return this.#catchUp(behind);
    if (present.some(({ stand }) => this.#isOurs(stand!) && !stand!.isQuorate)) return nothing('quorum');

    const { stay, leftCleanly, away, at } = this.#whoStays(times.now);
    const waitsFor = away.map((node) => `node ${node} to have stopped`).join(' and ');
    const members = stay.map((member) => this.#asItStands(member));
    if (this.#last !== null && stay.length < this.#last.members.length) {
      return { say: this.#propose(times, members, leftCleanly, []), at, waitsFor };
    }
    // Whose number is that of a member which must first have stopped waits with us.
    const newcomers = present.filter(({ node, stand }) => stand!.last === null && !stand!.isLeaving && !away.includes(node));
    const admission = new Admission(members, this.#last?.incarnations ?? []);
    const refusals = newcomers.flatMap(({ stand }) => admission.consider(stand!, this.epoch));
    const say = refusals.flatMap((refusal) => this.#once(`refuse ${refusal.life}`, () => refusal));
    const isNew = admission.admitted.length > 0 || this.#hasChanged(members);
    if (isNew) say.push(...this.#propose(times, [...members, ...admission.admitted], [], admission.admitted));
    return { say, at, waitsFor: isNew ? '' : waitsFor };
  }

  /** Is it a member of the latest view, or may it be one of the first? */
  #isOurs({ last, life }: Stand): boolean {
    return this.#last === null || last !== null || this.#last.members.some((member) => member.life === life);
  }

  #isBehind({ last, life }: Stand): boolean {
    if (this.#last === null || isSameView(last, this.#last)) return false;
    return last !== null || this.#last.members.some((member) => member.life === life);
  }

  /** Give the latest view to those who have missed just that one; the others went another way. */
  #catchUp(behind: readonly Occupant[]): Steps {
    const last = this.#last!;
    const waitsFor = `${behind.map(nameOf).join(' and ')} to follow`;
    // They were given it in this epoch, and will say so.
    if (this.#lastEpoch === this.epoch) return nothing(waitsFor);
    const lives = new Set(last.members.map(({ life }) => life));
    const canFollow = ({ stand }: Occupant): boolean => lives.has(stand!.life) && (stand!.last === null || stand!.last.id === last.before);
    const say = behind
      .filter((occupant) => !canFollow(occupant))
      .flatMap((occupant) => this.#once(`astray ${occupant.node}:${occupant.pid}`, () => this.#out(occupant, this.#astray(occupant), null)));
    if (behind.some(canFollow)) say.push(...this.#once('again', () => ({ say: 'view', epoch: this.epoch, entry: last })));
    return { say, at: Infinity, waitsFor };
  }

  #astray({ node, stand }: Occupant): string {
    return (
      `node ${node} (${stand!.name}) was cut off and came back with view ${stand!.last!.id}, while the others went on to view ${this.#last!.id}: ` +
      'what it knows is no longer true, and it must be started again'
    );
  }

  /** Of the members of the last view. `away`: the numbers of those who may still act; `at`: when that changes. */
  #whoStays(now: number): { stay: Enlisted[]; leftCleanly: number[]; away: number[]; at: number } {
    const stay: Enlisted[] = [];
    const leftCleanly: number[] = [];
    const away: number[] = [];
    let at = Infinity;
    for (const member of this.#last?.members ?? []) {
      const stand = this.#roster.standOf(member);
      if (stand !== null) {
        if (stand.isLeaving) leftCleanly.push(member.node);
        else stay.push(member);
        continue;
      }
      if (this.#roster.isStruckOut(member)) continue;
      const absence = this.#roster.absenceOf(member, now);
      const end = absence.heardAt + member.stopMillis + this.#options.marginMillis;
      if (absence.isLeaving) leftCleanly.push(member.node);
      else if (!absence.isOver && end > now) {
        stay.push(member);
        away.push(member.node);
        at = Math.min(at, end);
      }
    }
    return { stay, leftCleanly, away, at };
  }

  /** With the lockspaces it is in by now. */
  #asItStands(member: Enlisted): Enlisted {
    const stand = this.#roster.standOf(member);
    return stand === null ? member : { ...member, lockspaces: stand.lockspaces };
  }

  /** Has anybody joined or left a lockspace, or must be told that there is quorum again? */
  #hasChanged(members: readonly Enlisted[]): boolean {
    if (this.#last === null) return false;
    return this.#hasStopped() || JSON.stringify(members) !== JSON.stringify(this.#last.members);
  }

  #hasStopped(): boolean {
    return this.#roster.present.some(({ stand }) => stand!.isStopped && this.#isOurs(stand!));
  }

  #propose(times: Times, members: readonly Enlisted[], leftCleanly: readonly number[], admitted: readonly Enlisted[]): Message[] {
    return this.#once(`view after ${this.#last?.id ?? 0}`, () => ({
      say: 'view',
      epoch: this.epoch,
      entry: {
        id: this.#nextId(times.wall, admitted),
        maker: this.#options.life,
        before: this.#last?.id ?? 0,
        ring: Math.max(this.ring.seq, this.#last?.ring ?? 0),
        members: [...members].sort((a, b) => a.node - b.node),
        leftCleanly,
        hasStopped: this.#hasStopped(),
        incarnations: Admission.remembered(this.#last?.incarnations ?? [], admitted),
      },
    }));
  }

  /** Even, greater than any before and than every incarnation; greater in a later ring, whoever makes it. */
  #nextId(wall: number, admitted: readonly Enlisted[]): number {
    const last = this.#last;
    const { seq } = this.ring;
    const base = last === null ? stepOfTime * wall + stepOfRing * seq : last.id + Math.max(stepOfView, stepOfRing * (seq - last.ring));
    return 2 * Math.ceil(Math.max(base, ...admitted.map(({ incarnation }) => incarnation + 1)) / 2);
  }

  #once(what: string, make: () => Message): Message[] {
    if (this.#saidEpoch !== this.epoch) this.#said.clear();
    this.#saidEpoch = this.epoch;
    if (this.#said.has(what)) return [];
    this.#said.add(what);
    return [make()];
  }
}

function nothing(waitsFor: string): Steps {
  return { say: [], at: Infinity, waitsFor };
}

function nameOf({ node }: Occupant): string {
  return `node ${node}`;
}

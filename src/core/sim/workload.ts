/**
 * The applications of a world: owners that lock, convert, write, unlock, cancel,
 * die, and leave orphans behind.
 *
 * They keep the manners that the law expects: one operation of a lock at a time
 * (a cancel or an unlock may overtake), and a writer that asked for value blocks
 * says with every release what becomes of the value. Somebody who is told that he
 * keeps others waiting mostly gives way after a while.
 */
import { ownerId, type OwnerId } from '../base/ids.js';
import type { Prng } from '../base/prng.js';
import { Flag, deafMark } from '../lock/flags.js';
import type { Law } from '../lock/law.js';
import { EX, IV, NL, PW, areMiddlePair, modes, type Mode, type ModeOrNone } from '../lock/mode.js';
import type { CancelStatus } from '../lock/operations.js';
import type { Agenda } from './agenda.js';
import type { SimEvent, Submitted } from './event.js';
import { Habits, flurryMillis, type Hurry } from './habits.js';
import type { Machine } from './machine.js';
import type { WorkloadOptions } from './options.js';
import { Ticket } from './ticket.js';
import { valueOfNumber } from './value.js';

type Act = 'lock' | 'convert' | 'unlock' | 'cancel' | 'endOwner' | 'purgeOwner' | 'purgeOrphans' | 'adopt';

const acts: readonly (readonly [Act, number])[] = [
  ['lock', 44],
  ['convert', 16],
  ['unlock', 24],
  ['cancel', 4],
  ['endOwner', 3],
  ['purgeOwner', 1],
  ['purgeOrphans', 1],
  ['adopt', 3],
];

const lockFlags = [Flag.NOQUEUE, Flag.NOQUEUE | Flag.NOQUEUEBAST, Flag.HEADQUE, Flag.NOORDER, Flag.ALTPR, Flag.ALTCW];
const convertFlags = [Flag.NOQUEUE, Flag.QUECVT, Flag.CONVDEADLK, Flag.NODLCKWT, Flag.NOORDER, Flag.HEADQUE];

/** How often owners flurry before all is quiet. */
const flurriesMax = 4;

/** What owners need of the world. */
export interface WorkloadPort {
  readonly machines: readonly Machine[];
  emit(event: SimEvent): void;
  /** Is there a shared disk? */
  readonly hasDisk: boolean;
  /** Is it among a majority of machines that hear each other? */
  isHeard(machine: Machine): boolean;
  /** Under this lock something is written to the shared disk. */
  write(machine: Machine, ticket: Ticket): void;
}

export class Workload {
  readonly counts: Record<string, number> = {};
  isStopped = false;
  isDraining = false;
  #claims = 0;
  #owners = 0;
  #values = 0;
  readonly #deaf: Prng;
  readonly #alternatives: Prng;
  readonly #habits: Habits;

  constructor(
    readonly options: WorkloadOptions,
    readonly law: Law,
    readonly agenda: Agenda,
    readonly prng: Prng,
    readonly port: WorkloadPort,
  ) {
    this.#deaf = prng.fork('deaf');
    this.#alternatives = prng.fork('alternatives');
    this.#habits = new Habits(options.habits, prng.fork('habits'));
  }

  /** A new life has come up: its owners begin to act. */
  begin(machine: Machine): void {
    const { life } = machine;
    const act = (): void => {
      if (machine.life !== life || !machine.isUp) return;
      if (machine.isAwake && !this.isStopped) {
        if (this.port.hasDisk) this.#write(machine);
        if (!this.#isUnaware(machine)) this.#act(machine);
      }
      this.agenda.after(this.prng.between(1, 2 * this.options.everyMillis), act);
    };
    act();
  }

  /** A lock is granted, or wanted by others: what does its owner do? */
  answered(machine: Machine, ticket: Ticket): void {
    // Whoever gets a lock marks what it protects, so that earlier holders are known to be late.
    if (this.port.hasDisk && isIdle(ticket) && ticket.granted >= PW && !this.isStopped) this.port.write(machine, ticket);
    const isImpatient = this.isDraining || (ticket.isWanted && !this.isStopped && this.prng.chance(900));
    if (!isImpatient || ticket.isOrphan || (!this.isDraining && this.#habits.isStubborn())) return;
    const { life } = machine;
    this.agenda.after(this.prng.between(1, this.isDraining ? 20 : 10 * this.options.everyMillis), () => {
      if (machine.life !== life || !machine.isAwake || !isIdle(ticket) || this.#isUnaware(machine) || (this.isStopped && !this.isDraining)) return;
      const halfway = this.isDraining ? null : this.#habits.halfway(ticket.granted);
      if (halfway !== null) this.#convert(machine, ticket, halfway, 0);
      else if (!this.isDraining && ticket.granted > NL && this.prng.chance(300)) this.#convert(machine, ticket, NL, 0);
      else this.#unlock(machine, ticket);
    });
  }

  /** Some owners are in a hurry: somebody is lost and others are about to recover, or all is soon to be quiet. */
  hurry(habit: Hurry): void {
    if (this.isStopped || (this.options.habits?.[habit] ?? 0) === 0) return;
    for (const machine of this.port.machines) if (machine.isUp && !machine.isOut) this.#hurry(machine, habit);
  }

  /** So much waits when all is quiet, in this time. */
  flurryBefore(time: number): void {
    for (let times = 1; times <= flurriesMax; times += 1) this.agenda.after(time - times * flurryMillis, () => this.hurry('flurryPerMille'));
  }

  #hurry(machine: Machine, habit: Hurry): void {
    const { life } = machine;
    for (const { ticket, delay } of this.#habits.hurry(habit, machine.tickets)) {
      this.agenda.after(delay, () => {
        if (machine.life !== life || !machine.isAwake || machine.isStopping || this.isStopped || ticket.isEnded || this.#isUnaware(machine)) return;
        if (isIdle(ticket) && this.#habits.letsGo(habit)) this.#unlock(machine, ticket);
        else if (isIdle(ticket)) this.#convertSomehow(machine, ticket, habit);
        else if (isCancellable(ticket) && this.#habits.takesBack(habit)) this.#cancel(machine, ticket);
      });
    }
  }

  /** A node must stop: what it protects ends, and nobody begins anew there. */
  endAll(machine: Machine): void {
    machine.isStopping = true;
    for (const owner of [...machine.owners]) this.#endOwner(machine, owner, [...machine.tickets].filter((one) => one.owner === owner && !one.isOrphan));
  }

  /** Whoever holds a lock under which may be written writes at times; who does not know that it is out, as much as it can. */
  #write(machine: Machine): void {
    const held = [...machine.tickets].filter((ticket) => isIdle(ticket) && ticket.granted >= PW);
    const writes = machine.isOut ? held : held.slice(0, 1);
    for (const ticket of writes) this.port.write(machine, ticket);
  }

  /** A life is out and goes on: its owners write in haste. */
  beginHaste(machine: Machine): void {
    const { life } = machine;
    const write = (): void => {
      if (machine.life !== life || !machine.isUp) return;
      if (machine.isAwake && !this.isStopped) this.#write(machine);
      this.agenda.after(this.prng.between(1, 100), write);
    };
    write();
  }

  /** Give back everything that is held, and in the end also what is still wanted. */
  sweep(machine: Machine, alsoCancels: boolean): void {
    for (const ticket of [...machine.tickets]) {
      if (ticket.isOrphan || ticket.isEnded) continue;
      if (isIdle(ticket)) this.#unlock(machine, ticket);
      else if (alsoCancels && ticket.lkid !== null && !ticket.isCancelling && ticket.pending !== 'unlock') this.#cancel(machine, ticket);
    }
    for (const owner of new Set([...machine.tickets].filter(({ isOrphan }) => isOrphan).map(({ owner }) => owner))) this.#purgeOrphans(machine, owner);
  }

  /** Where there is a disk, the owners of a node that is cut off or out hold on to what they have, and write. */
  #isUnaware(machine: Machine): boolean {
    return this.port.hasDisk && (machine.isOut || !this.port.isHeard(machine));
  }

  #act(machine: Machine): void {
    if (machine.joined.size === 0 || machine.isStopping) return;
    while (machine.owners.length < this.options.ownersPerNode) {
      this.#owners += 1;
      machine.owners.push(ownerId(this.#owners));
    }
    const owner = this.prng.pick(machine.owners);
    const own = [...machine.tickets].filter((ticket) => ticket.owner === owner && !ticket.isOrphan);
    const idle = own.filter(isIdle);
    const drawn = this.prng.weighted(acts);
    const act = this.#habits.act() ?? drawn;
    switch (act) {
      case 'lock':
        if (own.length < this.options.locksPerOwner) this.#lock(machine, owner);
        break;
      case 'convert':
        if (idle.length > 0) this.#convertSomehow(machine, this.prng.pick(idle));
        break;
      case 'unlock':
        if (own.length > 0) this.#unlockIfKnown(machine, this.prng.pick(own));
        break;
      case 'cancel': {
        const waiting = own.filter(isCancellable);
        if (waiting.length > 0) this.#cancel(machine, this.prng.pick(waiting));
        break;
      }
      default:
        this.#actOnMany(machine, act, owner, own);
    }
  }

  #actOnMany(machine: Machine, act: Act, owner: OwnerId, own: readonly Ticket[]): void {
    if (act === 'endOwner') {
      this.#endOwner(machine, owner, own);
    } else if (act === 'purgeOwner') {
      const lockspace = this.prng.pick([...machine.joined]);
      this.#abandon(machine, 'purged', [], own.filter((ticket) => ticket.lockspace === lockspace));
      machine.turn({ kind: 'purgeOwner', lockspace, owner });
    } else if (act !== 'purgeOrphans' || !this.#purgeAfar(machine)) {
      const orphans = [...machine.tickets].filter(({ isOrphan, granted }) => isOrphan && granted !== IV);
      if (orphans.length === 0) return;
      const orphan = this.prng.pick(orphans);
      if (act === 'adopt') this.#adopt(machine, owner, orphan);
      else this.#purgeOrphans(machine, orphan.owner);
    }
  }

  #lock(machine: Machine, owner: OwnerId): void {
    const { prng, options } = this;
    const lockspace = prng.pick([...machine.joined]);
    const name = prng.chance(options.hotPerMille) ? `hot${prng.below(options.hotNames)}` : `cold${prng.below(options.coldNames)}`;
    const mode = this.#habits.mode(prng.chance(options.exclusivePerMille) ? EX : prng.pick(modes));
    let flags = prng.chance(options.flagsPerMille) ? prng.pick(mode === NL ? [...lockFlags, Flag.EXPEDITE] : lockFlags) : 0;
    if (prng.chance(options.persistentPerMille)) flags |= Flag.PERSISTENT;
    flags |= this.#valueFlag(flags);
    if (this.#deaf.chance(options.deafPerMille)) flags |= deafMark;
    const ticket = this.#ticket(machine, owner, lockspace, name, flags, 'lock');
    const value = this.#valueFor(flags);
    this.#submit(machine, ticket, 'lock', mode, flags, value);
    machine.turn({ kind: 'lock', lockspace, owner, name, mode, flags, value: bytesOf(value), cookie: ticket });
  }

  #adopt(machine: Machine, owner: OwnerId, orphan: Ticket): void {
    const { lockspace, resource, granted } = orphan;
    const flags = this.#habits.adoption();
    const ticket = this.#ticket(machine, owner, lockspace, resource, flags, 'adopt');
    // What becomes of the value is the adopter's to say, as it was the orphan's; and persistent it is, where that stays.
    ticket.flags |= (orphan.flags & Flag.VALBLK) | (this.law.persistentStays ? Flag.PERSISTENT : 0);
    const value = this.#valueFor(flags);
    this.#submit(machine, ticket, 'adopt', granted, flags, value);
    machine.turn({ kind: 'lock', lockspace, owner, name: resource, mode: granted as Mode, flags, value: bytesOf(value), cookie: ticket });
  }

  #convertSomehow(machine: Machine, ticket: Ticket, habit: Hurry | null = null): void {
    const { prng, options } = this;
    let flags = prng.chance(options.flagsPerMille) ? prng.pick(convertFlags) : 0;
    flags |= this.#valueFlag(flags);
    const wish = this.#habits.conversion(ticket.granted, { mode: prng.pick(modes), flags }, habit);
    const { mode } = wish;
    flags = wish.flags;
    if (mode <= ticket.granted && (options.habits === null || !areMiddlePair(ticket.granted, mode))) flags &= ~Flag.QUECVT;
    if (ticket.granted >= PW && (flags & Flag.VALBLK) !== 0 && prng.chance(100)) flags |= Flag.IVVALBLK;
    // The value is kept apart, as in a request; unless that is a habit.
    if (this.#alternatives.chance(options.alternativePerMille)) {
      const value = this.#habits.alternativeValue(ticket.granted);
      flags = (flags & ~(Flag.VALBLK | Flag.IVVALBLK)) | value | this.#alternatives.pick([Flag.ALTPR, Flag.ALTCW]);
    }
    this.#convert(machine, ticket, mode, flags);
  }

  #convert(machine: Machine, ticket: Ticket, mode: Mode, flags: number): void {
    const value = this.#valueFor(flags);
    ticket.pending = 'convert';
    ticket.isWanted = false;
    ticket.flagsBefore = ticket.flags;
    ticket.flags = flags | (this.law.persistentStays ? ticket.flags & Flag.PERSISTENT : 0);
    this.#submit(machine, ticket, 'convert', mode, flags, value);
    machine.turn({ kind: 'convert', lockspace: ticket.lockspace, lkid: ticket.lkid!, mode, flags, value: bytesOf(value) });
  }

  /** An unlock may overtake what the lock waits for, if the lock is known by its number. */
  #unlockIfKnown(machine: Machine, ticket: Ticket): void {
    if (ticket.lkid === null || ticket.pending === 'unlock' || ticket.isCancelling) return;
    if (ticket.pending === null || this.prng.chance(300)) this.#unlock(machine, ticket);
  }

  #unlock(machine: Machine, ticket: Ticket): void {
    let flags = this.prng.chance(100) ? Flag.FORCEUNLOCK : 0;
    // Who waits may be granted before the unlock arrives, and then it writes.
    const mayWrite = ticket.granted >= PW || ticket.pending !== null;
    const hasBlock = (ticket.flags & Flag.VALBLK) !== 0 || (mayWrite && this.#habits.writesAnew(ticket.granted));
    if (mayWrite && hasBlock) flags |= this.prng.chance(150) ? Flag.IVVALBLK : Flag.VALBLK;
    const value = this.#valueFor(flags);
    ticket.overtaken = ticket.pending;
    ticket.pending = 'unlock';
    this.#submit(machine, ticket, 'unlock', ticket.granted, flags, value);
    machine.turn({ kind: 'unlock', lockspace: ticket.lockspace, lkid: ticket.lkid!, flags, value: bytesOf(value) });
  }

  #cancel(machine: Machine, ticket: Ticket): void {
    ticket.isCancelling = true;
    ticket.wasCancelled = true;
    const status = this.#habits.cancelStatus();
    this.#submit(machine, ticket, 'cancel', ticket.granted, 0, null, status);
    machine.turn({ kind: 'cancel', lockspace: ticket.lockspace, lkid: ticket.lkid!, flags: 0, status });
    // A cancel that came too late has no end of its own.
    if (ticket.pending === null) ticket.isCancelling = false;
  }

  #endOwner(machine: Machine, owner: OwnerId, own: readonly Ticket[]): void {
    machine.owners = machine.owners.filter((other) => other !== owner);
    // What still waits ends, unless the end of a lock beside it grants it in the same turn.
    // So does what was to be unlocked, unless that is refused for what it overtook or came behind.
    const stays = ({ flags, pending, overtaken, wasCancelled }: Ticket): boolean =>
      (flags & Flag.PERSISTENT) !== 0 && (pending !== 'unlock' || overtaken !== null || wasCancelled);
    this.#abandon(machine, 'ownerEnded', own.filter(stays), own.filter((ticket) => !stays(ticket)));
    machine.turn({ kind: 'endOwner', owner });
  }

  #purgeOrphans(machine: Machine, formerOwner: OwnerId): void {
    for (const lockspace of machine.joined) {
      const orphans = [...machine.tickets].filter((one) => one.isOrphan && one.owner === formerOwner && one.lockspace === lockspace);
      // An adoption that has to wait comes before: whose orphan it takes away is not known yet.
      const isAdopting = [...machine.tickets].some((one) => one.lkid === null && (one.flags & Flag.ORPHAN) !== 0 && one.lockspace === lockspace);
      if (orphans.length === 0 || isAdopting) continue;
      this.#abandon(machine, 'purged', [], orphans);
      machine.turn({ kind: 'purgeOrphans', lockspace, formerOwner });
    }
  }

  /** Orphans of another node are purged from here: that one is asked, and nobody waits for it. */
  #purgeAfar(machine: Machine): boolean {
    const found = this.#habits.purgeAfar(machine, this.port.machines);
    if (found === null || !machine.joined.has(found.orphan.lockspace)) return false;
    const { lockspace, owner } = found.orphan;
    this.#count('purgedAfar');
    machine.turn({ kind: 'purgeOrphans', lockspace, node: found.machine.id, formerOwner: found.isOfAll ? null : owner });
    return true;
  }

  #abandon(machine: Machine, why: 'ownerEnded' | 'purged', orphans: readonly Ticket[], ended: readonly Ticket[]): void {
    this.#count(why);
    const ids = (tickets: readonly Ticket[]): number[] => tickets.map(({ id }) => id);
    this.port.emit({ kind: 'abandoned', at: this.agenda.now, life: machine.life, why, orphans: ids(orphans), ended: ids(ended) });
    for (const ticket of orphans) {
      ticket.isOrphan = true;
      ticket.pending = null;
    }
    for (const ticket of ended) machine.forget(ticket);
  }

  #ticket(machine: Machine, owner: OwnerId, lockspace: string, name: string, flags: number, operation: 'lock' | 'adopt'): Ticket {
    this.#claims += 1;
    const ticket = new Ticket(this.#claims, machine.life, owner, lockspace, name, flags, operation);
    machine.tickets.add(ticket);
    return ticket;
  }

  #submit(machine: Machine, ticket: Ticket, operation: Submitted['operation'], mode: ModeOrNone, flags: number, value: number | null, status?: CancelStatus): void {
    this.#count(operation);
    const { id: claim, lockspace, resource, owner } = ticket;
    this.port.emit({ kind: 'submitted', at: this.agenda.now, life: machine.life, claim, operation, lockspace, resource, owner, mode, flags, value, ...(status === undefined ? {} : { status }) });
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  /** Which mode comes of an alternative decides whether a value is moved: the two are kept apart. */
  #valueFlag(flags: number): number {
    return (flags & (Flag.ALTPR | Flag.ALTCW)) === 0 && this.prng.chance(this.options.valuePerMille) ? Flag.VALBLK : 0;
  }

  #valueFor(flags: number): number | null {
    if ((flags & Flag.VALBLK) === 0) return null;
    this.#values += 1;
    return this.#values;
  }
}

function isIdle(ticket: Ticket): boolean {
  return ticket.granted !== IV && ticket.pending === null && ticket.lkid !== null && !ticket.isOrphan && !ticket.isEnded;
}

/** Does it wait for something that can be taken back? */
function isCancellable({ pending, lkid, isCancelling }: Ticket): boolean {
  return (pending === 'lock' || pending === 'convert') && lkid !== null && !isCancelling;
}

function bytesOf(value: number | null): Uint8Array | null {
  return value === null ? null : valueOfNumber(value);
}

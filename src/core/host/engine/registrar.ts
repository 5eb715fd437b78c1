/**
 * The registrar: the one member that says, for all, who is a member.
 *
 * It decides when there is a new view and who is told of it. It is whoever holds
 * the kernel's lock of the cluster; everybody else speaks to it over its socket,
 * its own node directly. Its rules:
 *
 * - Whatever a member says is a wish, and a wish stays until a view has met it. One
 *   procedure (`#settle`) looks at all wishes and at who has died, writes the next
 *   entry down, and only then tells it. So a full disk delays and mixes up nothing.
 * - A broken line is a reason to look, not a death. A member is gone when its process
 *   is: another starting time under its pid, or none. A stopped one is alive, and so is
 *   one that hung up without a goodbye: it is expected to come back, and stays a member
 *   until it does, says goodbye, or its process ends.
 * - It waits for nobody. Who is stopped, or has not come back yet, is handed later
 *   what it has missed, out of the journal.
 */
import { DlmError } from '../../base/errors.js';
import { identify, isAlive, type ProcessId } from '../process-facts.js';
import { protocolVersion, type FromMember, type FromRegistrar, type Hello } from './registrar-protocol.js';
import { Roll, type Applicant, type Changes, type Enrolled, type Entry } from './roll.js';
import type { Home, ViewJournal } from './view-journal.js';

/** The registrar's end of a line. */
export interface Caller {
  /** False: hold back until `goOn` is called. */
  tell(message: FromRegistrar): boolean;
  /** Hang up, once everything told has been sent. */
  end(): void;
}

/** How often it is looked whether those without a line still live, first and at last. */
const lookMillisMin = 5;
const lookMillisMax = 250;

/** One line, and what is known of whoever is at its other end. */
export class Desk {
  hello: Hello | null = null;
  isLeaving = false;
  isFull = false;
  /** The number of the last view it was told. */
  told = 0;

  constructor(readonly caller: Caller) {}
}

export class Registrar {
  readonly #journal: ViewJournal;
  readonly #roll: Roll;
  readonly #home: Home;
  readonly #mayWrite: () => boolean;
  readonly #isOver: (process: ProcessId) => boolean;
  readonly #log: (line: string) => void;
  /** Those who have said who they are, by life, in the order in which they did. */
  readonly #desks = new Map<string, Desk>();
  #isDue = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | null = null;
  #lookMillis = lookMillisMin;
  #trouble = '';
  /** Members without a line of whom that was said, by life. */
  readonly #missed = new Set<string>();

  /** `mayWrite`: is the kernel's lock still what excludes others? `isOver`: has all that a dead member started ended too? */
  constructor(
    journal: ViewJournal,
    home: Home,
    mayWrite: () => boolean,
    isOver: (process: ProcessId) => boolean,
    log: (line: string) => void,
  ) {
    this.#isOver = isOver;
    this.#journal = journal;
    this.#home = home;
    this.#mayWrite = mayWrite;
    this.#log = log;
    this.#roll = new Roll(journal.last, journal.earlierIncarnations);
    this.#due();
  }

  /** Somebody is on the line. */
  welcome(caller: Caller): Desk {
    return new Desk(caller);
  }

  /** Throws `DLM_PROTOCOL`. */
  hear(desk: Desk, message: FromMember): void {
    if (this.#isClosed) return;
    if (message.say === 'hello') this.#greet(desk, message);
    else if (desk.hello === null) throw new DlmError('DLM_PROTOCOL', 'a member says hello first');
    else if (message.say === 'leave') desk.isLeaving = true;
    else desk.hello = { ...desk.hello, lockspaces: message.lockspaces };
    this.#due();
  }

  /** The line takes more again. */
  goOn(desk: Desk): void {
    desk.isFull = false;
    if (this.#isOpen(desk)) this.#catchUp(desk);
  }

  /** The line is broken, from either end. */
  gone(desk: Desk): void {
    if (!this.#isOpen(desk)) return;
    this.#desks.delete(desk.hello!.life);
    this.#lookMillis = lookMillisMin;
    this.#due();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const desk of this.#desks.values()) desk.caller.end();
    this.#desks.clear();
    this.#journal.close();
  }

  #greet(desk: Desk, hello: Hello): void {
    if (desk.hello !== null) throw new DlmError('DLM_PROTOCOL', 'a member says hello once');
    desk.hello = hello;
    const member = this.#roll.memberOf(hello.life);
    const reason = this.#reasonAgainst(hello);
    if (reason !== null) return this.#turnAway(desk, reason);
    if (hello.seen > 0 && (member === null || hello.seen > this.#roll.last.id)) {
      return this.#putOut(desk, 'the registrar of the cluster does not know this node as a member');
    }
    const earlier = this.#desks.get(hello.life);
    this.#desks.set(hello.life, desk);
    earlier?.caller.end();
    desk.told = hello.seen;
    this.#catchUp(desk);
  }

  /** Why whoever says this cannot be a member; null if nothing speaks against it. */
  #reasonAgainst({ version, pidns, pid, started }: Hello): DlmError | null {
    if (version !== protocolVersion) {
      return new DlmError('DLM_PROTOCOL', `this cluster speaks version ${protocolVersion} of the registrar's protocol`);
    }
    if (pidns !== this.#home.pidns) {
      return new DlmError(
        'DLM_NOT_PERMITTED',
        'this process is in another pid namespace than the cluster, which could not tell when it has ended',
        'run all nodes of a local cluster in one pid namespace (say, one container), or use an engine made for several machines',
      );
    }
    if (identify(pid)?.started === started) return null;
    return new DlmError('DLM_PROTOCOL', `process ${pid} is not the one that says it wants to be a member`);
  }

  #isOpen(desk: Desk): boolean {
    return desk.hello !== null && this.#desks.get(desk.hello.life) === desk;
  }

  #due(): void {
    if (this.#isDue || this.#isClosed) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (!this.#isClosed) this.#settle();
    });
  }

  /** Meet the wishes: first those of members, and deaths, then those of who wants to be one. */
  #settle(): void {
    const changes = this.#changes();
    const next = this.#roll.afterChanges(changes);
    if (next !== null && !this.#publish(next)) return this.#look();
    for (const life of changes.leaving) this.#letGo(life);

    const entering = this.#entering();
    // In milliseconds: where the journal was lost, numbers must still be above those of a cluster that ended a moment ago.
    if (entering.length > 0) this.#publish(this.#roll.afterEntering(entering, Date.now()));
    this.#look();
  }

  #changes(): Changes {
    const gone = new Set<string>();
    const leaving = new Set<string>();
    const announced = new Map<string, Enrolled['lockspaces']>();
    for (const member of this.#roll.last.members) {
      const desk = this.#desks.get(member.life);
      if (desk === undefined) {
        if (!isAlive(member) && this.#isOver(member)) gone.add(member.life);
      } else if (desk.isLeaving) leaving.add(member.life);
      else announced.set(member.life, desk.hello!.lockspaces);
    }
    return { gone, leaving, announced };
  }

  #entering(): Enrolled[] {
    const entering: Enrolled[] = [];
    for (const desk of [...this.#desks.values()]) {
      const applicant = desk.hello!;
      if (this.#roll.memberOf(applicant.life) !== null) continue;
      if (desk.isLeaving) {
        this.#letGo(applicant.life);
        continue;
      }
      // The line of one that has just died may not have been found broken yet.
      const holder = this.#roll.holderOf(applicant);
      if (holder !== null && !isAlive(holder)) continue;
      try {
        entering.push(this.#roll.enrolled(described(applicant), entering));
      } catch (error) {
        this.#turnAway(desk, error as DlmError);
      }
    }
    return entering;
  }

  /** Write it down, then tell it. False if it could not be written down; it is tried again. */
  #publish(entry: Entry): boolean {
    if (!this.#mayWrite()) return false;
    try {
      this.#journal.append(entry, this.#roll.incarnations);
    } catch (error) {
      const trouble = (error as Error).message;
      if (trouble !== this.#trouble) this.#log(`a view of the cluster waits: ${trouble}`);
      this.#trouble = trouble;
      return false;
    }
    this.#trouble = '';
    this.#roll.commit(entry);
    for (const { life } of entry.members) {
      const desk = this.#desks.get(life);
      if (desk !== undefined) this.#catchUp(desk);
    }
    return true;
  }

  /** Tell it every view it has not been told, from the first that contains it. */
  #catchUp(desk: Desk): void {
    const { life } = desk.hello!;
    if (desk.isFull || desk.isLeaving) return;
    const entries = this.#journal.entries;
    const oldest = entries[0]!;
    const hasMissed = desk.told === 0 ? contains(oldest, life) && oldest.id !== this.#roll.last.id : desk.told < oldest.id;
    if (hasMissed) return this.#putOut(desk, 'this node was away for more views than are kept');
    for (const entry of entries) {
      if (entry.id <= desk.told || !contains(entry, life)) continue;
      desk.told = entry.id;
      desk.isFull = !desk.caller.tell({ say: 'view', entry });
      if (desk.isFull || !this.#isOpen(desk)) return;
    }
  }

  #letGo(life: string): void {
    const desk = this.#desks.get(life);
    this.#desks.delete(life);
    desk?.caller.tell({ say: 'left' });
    desk?.caller.end();
  }

  #turnAway(desk: Desk, { code, message, hint }: DlmError): void {
    this.#drop(desk, { say: 'refused', code, message, hint });
  }

  /** It stays a member until its process ends; what it may still hold is not given on before. */
  #putOut(desk: Desk, reason: string): void {
    this.#drop(desk, { say: 'out', reason });
  }

  #drop(desk: Desk, last: FromRegistrar): void {
    if (this.#isOpen(desk)) this.#desks.delete(desk.hello!.life);
    desk.caller.tell(last);
    desk.caller.end();
  }

  /** Settle again in a while, if something is left that nobody will tell us. */
  #look(): void {
    const isSettled = this.#trouble === '' && this.#desks.size === this.#roll.last.members.length;
    if (isSettled && this.#roll.last.members.every(({ life }) => this.#desks.has(life))) {
      this.#lookMillis = lookMillisMin;
      this.#missed.clear();
      return;
    }
    if (this.#lookMillis === lookMillisMax) this.#tellMissed();
    if (this.#timer !== null || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lookMillis = Math.min(2 * this.#lookMillis, lookMillisMax);
      this.#due();
    }, this.#lookMillis);
  }

  /** Nothing is waited for silently. */
  #tellMissed(): void {
    for (const { life, name, node, pid } of this.#roll.last.members) {
      if (this.#desks.has(life)) this.#missed.delete(life);
      else if (!this.#missed.has(life)) {
        this.#missed.add(life);
        this.#log(`node ${node} (${name}) is not heard of; it counts as a member until its process ${pid} comes back or has ended`);
      }
    }
  }
}

function contains({ members }: Entry, life: string): boolean {
  return members.some((member) => member.life === life);
}

/** Without what only concerns the line. */
function described({ node, incarnation, name, address, weight, lockspaces, life, pid, started }: Hello): Applicant {
  const process: ProcessId = { pid, started };
  return { node, incarnation, name, address, weight, lockspaces, life, ...process };
}

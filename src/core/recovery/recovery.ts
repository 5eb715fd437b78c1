/**
 * The recovery of one lockspace after its members have changed.
 *
 * Nobody begins a phase before everybody has ended the one above it: each member
 * tells the coordinator, the lowest of them, and the coordinator tells everybody. A
 * newer view abandons all of it and begins again; so each phase can be begun twice.
 *
 *   members    stop; locks and masters that are gone are forgotten; slots, generation,
 *              and what has to be put in order by applications
 *   ready      the start barrier: each member has what the lockspace's order has before
 *              dlm recovery (suspended, fenced); whether it has is told from outside
 *   directory  every master tells the directory its names
 *   masters    resources without a master get one
 *   locks      holders tell new masters their locks
 *   done       queues and values are put in order; then everybody may lock again
 *   resume     only where applications were suspended: each member has what comes before
 *              they resume, and knows it of all others; told from outside, as with ready
 *
 * Messages carry the view they belong to. Older ones are dropped here; newer ones are
 * kept by whoever calls (node/stack.ts) until that view is ours.
 *
 * Kin: recoverd.c ls_recover(); recover.c wait_status(); rcom.c.
 */
import { unreachable } from '../base/assert.js';
import { generation, type Generation, type Millis, type NodeId, type Slot } from '../base/ids.js';
import { grantPending } from '../lock/grant.js';
import type { Resource } from '../lock/resource.js';
import type { Members } from '../lockspace/members.js';
import type { Tables } from '../lockspace/tables.js';
import { phaseNames } from '../wire/kinds.js';
import type { MemberReport, MemberSlot, PendingSlot, PhaseName, Proceed, Reached, RecoveryMessage } from '../wire/message.js';
import { depart } from './depart.js';
import { Errands } from './errands.js';
import { assignWork, pendingOf } from './pending.js';
import { receiveNames, tellNames } from './rebuild-directory.js';
import { Rebuilt, keepOwnLocks, receiveLocks, tellLocks } from './rebuild-locks.js';
import { findMasters, receiveMasterLookup } from './remaster.js';
import { resend } from './resend.js';
import { settle } from './settle.js';
import { assignSlots, nextGeneration, termsOf } from './slots.js';

/** What a recovery tells the next room. */
export interface RecoveryEvent {
  /**
   * The slots and the generation are known, and the generation must be kept before anything is granted; all members
   * are ready; everybody may lock again; applications may go on.
   */
  readonly kind: 'numbered' | 'ready' | 'done' | 'resume';
  readonly generation: Generation;
  readonly slots: readonly MemberSlot[];
  /** What is to be put in order; only with `numbered`, else empty. */
  readonly pending: readonly PendingSlot[];
  /** How the lockspace is, by the word of those who have been in it longest; the same. */
  readonly terms: readonly string[];
}

/** What a member says of its application. */
export type ApplicationReport = Omit<MemberReport, 'slot' | 'generation'>;

export class Recovery {
  readonly #tables: Tables;
  readonly #errands = new Errands();
  #phase: PhaseName | null = null;
  #hasReached = false;
  #slot: Slot | null = null;
  #slots: readonly MemberSlot[] = [];
  #application: ApplicationReport = { terms: [], hasApplication: false, hasResumed: false, isInitialized: false, pending: [], recovered: [] };
  /** Who was the last to end each phase of this view, by the word of the coordinator. */
  readonly #last = new Map<PhaseName, NodeId>();
  /** On the coordinator: who has ended the present phase, and what was reported. */
  readonly #reached = new Set<NodeId>();
  readonly #reports = new Map<NodeId, MemberReport>();
  /** Resources that have lost locks since the last recovery that ended. */
  readonly #touched = new Set<Resource>();
  readonly #known = new Rebuilt();

  constructor(
    tables: Tables,
    /** Is there a barrier before applications resume? */
    readonly hasResume: boolean,
  ) {
    this.#tables = tables;
  }

  /** Null: none is going on. */
  get phase(): PhaseName | null {
    return this.#phase;
  }

  get slots(): readonly MemberSlot[] {
    return this.#slots;
  }

  /** On the coordinator: whose report is missing. Elsewhere: the coordinator, or nobody while we are busy. */
  waitsFor(): NodeId[] {
    const { members } = this.#tables;
    if (this.#phase === null || !this.#hasReached) return [];
    if (members.coordinator !== members.self) return [members.coordinator];
    return members.nodes.filter((node) => !this.#reached.has(node));
  }

  /** For whom all others waited in a phase that has ended; null: it has not. */
  lastIn(phase: PhaseName): NodeId | null {
    return this.#last.get(phase) ?? null;
  }

  /** Locking has stopped: begin, or begin again, with these members. `departed`: who is no longer here, or here anew. */
  begin(now: Millis, members: Members, departed: ReadonlySet<NodeId>, application: ApplicationReport): RecoveryEvent[] {
    const tables = this.#tables;
    tables.turn.begin(now);
    tables.setMembers(members);
    this.#errands.forgetAll();
    this.#reached.clear();
    this.#reports.clear();
    this.#last.clear();
    for (const resource of depart(tables, departed)) this.#touched.add(resource);
    this.#phase = 'members';
    this.#application = application;
    return this.#reach();
  }

  /** Which barrier waits until this node is told that it may pass? */
  get asks(): 'ready' | 'resume' | null {
    return (this.#phase === 'ready' || this.#phase === 'resume') && !this.#hasReached ? this.#phase : null;
  }

  /** All that had to end on this node before the barrier has ended. */
  pass(now: Millis): RecoveryEvent[] {
    if (this.asks === null) return [];
    this.#tables.turn.begin(now);
    return this.#reach();
  }

  /** A recovery message of the present view. */
  receive(now: Millis, from: NodeId, message: RecoveryMessage): RecoveryEvent[] {
    const tables = this.#tables;
    tables.turn.begin(now);
    switch (message.kind) {
      case 'reached':
        return this.#collect(from, message);
      case 'proceed':
        return this.#proceed(message);
      case 'names':
        receiveNames(tables, from, message);
        return [];
      case 'masterLookup':
        receiveMasterLookup(tables, from, message);
        return [];
      case 'rebuildLocks':
        receiveLocks(tables, from, message, this.#known);
        return [];
      case 'namesReply':
      case 'masterLookupReply':
      case 'rebuildLocksReply':
        this.#errands.end(message.batch, message);
        return this.#reachIfDone();
      default:
        return unreachable(message);
    }
  }

  /** Locking may begin: what was under way goes on, and what has become free is granted. */
  resume(now: Millis): void {
    const tables = this.#tables;
    tables.turn.begin(now);
    resend(tables, this.#touched);
    const occasion = tables.config.law.orderSurvives ? 'retry' : 'recovery';
    // What came here and has lost locks as well is looked at once.
    for (const resource of this.#touched) tables.unsettled.add(resource);
    for (const resource of tables.unsettled) {
      // Without a directory it may have moved on since.
      if (!tables.isMasterOf(resource)) continue;
      grantPending(tables.turn, resource, occasion);
      tables.retire(resource);
    }
    tables.unsettled.clear();
    this.#touched.clear();
    this.#known.clear();
  }

  /** The present phase has ended on this node. */
  #reach(): RecoveryEvent[] {
    const tables = this.#tables;
    const { members } = tables;
    const phase = this.#phase!;
    const report = phase === 'members' ? { ...this.#application, slot: this.#slot, generation: tables.generation } : null;
    this.#hasReached = true;
    if (members.coordinator === members.self) return this.#count(members.self, phase, report);
    tables.send(members.coordinator, { kind: 'reached', lockspace: tables.id, seq: tables.seq, phase, report });
    return [];
  }

  #reachIfDone(): RecoveryEvent[] {
    return this.#errands.areDone && !this.#hasReached && this.asks === null ? this.#reach() : [];
  }

  #collect(from: NodeId, { phase, report }: Reached): RecoveryEvent[] {
    return phase === this.#phase ? this.#count(from, phase, report) : [];
  }

  #count(from: NodeId, phase: PhaseName, report: MemberReport | null): RecoveryEvent[] {
    const tables = this.#tables;
    const { members } = tables;
    this.#reached.add(from);
    if (report !== null) this.#reports.set(from, report);
    if (this.#reached.size < members.nodes.length) return [];

    this.#reached.clear();
    const order = { kind: 'proceed', lockspace: tables.id, seq: tables.seq, phase, last: from, ...this.#agree(phase) } as const;
    for (const node of members.nodes) if (node !== members.self) tables.send(node, order);
    return this.#proceed(order);
  }

  /** What follows from the reports of all. */
  #agree(phase: PhaseName): Pick<Proceed, 'generation' | 'slots' | 'pending' | 'terms'> {
    const { seq, generation: ours } = this.#tables;
    if (phase !== 'members') return { generation: ours, slots: [], pending: [], terms: [] };
    const pending = pendingOf(this.#reports, seq);
    const slots = assignSlots(this.#reports, pending);
    return { generation: nextGeneration(this.#reports, seq), slots, pending: assignWork(pending, slots), terms: termsOf(this.#reports) };
  }

  /** Everybody has ended a phase: on to the next. */
  #proceed({ phase, last, generation: next, slots, pending, terms }: Omit<Proceed, 'lockspace' | 'seq'>): RecoveryEvent[] {
    if (phase !== this.#phase) return [];
    this.#last.set(phase, last);
    const events: RecoveryEvent[] = [];
    if (phase === 'members') {
      this.#tables.enter(next);
      this.#slots = slots;
      this.#slot = slots.find(({ node }) => node === this.#tables.self)?.slot ?? null;
      events.push({ kind: 'numbered', generation: next, slots, pending, terms });
    }
    if (phase === 'ready' || phase === 'done' || phase === 'resume') {
      events.push({ kind: phase, generation: generation(this.#tables.generation), slots: this.#slots, pending: [], terms: [] });
    }
    this.#phase = phase === 'done' && !this.hasResume ? null : (phaseNames[phaseNames.indexOf(phase) + 1] ?? null);
    if (this.#phase === null) return events;
    this.#hasReached = false;
    this.#run(this.#phase);
    events.push(...this.#reachIfDone());
    return events;
  }

  #run(phase: PhaseName): void {
    const tables = this.#tables;
    switch (phase) {
      case 'members':
      case 'ready':
      case 'resume':
        break;
      case 'directory':
        tellNames(tables, this.#errands);
        break;
      case 'masters':
        findMasters(tables, this.#errands, (resource) => {
          keepOwnLocks(resource);
          tables.unsettled.add(resource);
        });
        break;
      case 'locks':
        tellLocks(tables, this.#errands);
        break;
      case 'done':
        for (const resource of tables.unsettled) if (tables.isMasterOf(resource)) settle(tables, resource);
        break;
      default:
        unreachable(phase);
    }
  }
}

/**
 * One lockspace on one node, with its group and its recovery: when it may lock, and
 * what waits until then.
 *
 * Locking stops when the group changes or the view is not quorate, and goes on when
 * the recovery of the latest change has ended. Meanwhile calls wait in their order,
 * and so do messages. A message of a view that is not ours yet waits for that view.
 *
 * Kin: member.c dlm_ls_stop(), dlm_ls_start(); requestqueue.c.
 */
import type { Millis, NodeId, ViewId } from '../base/ids.js';
import { generation } from '../base/ids.js';
import type { Outlet } from '../base/outbox.js';
import { Group } from '../cluster/group.js';
import type { View } from '../cluster/view.js';
import type { Callback } from '../lock/turn.js';
import { Lockspace, type LockspaceConfig } from '../lockspace/lockspace.js';
import { Members, alone } from '../lockspace/members.js';
import type { Numbers } from '../lockspace/numbers.js';
import { Recovery, type RecoveryEvent } from '../recovery/recovery.js';
import { isInspection, isRecoveryMessage, type LockMessage, type Message, type PhaseName, type Send, type Unheeded, type Unheeding } from '../wire/message.js';
import type { NodeConfig } from './node.js';
import type { Persist, Recovered } from './effect.js';
import type { EndOwner, Operation } from './input.js';

/** What may have to wait while locking is stopped. */
export type Call = Operation | EndOwner;

interface Letter {
  readonly from: NodeId;
  readonly message: Message;
}

/** Where a lockspace stands. */
export type Standing = 'running' | 'joining' | 'no quorum' | PhaseName;

export class Stack {
  readonly lockspace: Lockspace;
  readonly #group: Group;
  readonly #recovery: Recovery;
  readonly #outbox: Outlet<Callback | Send | Persist | Recovered | Unheeded>;
  #isRunning: boolean;
  #isQuorate = true;
  /** Whoever departed since the last recovery began. */
  #departed = new Set<NodeId>();
  #calls: Call[] = [];
  #letters: Letter[] = [];

  constructor(
    readonly name: string,
    config: LockspaceConfig,
    numbers: Numbers,
    outbox: Outlet<Callback | Send | Persist | Recovered | Unheeded>,
    /** Which join of this node it is. */
    readonly join: number,
    { self, incarnation, hasEngine = false }: NodeConfig,
    /** The highest generation this node has heard of. */
    heard: number,
  ) {
    this.#outbox = outbox;
    this.lockspace = new Lockspace(name, config, numbers, outbox, alone(self));
    this.#group = new Group(name, self, join);
    this.#recovery = new Recovery(this.lockspace.tables);
    this.#isRunning = !hasEngine;
    this.lockspace.tables.enter(generation(Math.max(incarnation, heard)));
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get standing(): Standing {
    if (this.#isRunning) return 'running';
    if (!this.#group.hasUs) return 'joining';
    return this.#isQuorate ? (this.#recovery.phase ?? 'members') : 'no quorum';
  }

  get recovery(): Recovery {
    return this.#recovery;
  }

  get group(): Group {
    return this.#group;
  }

  get parkedCalls(): readonly Call[] {
    return this.#calls;
  }

  park(call: Call): void {
    this.#calls.push(call);
  }

  /** A new view. Returns the calls that may be carried out now, if locking goes on. */
  follow(now: Millis, view: View): Call[] {
    const change = this.#group.follow(view);
    const becameQuorate = view.isQuorate && !this.#isQuorate;
    this.#isQuorate = view.isQuorate;
    if (change !== null) {
      for (const node of change.departed) this.#departed.add(node);
    }
    if (!this.#group.hasUs) return [];
    if (change === null && view.isQuorate && !becameQuorate) return [];

    this.#isRunning = false;
    if (!view.isQuorate) return [];
    return this.#recover(now, view.id);
  }

  #recover(now: Millis, seq: ViewId): Call[] {
    const { self } = this.lockspace.tables;
    const departed = this.#departed;
    this.#departed = new Set();
    const members = new Members(self, seq, this.#group.members, this.lockspace.config.placement);
    this.#heed(this.#recovery.begin(now, members, departed));
    return this.#readLetters(now);
  }

  /** A member has said something. Returns the calls that may be carried out now. */
  receive(now: Millis, from: NodeId, message: Message): Call[] {
    const wasRunning = this.#isRunning;
    if (!this.#heedLetter(now, from, message)) {
      this.#letters.push({ from, message });
      this.#disregard(from, message, 'kept');
    }
    return this.#isRunning && !wasRunning ? this.#goOn(now) : [];
  }

  /** A new recovery has begun: some of what had to wait may be about it. */
  #readLetters(now: Millis): Call[] {
    const letters = this.#letters;
    this.#letters = [];
    for (const letter of letters) {
      // As soon as locking goes on, everything comes in its order, from the first.
      if (this.#isRunning || !this.#heedLetter(now, letter.from, letter.message)) this.#letters.push(letter);
    }
    return this.#isRunning ? this.#goOn(now) : [];
  }

  /** Locking begins: first what had arrived, then what was under way, then what was called. */
  #goOn(now: Millis): Call[] {
    const letters = this.#letters;
    this.#letters = [];
    for (const letter of letters) if (!this.#heedLetter(now, letter.from, letter.message)) this.#letters.push(letter);
    this.#recovery.resume(now);
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  /** False: it has to wait. */
  #heedLetter(now: Millis, from: NodeId, message: Message): boolean {
    const { members } = this.lockspace.tables;
    if (message.seq > members.seq || !this.#isQuorate) return false;
    if (!members.isOfNow(from, message.seq)) return this.#disregard(from, message, 'oldLife');
    if (isRecoveryMessage(message)) {
      if (message.seq < members.seq) return this.#disregard(from, message, 'oldRecovery');
      this.#heed(this.#recovery.receive(now, from, message));
      return true;
    }
    if (isInspection(message)) return true;
    if (!this.#isRunning) return false;
    // The directory has been made anew since, of what there was.
    if (message.seq < members.seq && message.kind === 'remove') return this.#disregard(from, message, 'oldDirectory');
    this.lockspace.receive(now, from, message as LockMessage);
    return true;
  }

  /** Say that it was not heeded; it is done with. */
  #disregard(from: NodeId, message: Message, why: Unheeding): true {
    this.#outbox.push({ kind: 'unheeded', from, message, why });
    return true;
  }

  #heed(events: readonly RecoveryEvent[]): void {
    for (const { kind, generation: number, slots } of events) {
      if (kind === 'numbered') this.#outbox.push({ kind: 'persist', generation: number });
      else {
        this.#isRunning = true;
        this.#outbox.push({ kind: 'recovered', lockspace: this.name, generation: number, slots });
      }
    }
  }
}

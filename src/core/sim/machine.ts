/**
 * One machine of a world: the node that lives on it, if it lives, and what its
 * owners know of their locks.
 *
 * It gives the node its inputs and carries out the effects, as the host does in
 * the real world; and it says what owners ask and are told as events. A crash
 * forgets everything but the numbers on disk. What comes for a paused machine
 * waits until it goes on.
 */
import { assert } from '../base/assert.js';
import { generation, incarnation, millis, type Incarnation, type Lkid, type Millis, type NodeId, type OwnerId } from '../base/ids.js';
import type { AftermathEffect, Effect } from '../node/effect.js';
import type { Input } from '../node/input.js';
import type { FencingConfig, LockspaceConfig, View } from '../node/snapshot.js';
import { soonestOf } from '../node/soonest.js';
import { IV } from '../lock/mode.js';
import type { Complete } from '../lock/turn.js';
import type { Agenda } from './agenda.js';
import type { Birth, SimNode } from './birth.js';
import type { Life, SimEvent } from './event.js';
import { LeftBehind } from './left-behind.js';
import { Link, type Frame, type LinkCounts } from './link.js';
import { describeMessage } from './lines.js';
import { isGroupMessage, isRecoveryMessage } from '../wire/concern.js';
import type { Message } from '../wire/message.js';
import type { Ticket } from './ticket.js';
import { numberOfValue } from './value.js';

/** What a machine needs of the world. */
export interface MachinePort {
  readonly agenda: Agenda;
  readonly linkCounts: LinkCounts;
  readonly hasEngine: boolean;
  /** How its lockspaces are joined. */
  readonly config: LockspaceConfig;
  newLife(): Life;
  bear(birth: Birth): SimNode;
  emit(event: SimEvent): void;
  /** For the checkers only; too much for the trace. */
  show(event: SimEvent): void;
  /** Which life of a node that is. */
  lifeOf(node: NodeId, incarnation: Incarnation): Life;
  note(words: string): void;
  transmit(frame: Frame): void;
  announce(machine: Machine, lockspaces: ReadonlyMap<string, number>): void;
  answered(machine: Machine, ticket: Ticket): void;
  /** What it is told of fencing; null: nothing. */
  fencingOf(node: NodeId): FencingConfig | null;
  /** It joins a lockspace: with an application? */
  attach(machine: Machine, lockspace: string): { suspendMillis: number } | null;
  /** It asks for something that follows a failure. */
  carryOut(machine: Machine, effect: AftermathEffect): void;
  /** It could not join: it has left as failed, and no view has shown that yet. */
  joinedTooEarly(machine: Machine, lockspace: string): void;
}

export class Machine {
  incarnation = incarnation(0);
  life: Life = 0;
  isPaused = false;
  /** Has the latest view left this life out? */
  isOut = false;
  /** Has it heard nothing of the engine for too long? */
  isStopping = false;
  readonly joined = new Set<string>();
  readonly tickets = new Set<Ticket>();
  owners: OwnerId[] = [];
  stepCount = 0;
  #generation = generation(0);
  #node: SimNode | null = null;
  #link: Link | null = null;
  #backlog: (() => void)[] = [];
  readonly #byLkid = new Map<string, Ticket>();
  #armedFor: Millis | null = null;
  readonly #leftBehind = new LeftBehind(this);

  constructor(
    readonly id: NodeId,
    readonly port: MachinePort,
  ) {}

  get isUp(): boolean {
    return this.#node !== null;
  }

  get isAwake(): boolean {
    return this.isUp && !this.isPaused;
  }

  get linkIsIdle(): boolean {
    return this.#link === null || this.#link.isIdle;
  }

  start(): void {
    const { port } = this;
    this.incarnation = incarnation(this.incarnation + 1);
    this.life = port.newLife();
    this.isOut = false;
    this.isStopping = false;
    port.emit({ kind: 'started', at: port.agenda.now, life: this.life, node: this.id });
    const fencing = port.fencingOf(this.id);
    const birth = { self: this.id, incarnation: this.incarnation, hasEngine: port.hasEngine, generation: this.#generation };
    this.#node = port.bear(fencing === null ? birth : { ...birth, fencing });
    const linkPort = {
      now: () => port.agenda.now,
      transmit: (frame: Frame) => port.transmit(frame),
      deliver: (from: NodeId, sender: Incarnation, message: Message) => this.#hear(from, sender, message),
      after: (delay: number, action: () => void) => this.after(delay, action),
    };
    this.#link = new Link(this.id, this.incarnation, linkPort, port.linkCounts);
  }

  /** What was kept on its disk is lost. */
  forgetGeneration(): void {
    this.#generation = generation(0);
  }

  crash(): void {
    this.port.emit({ kind: 'crashed', at: this.port.agenda.now, life: this.life });
    this.#node = null;
    this.#link = null;
    this.isPaused = false;
    this.#backlog = [];
    this.#leftBehind.forget();
    this.#armedFor = null;
    this.joined.clear();
    this.tickets.clear();
    this.#byLkid.clear();
    this.owners = [];
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const action of backlog) this.#do(this.life, action);
  }

  join(lockspace: string): void {
    this.joined.add(lockspace);
    this.port.emit({ kind: 'joined', at: this.port.agenda.now, life: this.life, lockspace });
    this.turn({ kind: 'joinLockspace', lockspace, config: this.port.config, application: this.port.attach(this, lockspace) });
  }

  leave(lockspace: string, isFailed = false): void {
    const { port } = this;
    const ended = [...this.tickets].filter((ticket) => ticket.lockspace === lockspace);
    this.joined.delete(lockspace);
    port.emit({ kind: 'abandoned', at: port.agenda.now, life: this.life, why: 'left', orphans: [], ended: ended.map(({ id }) => id) });
    for (const ticket of ended) this.forget(ticket);
    port.emit({ kind: 'left', at: port.agenda.now, life: this.life, lockspace, isFailed });
    this.turn(isFailed ? { kind: 'leaveLockspace', lockspace, force: true, isFailed } : { kind: 'leaveLockspace', lockspace, force: true });
  }

  receive(frame: Frame): void {
    this.#do(this.life, () => this.#link?.receive(frame));
  }

  view(view: View): void {
    this.#do(this.life, () => {
      this.port.emit({ kind: 'viewed', at: this.port.agenda.now, life: this.life, view: view.id, isQuorate: view.isQuorate });
      const others = view.members.filter(({ node }) => node !== this.id);
      this.#link?.enter(new Map(others.map(({ node, incarnation: life }) => [node, life])));
      this.turn({ kind: 'view', view });
      this.#link?.release();
    });
  }

  #hear(from: NodeId, sender: Incarnation, message: Message): void {
    const { port, life } = this;
    port.note(`n${this.id} hears n${from} ${describeMessage(message)}`);
    if (isGroupMessage(message)) return void this.turn({ kind: 'received', from, message });
    const lockspace = this.#node?.nameOf(message.lockspace) ?? null;
    const hasEffect = this.turn({ kind: 'received', from, message });
    const told = { life, sender: port.lifeOf(from, sender), lockspace, view: message.seq, isOfRecovery: isRecoveryMessage(message) };
    port.show({ kind: 'heard', at: port.agenda.now, ...told, hasEffect });
  }

  ticketOf(lockspace: string, lkid: Lkid): Ticket | null {
    return this.#byLkid.get(`${lockspace}/${lkid}`) ?? null;
  }

  forget(ticket: Ticket): void {
    ticket.isEnded = true;
    this.tickets.delete(ticket);
    if (ticket.lkid !== null) this.#byLkid.delete(`${ticket.lockspace}/${ticket.lkid}`);
  }

  /** One input, and then what the node asks for, in the order it asks. Was there anything? */
  turn(input: Input): boolean {
    const node = this.#node;
    if (node === null) return false;
    this.stepCount += 1;
    if (input.kind === 'received' && input.message.kind === 'purge') this.#leftBehind.expect(node, input.message);
    const effects = node.step(this.port.agenda.now, input);
    if (this.#leftBehind.isExpecting) this.#leftBehind.look(node);
    if (input.kind === 'endOwner') this.#leftBehind.lookAt(node, input.owner);
    for (const effect of effects) {
      this.#carryOut(effect);
      // It has given up.
      if (this.#node !== node) return true;
    }
    if (input.kind === 'received' && (input.message.kind === 'requestReply' || input.message.kind === 'convertReply')) this.#lookForQueued(input.message.lkid);
    this.#link?.flush();
    this.#arm(node, input);
    // To say that something was not heeded is no effect of it.
    return effects.some(({ kind }) => kind !== 'unheeded');
  }

  /** The answer to a request of that number has come: is it in the queue now? */
  #lookForQueued(lkid: Lkid): void {
    for (const lockspace of this.joined) {
      const ticket = this.ticketOf(lockspace, lkid);
      if (ticket !== null) this.#tellIfQueued(ticket, lkid);
    }
  }

  #tellIfQueued({ id, lockspace }: Ticket, lkid: Lkid): void {
    if (this.#node?.isQueued(lockspace, lkid) !== true) return;
    this.port.emit({ kind: 'queued', at: this.port.agenda.now, life: this.life, claim: id });
  }

  #carryOut(effect: Effect): void {
    const { port } = this;
    const at = port.agenda.now;
    switch (effect.kind) {
      case 'complete':
        this.#complete(effect);
        break;
      case 'block': {
        const ticket = effect.cookie as Ticket;
        ticket.isWanted = true;
        port.emit({ kind: 'blocked', at, life: this.life, claim: ticket.id, mode: effect.mode });
        port.answered(this, ticket);
        break;
      }
      case 'wait': {
        const ticket = effect.cookie as Ticket;
        this.#identify(ticket, effect.lkid);
        port.emit({ kind: 'waits', at, life: this.life, claim: ticket.id, lkid: effect.lkid });
        this.#tellIfQueued(ticket, effect.lkid);
        break;
      }
      case 'refuse':
        this.#refuse(effect);
        break;
      case 'adopt':
        this.#adopt(effect);
        break;
      case 'send':
        if (this.#link?.send(effect.to, effect.message) !== true) port.note(`n${this.id} says to stranger n${effect.to} ${describeMessage(effect.message)}`);
        break;
      case 'announce':
        port.announce(this, effect.lockspaces);
        break;
      case 'persist':
        this.#generation = generation(Math.max(this.#generation, effect.generation));
        break;
      case 'recovered':
        port.emit({ kind: 'recovered', at, life: this.life, lockspace: effect.lockspace, generation: effect.generation });
        break;
      case 'unheeded':
      case 'misfit':
        break;
      default:
        port.carryOut(this, effect);
    }
  }

  #complete(effect: Complete): void {
    const ticket = effect.cookie as Ticket;
    const { lkid, status, mode, results, mastership, sequence } = effect;
    // The cookie of an orphan leads to nobody; its end is told to nobody.
    if (ticket.isOrphan && status === 'EUNLOCK') {
      this.forget(ticket);
      return;
    }
    if (mode !== IV) this.#identify(ticket, lkid);
    ticket.granted = mode;
    if (status === 'OK') ticket.token = effect;
    if (status === 'EUNLOCK' || ticket.pending !== 'unlock') ticket.pending = null;
    ticket.overtaken = null;
    ticket.isCancelling = false;
    const value = effect.value === null ? null : numberOfValue(effect.value);
    // Without an engine nobody counts generations; the incarnation is what rises.
    const ours = this.port.hasEngine ? effect.generation : generation(this.incarnation);
    this.port.emit({
      kind: 'completed',
      at: this.port.agenda.now,
      life: this.life,
      claim: ticket.id,
      lkid,
      status,
      mode,
      results,
      value,
      generation: ours,
      mastership,
      sequence,
    });
    if (mode === IV) this.forget(ticket);
    else this.port.answered(this, ticket);
  }

  #refuse(effect: Extract<Effect, { kind: 'refuse' }>): void {
    const { call, code } = effect;
    const at = this.port.agenda.now;
    if (call.kind === 'joinLockspace') {
      this.joined.delete(call.lockspace);
      this.port.emit({ kind: 'left', at, life: this.life, lockspace: call.lockspace });
      this.port.joinedTooEarly(this, call.lockspace);
      return;
    }
    let ticket: Ticket | null = null;
    if (call.kind === 'lock') ticket = call.cookie as Ticket;
    else if (call.kind === 'convert' || call.kind === 'unlock' || call.kind === 'cancel') ticket = this.ticketOf(call.lockspace, call.lkid);
    if (ticket === null || !this.tickets.has(ticket)) {
      this.port.note(`n${this.id} refuses ${call.kind} ${code}`);
      return;
    }
    const operation = ticket.pending === 'adopt' ? 'adopt' : (call.kind as 'lock');
    this.port.emit({ kind: 'refused', at, life: this.life, claim: ticket.id, operation, code });
    if (call.kind === 'lock') this.forget(ticket);
    else if (call.kind === 'cancel') ticket.isCancelling = false;
    else if (call.kind === 'convert' || call.kind === 'unlock') ticket.refuse(call.kind);
  }

  #adopt(effect: Extract<Effect, { kind: 'adopt' }>): void {
    const { cookie, lkid, mode } = effect;
    const ticket = cookie as Ticket;
    ticket.token = effect;
    const orphan = this.ticketOf(ticket.lockspace, lkid);
    if (orphan !== null) this.forget(orphan);
    this.#identify(ticket, lkid);
    ticket.granted = mode;
    ticket.pending = null;
    this.port.emit({ kind: 'adopted', at: this.port.agenda.now, life: this.life, claim: ticket.id, orphan: orphan?.id ?? 0, mode });
    this.port.answered(this, ticket);
  }

  #identify(ticket: Ticket, lkid: Lkid): void {
    if (ticket.lkid !== null) return;
    ticket.lkid = lkid;
    this.#byLkid.set(`${ticket.lockspace}/${lkid}`, ticket);
  }

  /** Later, when it is awake, if that life goes on then. */
  after(delay: number, action: () => void): void {
    const { life } = this;
    this.port.agenda.after(delay, () => this.#do(life, action));
  }

  /** Now; if it is paused, before anything else when it goes on. */
  beFirst(action: () => void): void {
    if (this.isPaused) this.#backlog.unshift(action);
    else action();
  }

  /** Now; when the machine goes on, if it is paused; never, if that life has ended. */
  #do(life: Life, action: () => void): void {
    if (!this.isUp || this.life !== life) return;
    if (this.isPaused) this.#backlog.push(() => action());
    else action();
  }

  #arm(node: SimNode, input: Input): void {
    const deadline = node.nextDeadline();
    if (deadline === null || (this.#armedFor !== null && this.#armedFor <= deadline)) return;
    // A driver need not ask here as often as this.
    assert(this.#armedFor === null || deadline >= this.port.agenda.now + soonestOf(input), `${input.kind} makes something due at ${deadline}, sooner than it may`);
    this.#armedFor = deadline;
    this.after(millis(deadline - this.port.agenda.now), () => {
      if (this.#armedFor !== deadline) return;
      this.#armedFor = null;
      this.turn({ kind: 'deadline' });
    });
  }
}

/**
 * The real driver: one input into the node, then whatever it asks for, in order.
 *
 * It owns what the pure rooms must not have: the clock, the one timer, and the
 * listeners behind the cookies. Everything that reaches a node on this machine,
 * from this process or through the socket, goes through `turn`.
 */
import { DlmError, type ErrorCode } from '../base/errors.js';
import type { Lkid, Millis, NodeId, OwnerId } from '../base/ids.js';
import { incarnation, nodeId, ownerId } from '../base/ids.js';
import { defaultConfig, type LockspaceConfig } from '../node/snapshot.js';
import type { Rule } from '../lock/flags.js';
import type { Effect, Misfit, Refuse } from '../node/effect.js';
import type { ConvertInput, Input, UnlockInput } from '../node/input.js';
import { IV } from '../lock/mode.js';
import { DlmNode, type HeldLock } from '../node/node.js';
import { concernsLocksOnly, soonestOf } from '../node/soonest.js';
import { isInspection } from '../wire/concern.js';
import type { Message } from '../wire/message.js';
import { Applications } from './application.js';
import { ChangeCount } from './change-count.js';
import { Clock } from './clock.js';
import type { Cluster } from './cluster.js';
import { Everywhere } from './everywhere.js';
import { errorOfMisfit } from './misfit.js';
import { askAgain, memberAgain } from './outcome.js';
import type { Listener } from './port.js';
import type { Recorder } from './recorder.js';
import type { Life } from './state-file.js';

/** A party that owns locks, as the host knows it. */
export interface Owner {
  readonly id: OwnerId;
  readonly kind: 'session' | 'process' | 'node';
  readonly pid: number;
  readonly command: string;
}

/** What somebody who locks is told. */
type ForListener = Extract<Effect, { readonly cookie: unknown }>;

/** No timer can be set for longer. */
const timerMax = 0x7fff_ffff;

const ownerless = ({ pid }: Owner): DlmError => new DlmError('DLM_OWNER_INVALID', `process ${pid}, which the lock was to belong to, has ended`);

const applicationDied: Rule = { name: 'lockspace-joined', text: 'this node is leaving that lockspace, because its application has died' };

export class Host {
  readonly node: DlmNode;
  readonly self: number;
  readonly incarnation: number;
  /** Where everything that happens is written down; null: nowhere. */
  recorder: Recorder | null = null;
  /** What people want to see of all members. */
  readonly everywhere = new Everywhere(this);
  /** Of the members and of how far lockspaces have come: for those who wait for something about them. */
  readonly changes = new ChangeCount();
  readonly applications = new Applications(this);
  /** Lockspaces that this node had to leave, until it joins them anew. */
  readonly misfits = new Map<string, Misfit>();
  /** Null: this node is alone. */
  readonly cluster: Cluster | null;
  readonly #clock = new Clock();
  /** Owners that live, and those whose orphans live. */
  readonly #owners = new Map<OwnerId, Owner>();
  /** Those who have ended and left orphans. */
  readonly #ended = new Set<OwnerId>();
  /** Those who wait for somebody else's lock to complete. */
  readonly #attendants = new Map<Lkid, Set<Listener>>();
  /** What waits for the end of a recovery. */
  #held: { readonly lockspace: string; readonly call?: ConvertInput | UnlockInput; readonly work: () => void }[] = [];
  #lastOwner = 0;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = 0;

  /** `life`: its numbers are greater than those of every earlier node on this machine. */
  constructor(self: number, life: Life, cluster: Cluster | null = null) {
    this.self = self;
    this.incarnation = life.incarnation;
    this.cluster = cluster;
    const { generation } = life;
    this.node = new DlmNode({
      self: nodeId(self),
      incarnation: incarnation(life.incarnation),
      generation,
      hasEngine: cluster !== null,
      ...(cluster === null ? {} : { fencing: cluster.fencing }),
    });
  }

  /** May a lockspace be locked now? One that is not joined is for the node to refuse. */
  isRunning(lockspace: string): boolean {
    return this.node.stack(lockspace)?.isRunning !== false;
  }

  /** The same, and does nobody wait whose turn comes first? */
  isFree(lockspace: string): boolean {
    return this.#held.length === 0 && this.isRunning(lockspace);
  }

  /** Do this when a lockspace may be locked: now, or after its recovery, in the order of asking. */
  whenRunning(lockspace: string, work: () => void): void {
    if (this.isFree(lockspace)) work();
    else this.#held.push({ lockspace, work });
  }

  /** Do this, which changes a lock, when it may be done: outside a quorate view at once if it gives something back. */
  whenChangeable(call: ConvertInput | UnlockInput, work: () => void): void {
    if (this.mayChange(call)) work();
    else this.#held.push({ lockspace: call.lockspace, call, work });
  }

  /** May this be done now? */
  mayChange(call: ConvertInput | UnlockInput): boolean {
    const stack = this.node.stack(call.lockspace);
    return stack === null || (this.#held.length === 0 && !stack.mustWait(call)) || stack.mayGiveBack(call);
  }

  /** Milliseconds since the node started. */
  now(): Millis {
    return this.#clock.now();
  }

  /** What a member has sent together. */
  receive(from: NodeId, messages: readonly Message[]): void {
    this.#clock.hold();
    try {
      for (const message of messages) {
        if (isInspection(message)) this.everywhere.receive(from, message);
        else this.turn({ kind: 'received', from, message });
      }
    } finally {
      this.#clock.release();
    }
  }

  /** Feed one input to the node and carry out its effects. Returns the refusal, if it was refused. */
  turn(input: Input): Refuse | null {
    if (this.applications.isFrozen(input)) return { kind: 'refuse', call: input, code: 'ENOENT', rule: applicationDied };
    let refusal: Refuse | null = null;
    if (input.kind === 'joinLockspace') this.misfits.delete(input.lockspace);
    const now = this.now();
    const effects = this.node.step(now, input);
    if (this.recorder !== null) this.recorder.record(now, input, effects);
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          this.cluster?.send(effect);
          break;
        case 'complete':
        case 'wait':
        case 'block':
        case 'adopt':
          this.#deliver(effect);
          break;
        case 'refuse':
          // A call that had waited, and is refused with this turn, its caller has heard of otherwise.
          if (effect.call === input) refusal = effect;
          break;
        case 'unheeded':
          break;
        default:
          this.#carryOut(effect);
      }
    }
    this.#arm(now, soonestOf(input));
    if (this.#held.length > 0) this.#letGo();
    if (!concernsLocksOnly(input)) {
      this.cluster?.look(this.node);
      this.changes.count();
    }
    return refusal;
  }

  #carryOut(effect: Parameters<Cluster['carryOut']>[0]): void {
    this.cluster?.carryOut(effect, this.node);
    if (effect.kind !== 'misfit') return;
    this.misfits.set(effect.lockspace, effect);
    this.applications.misfit(effect.lockspace, errorOfMisfit(effect));
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = [];
    for (const one of held) {
      const { lockspace, call, work } = one;
      const mayBegin = call === undefined ? this.isRunning(lockspace) : this.node.stack(lockspace)?.mustWait(call) !== true;
      if (mayBegin) work();
      else this.#held.push(one);
    }
  }

  /** A new party that can own locks. */
  addOwner(kind: Owner['kind'], pid: number, command: string): Owner {
    this.#lastOwner += 1;
    const owner: Owner = { id: ownerId(this.#lastOwner), kind, pid, command };
    this.#owners.set(owner.id, owner);
    return owner;
  }

  /** The party is gone: its locks end, its persistent ones become orphans. */
  endOwner(owner: Owner): void {
    if (this.applications.holdsBack(owner, () => this.endOwner(owner))) return;
    // A session has ended with those who asked; for a process somebody else has, who may be waiting.
    const isMissed = owner.kind === 'process' && this.node.hasLocksOf(owner.id);
    const held = isMissed || this.#attendants.size > 0 ? this.node.held(owner.id, null) : [];
    this.turn({ kind: 'endOwner', owner: owner.id });
    const lost = new DlmError('DLM_LOST', 'the owner of the lock has ended');
    if (isMissed) for (const { isGranted, cookie } of held) (cookie as Listener).lost(isGranted ? lost : ownerless(owner));
    this.#tellAttendantsOf(held, lost);
    this.#ended.add(owner.id);
    this.forgetEnded();
  }

  /** Whose orphans are gone, of them nobody asks any more. */
  forgetEnded(): void {
    for (const id of this.#ended) {
      if (this.node.hasOrphansOf(id)) continue;
      this.#ended.delete(id);
      this.#owners.delete(id);
    }
  }

  /** These locks end without having been asked to: tell those who hold or want them, the latter as `never`. */
  tellLost(locks: readonly HeldLock[], why: string, never: ErrorCode = 'DLM_NO_NODE'): void {
    this.#tellLost(locks, why, new DlmError(never, why, never === 'DLM_NO_NODE' ? askAgain : undefined));
  }

  /** The same of all locks, because the node is over. */
  tellEnd(why: string): void {
    const hint = this.cluster === null ? askAgain : memberAgain(this.cluster.line);
    this.#tellLost(this.node.held(null, null), why, new DlmError('DLM_NO_NODE', why, hint));
  }

  #tellLost(locks: readonly HeldLock[], why: string, notGranted: DlmError): void {
    const lost = new DlmError('DLM_LOST', why);
    for (const { lkid, isGranted, cookie } of locks) {
      const reason = isGranted ? lost : notGranted;
      (cookie as Listener).lost(reason);
      this.#tellAttendantsOf([{ lkid }], reason);
    }
  }

  /** Who that is or was; its orphans outlive it. */
  owner(id: OwnerId): Owner | null {
    return this.#owners.get(id) ?? null;
  }

  /** Every party known, for finding the orphans of a process. */
  owners(): Iterable<Owner> {
    return this.#owners.values();
  }

  /** Let `listener` hear the completions of somebody else's lock. */
  attend(id: Lkid, listener: Listener): void {
    const attending = this.#attendants.get(id);
    if (attending === undefined) this.#attendants.set(id, new Set([listener]));
    else attending.add(listener);
  }

  ignore(id: Lkid, listener: Listener): void {
    const attending = this.#attendants.get(id);
    attending?.delete(listener);
    if (attending?.size === 0) this.#attendants.delete(id);
  }

  /** Returns the refusal, if it was refused. */
  joinLockspace(name: string, config: Partial<LockspaceConfig> = {}): Refuse | null {
    return this.turn({ kind: 'joinLockspace', lockspace: name, config: { ...defaultConfig, order: this.defaultOrder, ...config } });
  }

  /** What is done when a member has failed, where a lockspace does not say otherwise. */
  get defaultOrder(): string {
    return this.cluster?.fencing.isOn === true ? 'fence-first' : 'none';
  }

  /** The node is over: nothing happens on it any more. */
  close(): void {
    this.stop();
    this.turn = (call) => ({ kind: 'refuse', call, code: 'ENOBUFS', rule: null });
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #deliver(effect: ForListener): void {
    const listener = effect.cookie as Listener;
    if (effect.kind === 'complete') listener.complete(effect);
    else if (effect.kind === 'wait') listener.wait(effect);
    else if (effect.kind === 'block') listener.block(effect);
    else listener.adopt(effect);

    if (this.#attendants.size > 0) this.#tellAttendants(effect);
  }

  #tellAttendantsOf(locks: readonly Pick<HeldLock, 'lkid'>[], reason: DlmError): void {
    for (const { lkid } of locks) {
      for (const attendant of this.#attendants.get(lkid) ?? []) attendant.lost(reason);
      this.#attendants.delete(lkid);
    }
  }

  #tellAttendants(effect: ForListener): void {
    for (const attendant of this.#attendants.get(effect.lkid) ?? []) {
      if (effect.kind === 'complete') attendant.complete(effect);
      else if (effect.kind === 'wait') attendant.wait(effect);
    }
    if (effect.kind === 'complete' && effect.mode === IV) this.#attendants.delete(effect.lkid);
  }

  /**
   * One timer, for the node's next deadline; it does not keep the process alive. One that is set stays if nothing of this
   * turn can be due before it. To find that there is no deadline any more costs more than a timer in vain.
   */
  #arm(now: Millis, soonest: number): void {
    if (this.#timer !== null && this.#timerAt <= now + soonest) return;
    const next = this.node.nextDeadline();
    if (next === null || (this.#timer !== null && this.#timerAt <= next)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = next;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.turn({ kind: 'deadline' });
    }, Math.min(Math.max(1, next - this.now()), timerMax));
    this.#timer.unref();
  }
}

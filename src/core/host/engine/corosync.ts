/**
 * The corosync engine: nodes on several hosts are a cluster, and the corosync that runs
 * on each of them says in which order everything happens and who has quorum.
 *
 *     corosync ──group, ring, messages──▶ ProcessGroup ──view, out──▶ follower
 *        ▲    ╲─quorum──────────────────────────▶ no quorum: stop ──▶ follower
 *        ╰──────────── stand, beat, view, out ◀── what is to be said
 *
 * What follows from the stream, the same for all members, is decided in
 * corosync-group.ts. This file is what only one member can know: what quorum says on
 * this host, when it has last heard itself, and when it must therefore stop.
 *
 * A member that loses quorum is given the view after its last one at once: the same
 * members, and nobody may do anything. That view is the same for all who are given it,
 * and its number is used for nothing else.
 *
 * Kin: dlm_controld's member.c, daemon_cpg.c.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DlmError } from '../../base/errors.js';
import { nodeId, type NodeId } from '../../base/ids.js';
import { ProcessGroup, type Outcome } from './corosync-group.js';
import { openLine, type Address, type Change, type CorosyncHearer, type CorosyncLine, type Ring } from './corosync-library.js';
import { lockspacesMax, messageIn, protocolVersion, viewOf, type Enlisted, type Entry, type Message } from './corosync-protocol.js';
import { Pulse } from './corosync-pulse.js';
import { ringTimes } from './corosync-settings.js';
import { Speaker } from './corosync-speaker.js';
import { marginFor, timingFor, type CorosyncTiming, type TimingOptions } from './corosync-timing.js';
import { Answer } from './answer.js';
import { checkClusterName } from './cluster-places.js';
import type { Candidate, Engine, Follower, StopBudget, View } from './engine.js';
import { isLockspaces, isName } from './registrar-protocol.js';

export interface CorosyncOptions extends TimingOptions {
  /** 1 to 32 letters, digits, dots, dashes and underscores. */
  readonly cluster: string;
  /** How long to wait for quorum and for the others to let us in, in milliseconds. */
  readonly joinMillis?: number;
  /** Where lines for the node's log go; nowhere if not given. */
  readonly log?: (line: string) => void;
}

const joinMillisDefault = 30_000;
const leaveMillis = 10_000;
/** While corosync is busy with a change of its members. */
const againMillis = 20;
/** Views kept for a host that does not follow yet. */
const heldMax = 4_096;

/** Throws `DLM_NAME_INVALID`. */
export function corosyncEngine(options: CorosyncOptions): Engine {
  checkClusterName(options.cluster);
  return new GroupEngine(options);
}

interface Expulsion {
  readonly reason: string;
  readonly done: Answer<void>;
  /** The epoch in which it was said. */
  epoch: string;
}

class GroupEngine implements Engine, CorosyncHearer {
  readonly #options: CorosyncOptions;
  readonly #log: (line: string) => void;
  readonly #joined = new Answer<NodeId>();
  readonly #left = new Answer<void>();
  readonly #expulsions = new Map<string, Expulsion>();
  #state: 'new' | 'joining' | 'in' | 'leaving' | 'out' = 'new';
  #timing: CorosyncTiming = { heartbeatMillis: 0, stopMillis: 0, regrantMillis: 0 };
  #self: Omit<Enlisted, 'lockspaces'> | null = null;
  #lockspaces: Enlisted['lockspaces'] = [];
  #line: CorosyncLine | null = null;
  #group: ProcessGroup | null = null;
  #quorum: { isQuorate: boolean; ring: Ring } | null = null;
  #lastStand = '';
  #speaker: Speaker | null = null;
  #pulse = new Pulse(Infinity);
  #follower: Follower | null = null;
  #held: View[] = [];
  #lostFor: string | null = null;
  #beatTimer: NodeJS.Timeout | null = null;
  #turnTimer: NodeJS.Timeout | null = null;
  #isTurnDue = false;
  #waitsFor = '';
  #waitedFor = '';
  #complainedOf = '';

  constructor(options: CorosyncOptions) {
    this.#options = options;
    this.#log = options.log ?? ((): void => undefined);
  }

  get budget(): StopBudget {
    return this.#timing;
  }

  async join(candidate: Candidate): Promise<NodeId> {
    if (this.#state !== 'new') throw new DlmError('DLM_INTERNAL', 'an engine joins once');
    if (!isName(candidate.name)) {
      throw new DlmError('DLM_NAME_INVALID', `${JSON.stringify(candidate.name)} cannot be the name of a node`, 'give 1 to 64 printable characters without spaces');
    }
    this.#state = 'joining';
    const { joinMillis = joinMillisDefault } = this.#options;
    const timer = setTimeout(() => this.#fail(this.#noAnswer('the node cannot become a member')), joinMillis);
    try {
      await this.#enter(candidate);
      return await this.#joined.promise;
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  follow(follower: Follower): void {
    this.#follower = follower;
    follower.deadline(this.#pulse.deadline);
    for (const view of this.#held.splice(0)) follower.view(view);
    if (this.#lostFor !== null) follower.lost(this.#lostFor);
  }

  announce(lockspaces: ReadonlyMap<string, number>): void {
    const sorted = Array.from(lockspaces).sort(([a], [b]) => (a < b ? -1 : 1));
    if (sorted.length > lockspacesMax) {
      throw new DlmError('DLM_TOO_MANY', `a node can be in ${lockspacesMax} lockspaces of a cluster on corosync, not in ${sorted.length}`, 'leave one that is not needed');
    }
    if (!isLockspaces(sorted)) throw new DlmError('DLM_NAME_INVALID', 'the name of a lockspace is too long for a cluster on corosync');
    this.#lockspaces = sorted;
    this.#turnSoon();
  }

  async leave(): Promise<void> {
    if (this.#state === 'new' || this.#state === 'out') return this.#end();
    if (this.#state === 'joining') return this.#fail(new DlmError('DLM_CANCELLED', 'the node was to leave before it had joined'));
    this.#state = 'leaving';
    this.#turnSoon();
    const timer = setTimeout(() => this.#left.reject(this.#noAnswer('the node cannot leave in good order')), leaveMillis);
    try {
      await this.#left.promise;
    } finally {
      clearTimeout(timer);
      this.#end();
    }
  }

  async expel(node: NodeId, reason: string): Promise<void> {
    const member = this.#group?.last?.members.find((one) => one.node === node);
    if (node === this.#self?.node) throw new DlmError('DLM_USAGE', 'a node does not expel itself', 'leave with: dlm node leave');
    if (this.#state !== 'in' || this.#quorum?.isQuorate !== true) throw new DlmError('DLM_NOT_QUORATE', 'only a quorate part of the cluster can say that a member has failed');
    if (member === undefined) return;
    const expulsion = this.#expulsions.get(member.life) ?? { reason: reason.slice(0, 256), done: new Answer<void>(), epoch: '' };
    this.#expulsions.set(member.life, expulsion);
    this.#turnSoon();
    const timer = setTimeout(() => expulsion.done.reject(this.#noAnswer(`there is no view without node ${node} yet`)), leaveMillis);
    try {
      await expulsion.done.promise;
    } finally {
      clearTimeout(timer);
      this.#expulsions.delete(member.life);
    }
  }

  /* From corosync. */

  /** Whoever slept for too long must not act on what it finds when it wakes. */
  mayHear(): boolean {
    if (this.#state === 'out') return false;
    if (!this.#pulse.isOverdue) return true;
    const why = `this node has not heard itself for ${this.#timing.stopMillis} ms: it was suspended, or corosync did not deliver, and the others may have gone on without it`;
    this.#fail(new DlmError('DLM_NOT_QUORATE', why));
    return false;
  }

  message(from: Address, bytes: Uint8Array): void {
    const message = messageIn(bytes);
    if (message === null || this.#state === 'out') return;
    if (message.say === 'beat' && this.#isUs(from)) this.#hearOurselves(message.count);
    this.#heed(this.#group!.hear(performance.now(), from, message));
  }

  members(all: readonly Address[], left: readonly Change[]): void {
    this.#group?.membersAre(performance.now(), all, left);
    this.#turnSoon();
  }

  ring(ring: Ring): void {
    this.#group?.ringIs(ring);
    this.#turnSoon();
  }

  quorum(isQuorate: boolean, ring: Ring): void {
    this.#quorum = { isQuorate, ring };
    this.#stopWithoutQuorum();
    this.#turnSoon();
  }

  gone(what: string): void {
    this.#line = null;
    this.#fail(new DlmError('DLM_NOT_QUORATE', what));
  }

  /* To the others. */

  async #enter({ node, name, incarnation, address, weight }: Candidate): Promise<void> {
    const { token, consensus } = ringTimes();
    this.#timing = timingFor(token, consensus, this.#options);
    this.#pulse = new Pulse(this.#timing.stopMillis);
    const line = await this.#openLine();
    if (this.#state === 'out') return line?.close();
    this.#line = line!;
    this.#speaker = new Speaker(this.#line);
    const ours = this.#line.node;
    if (node !== 'auto' && node !== ours) {
      throw new DlmError('DLM_USAGE', `node ${node} cannot run on this host: its number in corosync.conf is ${ours}`, 'leave the number out, and it is the host\'s');
    }
    const stopMillis = Math.ceil(this.#timing.stopMillis + (this.#options.graceMillis ?? 0));
    this.#self = { node: ours, pid: process.pid, life: randomUUID(), incarnation, name, address, weight, stopMillis };
    this.#group = new ProcessGroup({ self: this.#self, life: this.#self.life, stopMillis, marginMillis: marginFor(token) });
    this.#beatTimer = setInterval(() => this.#beat(), this.#timing.heartbeatMillis);
    this.#beat();
  }

  /** Corosync lets nobody in while its members change. */
  async #openLine(): Promise<CorosyncLine | null> {
    while (this.#state === 'joining') {
      const line = openLine(`dlm:${this.#options.cluster}`, this);
      if (line !== 'again') return line;
      await pause(againMillis);
    }
    return null;
  }

  #beat(): void {
    if (!this.mayHear()) return;
    this.#say({ say: 'beat', count: this.#pulse.beat() });
    this.#complain();
    this.#turnSoon();
  }

  /** Whatever a next view waits for from one beat to the next is worth a line. */
  #complain(): void {
    const waitsFor = this.#waitsFor;
    if (waitsFor !== '' && waitsFor === this.#waitedFor && waitsFor !== this.#complainedOf) {
      this.#complainedOf = waitsFor;
      this.#log(`the cluster waits for ${waitsFor}`);
    }
    if (waitsFor === '') this.#complainedOf = '';
    this.#waitedFor = waitsFor;
  }

  /** Our beat went to all and came back: so far, we are one of them. */
  #hearOurselves(count: number): void {
    this.#pulse.heard(count);
    this.#follower?.deadline(this.#pulse.deadline);
  }

  /** Once for all that has just happened. */
  #turnSoon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#group === null || !this.mayHear()) return;
    if (this.#turnTimer !== null) clearTimeout(this.#turnTimer);
    if (this.#speaker?.goOn() === false) {
      this.#turnTimer = setTimeout(() => this.#turn(), againMillis);
      return;
    }
    if (this.#group.hasUs) this.#sayHowWeStand(this.#group);
    const now = performance.now();
    const { say, at, waitsFor } = this.#group.steps({ now, wall: Date.now() });
    this.#waitsFor = waitsFor;
    for (const message of say) this.#say(message);
    this.#sayExpulsions(this.#group);
    if (at < Infinity) this.#turnTimer = setTimeout(() => this.#turn(), Math.max(1, at - now));
  }

  /** Only once quorum has been said in the ring that the group is in. */
  #sayHowWeStand(group: ProcessGroup): void {
    const { ring, last } = group;
    const quorum = this.#quorum;
    if (quorum === null || quorum.ring.node !== ring.node || quorum.ring.seq !== ring.seq) return;
    const stand: Message = {
      say: 'stand',
      version: protocolVersion,
      epoch: group.epoch,
      ...this.#self!,
      lockspaces: this.#lockspaces,
      isLeaving: this.#state === 'leaving',
      isQuorate: quorum.isQuorate,
      isStopped: group.isStopped,
      last: last === null ? null : { id: last.id, maker: last.maker },
    };
    const text = JSON.stringify(stand);
    if (text === this.#lastStand) return;
    this.#lastStand = text;
    this.#say(stand);
  }

  #sayExpulsions(group: ProcessGroup): void {
    for (const [life, expulsion] of this.#expulsions) {
      if (expulsion.epoch === group.epoch) continue;
      const out = group.expulsion(life, expulsion.reason);
      if (out === null) continue;
      expulsion.epoch = group.epoch;
      this.#say(out);
    }
  }

  #say(message: Message): void {
    const isSaid = this.#speaker?.say(message) ?? true;
    if (!isSaid) this.#fail(new DlmError('DLM_NOT_QUORATE', 'what this node has to say is too much for corosync, or corosync takes no messages any more'));
  }

  /* To the node. */

  #heed(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'view') this.#take(outcome.entry);
      else if (outcome.kind === 'stop') this.#tell(viewOf(outcome.entry, false));
      else if (outcome.kind === 'out') this.#fail(new DlmError('DLM_NOT_QUORATE', outcome.reason));
      else if (outcome.kind === 'left') this.#left.resolve();
      else if (outcome.kind === 'news') this.#log(outcome.line);
      else this.#fail(new DlmError(outcome.refusal.code, outcome.refusal.message, outcome.refusal.hint));
    }
    this.#turnSoon();
  }

  #take(entry: Entry): void {
    if (this.#state === 'joining') {
      this.#state = 'in';
      this.#pulse.begin();
      this.#joined.resolve(nodeId(this.#self!.node));
    }
    for (const [life, { done }] of this.#expulsions) if (!entry.members.some((member) => member.life === life)) done.resolve();
    this.#tell(viewOf(entry, true));
    this.#stopWithoutQuorum();
  }

  /** At once and by ourselves: what we tell the node follows from the last view alone. */
  #stopWithoutQuorum(): void {
    if (this.#quorum?.isQuorate === false) this.#heed(this.#group?.stop() ?? []);
  }

  #tell(view: View): void {
    if (this.#state === 'leaving' || this.#state === 'out') return;
    if (this.#follower !== null) return this.#follower.view(view);
    this.#held.push(view);
    if (this.#held.length > heldMax) throw new DlmError('DLM_INTERNAL', 'nobody follows the views of the engine');
  }

  /** We are out, or do not get in. First of all the node must know. */
  #fail(error: Error): void {
    if (this.#state === 'out') return;
    const wasIn = this.#state === 'in';
    this.#state = 'out';
    this.#joined.reject(error);
    this.#left.resolve();
    for (const { done } of this.#expulsions.values()) done.reject(error);
    if (wasIn) {
      this.#lostFor = error.message;
      this.#follower?.lost(error.message);
    }
    this.#end();
  }

  /** Let go of everything. */
  #end(): void {
    this.#state = 'out';
    if (this.#beatTimer !== null) clearInterval(this.#beatTimer);
    if (this.#turnTimer !== null) clearTimeout(this.#turnTimer);
    this.#line?.close(this.#pulse.isAnswered);
    this.#line = null;
  }

  #isUs({ node, pid }: Address): boolean {
    return node === this.#self?.node && pid === this.#self.pid;
  }

  #noAnswer(what: string): DlmError {
    const waitsFor = this.#waitsFor === '' ? 'the others' : this.#waitsFor;
    return new DlmError('DLM_NO_NODE', `${what}: it waits for ${waitsFor}`, 'see corosync-quorumtool -s, and the logs of the other nodes');
  }
}

/**
 * The local engine: several nodes on one machine are a cluster, with no server.
 *
 * Whichever of them holds a lock of the kernel is the registrar and says who is a
 * member; the others tell it what they want and follow its views. When it goes,
 * each of the others tries to reach its successor or to become it:
 *
 *     seek ──somebody listens──────────────▶ say hello, follow
 *      ▲  ╲──nobody, and the lock is free──▶ be the registrar, say hello to oneself, follow
 *      ╰─── nobody, and the lock is taken: again, a little later
 *      ╰─── the line breaks
 *
 * This file is a member's side of that. Who is a member is the registrar's to decide
 * (registrar.ts). A member has no deadline: it cannot be cut off from its own machine,
 * and it counts as one until its process has ended.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DlmError } from '../../base/errors.js';
import { nodeId, type Incarnation, type NodeId } from '../../base/ids.js';
import type { NodeProcess } from '../fence-process.js';
import { KernelLock, noteIn } from '../kernel-lock.js';
import { identify, pidNamespace, type ProcessId } from '../process-facts.js';
import { quoteCommand } from '../text.js';
import { Answer } from './answer.js';
import { clusterPlaces, optionsFor, prepareCluster, type ClusterPlaces } from './cluster-places.js';
import type { Candidate, Engine, Follower } from './engine.js';
import { Lives } from './lives.js';
import { connectToRegistrar } from './registrar-client.js';
import { RegistrarOffice } from './registrar-office.js';
import { isLockspaces, isName, lockspacesMax, protocolVersion, type FromRegistrar, type Hello, type ToRegistrar } from './registrar-protocol.js';
import { viewOf, type Entry } from './roll.js';

export interface LocalOptions {
  /** 1 to 32 letters, digits, dots, dashes and underscores. */
  readonly cluster: string;
  /** The folder in which clusters have theirs; that of this user, or of the machine, if not given. */
  readonly base?: string;
  /** Join others, and do not be the first; false if not given. */
  readonly mustExist?: boolean;
  /** How long the others may take to let us in, in milliseconds. */
  readonly joinMillis?: number;
  /** A member's process has ended. May the others go on without it? If not, they are asked again. */
  readonly isOver?: (process: ProcessId) => boolean;
  /** Where lines for the node's log go; nowhere if not given. */
  readonly log?: (line: string) => void;
}

const joinMillisDefault = 15_000;
const leaveMillis = 10_000;
/** How long to wait between two attempts to find a registrar, first and at last. */
const seekMillisMin = 5;
const seekMillisMax = 200;
/** How often a member looks whether the cluster's folder is still the one it is in. */
const placeLookMillis = 1_000;
/** Views kept for a host that does not follow yet. */
const heldMax = 4_096;

/** Throws `DLM_NAME_INVALID`. */
export function localEngine(options: LocalOptions): Engine {
  return new LocalEngine(clusterPlaces(options.cluster, options.base), options);
}

class LocalEngine implements Engine {
  readonly #places: ClusterPlaces;
  readonly #base: string | undefined;
  readonly #joinMillis: number;
  readonly #mustExist: boolean;
  readonly #isOverFor: (process: ProcessId) => boolean;
  readonly #log: (line: string) => void;
  #state: 'new' | 'joining' | 'in' | 'leaving' | 'out' = 'new';
  /** What we say whenever a line is new; all that we wish is in it. */
  #hello: Hello | null = null;
  #line: ToRegistrar | null = null;
  #office: RegistrarOffice | null = null;
  #folder: KernelLock | null = null;
  #follower: Follower | null = null;
  readonly #lives: Lives;
  /** What nobody has followed yet. */
  #held: Entry[] = [];
  #lostFor: string | null = null;
  readonly #joined = new Answer<NodeId>();
  readonly #left = new Answer<void>();
  #isSeeking = false;
  #trouble = '';
  #placeTimer: NodeJS.Timeout | null = null;

  constructor(places: ClusterPlaces, { base, mustExist = false, joinMillis = joinMillisDefault, isOver = () => true, log = () => undefined }: LocalOptions) {
    this.#mustExist = mustExist;
    this.#isOverFor = isOver;
    this.#places = places;
    this.#base = base;
    this.#lives = new Lives(places);
    this.#joinMillis = joinMillis;
    this.#log = log;
  }

  async join(candidate: Candidate): Promise<NodeId> {
    if (this.#state !== 'new') throw new DlmError('DLM_INTERNAL', 'an engine joins once');
    this.#hello = helloOf(candidate, this.#hello?.lockspaces ?? []);
    this.#state = 'joining';
    const timer = setTimeout(() => this.#fail(this.#noAnswer()), this.#joinMillis);
    try {
      prepareCluster(this.#places);
      const folder = await KernelLock.keepFolder(this.#places.folder);
      if (this.#isOver) folder.release();
      else this.#folder = folder;
      this.#placeTimer = setInterval(() => this.#keepPlace(), placeLookMillis).unref();
      void this.#seek();
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
    follower.deadline(Infinity);
    for (const entry of this.#held.splice(0)) follower.view(viewOf(entry));
    if (this.#lostFor !== null) follower.lost(this.#lostFor);
  }

  announce(lockspaces: ReadonlyMap<string, number>): void {
    const sorted = Array.from(lockspaces).sort(([a], [b]) => (a < b ? -1 : 1));
    if (sorted.length > lockspacesMax) {
      throw new DlmError('DLM_TOO_MANY', `a node can be in ${lockspacesMax} lockspaces of a local cluster, not in ${sorted.length}`, 'leave one that is not needed');
    }
    if (!isLockspaces(sorted)) throw new DlmError('DLM_NAME_INVALID', 'the name of a lockspace is too long for a local cluster');
    if (this.#hello === null) throw new DlmError('DLM_INTERNAL', 'a node announces its lockspaces once it joins');
    this.#hello = { ...this.#hello, lockspaces: sorted };
    this.#line?.tell({ say: 'announce', lockspaces: sorted });
  }

  async leave(): Promise<void> {
    if (this.#state === 'new' || this.#state === 'out') return this.#end();
    if (this.#state === 'joining') return this.#fail(new DlmError('DLM_CANCELLED', 'the node was to leave before it had joined'));
    this.#state = 'leaving';
    this.#line?.tell({ say: 'leave' });
    const timer = setTimeout(() => this.#left.reject(this.#noAnswer()), leaveMillis);
    try {
      await this.#left.promise;
    } finally {
      clearTimeout(timer);
      this.#end();
    }
  }

  async expel(node: NodeId, _reason: string): Promise<void> {
    if (node === this.#hello?.node) throw new DlmError('DLM_USAGE', 'a node does not expel itself', 'leave with: dlm node leave');
    if (this.#state !== 'in') throw new DlmError('DLM_NOT_QUORATE', 'this node is no member of the cluster');
    // Who is out is decided by the end of a process: so it is ended.
    if (!(await this.#lives.end(node))) throw this.#noAnswer();
  }

  processOf(node: NodeId, life: Incarnation): NodeProcess | null {
    return this.#lives.processOf(node, life);
  }

  /** From our line. */
  hear(message: FromRegistrar): void {
    if (this.#isOver) return;
    if (message.say === 'view') return this.#deliver(message.entry);
    if (this.#state === 'leaving') {
      // Whichever of the others it is, we are no member.
      this.#state = 'out';
      return this.#left.resolve();
    }
    if (message.say === 'refused') this.#fail(new DlmError(message.code, message.message, message.hint));
    else if (message.say === 'out') this.#fail(new DlmError('DLM_NOT_QUORATE', message.reason));
  }

  /** Our line is broken. */
  gone(): void {
    this.#line = null;
    if (!this.#isOver) void this.#seek();
  }

  get #isOver(): boolean {
    return this.#state === 'out';
  }

  #deliver(entry: Entry): void {
    const hello = this.#hello!;
    if (entry.id <= hello.seen || this.#state === 'leaving') return;
    this.#hello = { ...hello, seen: entry.id };
    this.#lives.note(entry);
    if (this.#state === 'joining') {
      const self = entry.members.find(({ life }) => life === hello.life)!.node;
      this.#state = 'in';
      this.#hello = { ...this.#hello, node: self };
      this.#joined.resolve(nodeId(self));
    }
    if (this.#follower !== null) return this.#follower.view(viewOf(entry));
    this.#held.push(entry);
    if (this.#held.length > heldMax) throw new DlmError('DLM_INTERNAL', 'nobody follows the views of the engine');
  }

  async #seek(): Promise<void> {
    if (this.#isSeeking) return;
    this.#isSeeking = true;
    let patience = seekMillisMin;
    while (!this.#isOver && !(await this.#hasFound())) {
      await pause(patience);
      patience = Math.min(2 * patience, seekMillisMax);
    }
    this.#isSeeking = false;
  }

  async #hasFound(): Promise<boolean> {
    try {
      const line = await this.#reach();
      if (line === null) return false;
      this.#take(line);
      return true;
    } catch (error) {
      if (this.#state === 'joining') this.#fail(error as Error);
      // A member stays one: better it tries for ever than to be out because of, say, too many open files.
      else this.#complain((error as Error).message);
      return false;
    }
  }

  /** The registrar, or its place if that is free. */
  async #reach(): Promise<ToRegistrar | null> {
    const line = await connectToRegistrar(this.#places.socket, this);
    if (line !== null) return line;
    const lock = await KernelLock.take(this.#places.lock, 0);
    if (lock === null) return null;
    if (this.#mustExist && this.#state === 'joining') this.#needMembers(lock);
    const office = await RegistrarOffice.open(this.#places, lock, this.#isOverFor, this.#log);
    if (this.#isOver) {
      office.close();
      return null;
    }
    this.#office = office;
    return office.line(this);
  }

  /** Throws `DLM_START_REFUSED`. */
  #needMembers(lock: KernelLock): void {
    let isThere = false;
    try {
      isThere = RegistrarOffice.hasMembers(this.#places);
    } finally {
      if (!isThere) lock.release();
    }
    if (!isThere) throw nobodyThere(this.#places, this.#base);
  }

  #take(line: ToRegistrar): void {
    if (this.#isOver) return line.end();
    this.#trouble = '';
    this.#line = line;
    line.tell(this.#hello!);
    if (this.#state === 'leaving') line.tell({ say: 'leave' });
  }

  #complain(trouble: string): void {
    if (trouble !== this.#trouble) this.#log(`no registrar of the cluster is found: ${trouble}`);
    this.#trouble = trouble;
  }

  /** Whoever removed the folder lets others form a cluster beside ours. */
  #keepPlace(): void {
    if (this.#folder?.isInPlace === false) {
      this.#fail(new DlmError('DLM_NOT_QUORATE', `the folder of the cluster, ${this.#places.folder}, was removed or replaced`));
    } else if (this.#office?.isInPlace === false) {
      const office = this.#office;
      this.#office = null;
      office.close();
    }
  }

  /** We are out, or do not get in. */
  #fail(error: Error): void {
    const { message } = error;
    const wasIn = this.#state === 'in';
    if (this.#state === 'joining') this.#line?.tell({ say: 'leave' });
    this.#state = 'out';
    this.#joined.reject(error);
    this.#left.resolve();
    this.#end();
    if (!wasIn) return;
    this.#lostFor = message;
    this.#follower?.lost(message);
  }

  /** Let go of everything. */
  #end(): void {
    this.#state = 'out';
    if (this.#placeTimer !== null) clearInterval(this.#placeTimer);
    this.#line?.end();
    this.#line = null;
    this.#office?.close();
    this.#office = null;
    this.#folder?.release();
    this.#folder = null;
  }

  #noAnswer(): DlmError {
    const holder = noteIn(this.#places.lock);
    return new DlmError(
      'DLM_NO_NODE',
      `the registrar of the cluster${holder === '' ? '' : `, process ${holder},`} does not answer`,
      'it may be stopped or overloaded: let it go on, or end it, and another takes its place',
    );
  }
}

function nobodyThere({ name, folder }: ClusterPlaces, base: string | undefined): DlmError {
  return new DlmError(
    'DLM_START_REFUSED',
    `cluster ${name} has no members on this machine that could be joined (its folder is ${folder})`,
    `start one that stays with: dlm node join ${quoteCommand(['--cluster', name, ...optionsFor(base)])} --detach; or add --alone to be the first`,
  );
}

/** What a member says first. Throws `DLM_NAME_INVALID` or `DLM_STATE_UNUSABLE`. */
function helloOf(candidate: Candidate, lockspaces: Hello['lockspaces']): Hello {
  const { node, name, incarnation, address, weight } = candidate;
  if (!isName(name)) {
    throw new DlmError('DLM_NAME_INVALID', `${JSON.stringify(name)} cannot be the name of a node`, 'give 1 to 64 printable characters without spaces');
  }
  const self = identify(process.pid);
  if (self === null) {
    throw new DlmError('DLM_STATE_UNUSABLE', 'the system does not tell when a process was started (/proc)', 'mount /proc: without it a death cannot be told from a life');
  }
  const facts = { name, incarnation, address, weight, lockspaces, life: randomUUID(), ...self };
  return { say: 'hello', version: protocolVersion, node: node === 'auto' ? null : node, pidns: pidNamespace(), seen: 0, ...facts };
}

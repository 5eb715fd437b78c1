/**
 * Be the node of this machine, or of this user: hold the node's lock, take an
 * incarnation, listen, and serve until asked to leave.
 *
 * The order matters. The lock comes first, so that there is one node; whoever
 * holds it may remove a socket that a dead node has left. The incarnation comes
 * before anything is granted. The socket goes first when the node leaves, and the
 * lock last.
 */
import { existsSync, writeSync } from 'node:fs';
import { DlmError } from '../base/errors.js';
import { ChildRegister } from './child-register.js';
import type { Cluster, Ending } from './cluster.js';
import type { ClusterOptions } from './cluster-options.js';
import { connect } from './connect.js';
import { ControlServer } from './control-server.js';
import { Host } from './host.js';
import { giveBackValues, missedCount } from './kept-values.js';
import { KernelLock, noteIn } from './kernel-lock.js';
import { NodeClient } from './node-client.js';
import { stillLocked } from './outcome.js';
import { statusOf } from './node-status.js';
import { nodePlaces, placesToTry, prepareFolder, type Places } from './places.js';
import { commandOf, type ProcessId } from './process-facts.js';
import { graceMillis } from './process-family.js';
import type { LeaveOptions, Leaver, Served } from './served.js';
import { Recorder } from './recorder.js';
import { ServedPort } from './served-port.js';
import type { SpeakerMaker } from './shell-protocol.js';
import { Shells } from './shells.js';
import { refuseWhereClustered } from './clustered.js';
import { nextLife, type Life } from './state-file.js';
import type { NodeStatus } from './types.js';
import { ProcessWatch } from './watch.js';

export interface ServeOptions {
  /** One folder for everything; DLM_DIR or the places of this user if not given. */
  readonly dir?: string;
  /** Be a member of this cluster; alone if not given. */
  readonly cluster?: ClusterOptions;
  /** Be no member of any, on purpose, also where a node has been one. */
  readonly isAlone?: boolean;
  /** Write everything that happens to the node into this file, which must be new. */
  readonly record?: string;
  /** Started on purpose, or by a command that found no node. */
  readonly start?: 'joined' | 'automatic';
  /** Leave after so long without sessions and locks; null: never. Ten minutes for an automatic node. */
  readonly idleMillis?: number | null;
  /** Knows the words of the functions that shells use; shells are refused if not given. */
  readonly shells?: SpeakerMaker;
  /** Asked once, when the node has become a member: while it is not known whether it stays, it leaves in good order when that is aborted. */
  readonly callOff?: () => AbortSignal;
  /** Where the lines of the node's log go; to standard error if not given. */
  readonly log?: (line: string) => void;
}

export interface ServedNode {
  readonly client: NodeClient;
  readonly socket: string;
  /** Why the node has stopped, in words. */
  readonly left: Promise<string>;
  /** It counts as failed, and the others wait for the end of this process: end it. */
  readonly hasFailed: boolean;
  /** Lockspaces with an application on this node. */
  readonly applications: readonly string[];
  /** Rejects with `DLM_NODE_IN_USE` while an application is attached, unless forced, and while locks are held, unless forced or drained; one that only keeps a value is given back. */
  leave(options?: { force?: boolean; drain?: boolean; signal?: AbortSignal }): Promise<void>;
}

const idleMillisOfAutomatic = 600_000;
/** How long a node that has stopped answering may still hold its lock. */
const handoverMillis = 5_000;
const handoverLookMillis = 200;
const drainLookMillis = 100;
/** How often the node looks whether its place is still its own. */
const placeLookMillis = 1_000;

/** Rejects with `DLM_NODE_EXISTS`, `DLM_STATE_UNUSABLE`, `DLM_NOT_PERMITTED`, `DLM_START_REFUSED` or `DLM_CANCELLED`, and as `Cluster.join`. */
export async function serve(options: ServeOptions): Promise<ServedNode> {
  const places = nodePlaces(options.dir);
  if (options.cluster === undefined && options.isAlone !== true) refuseWhereClustered(placesToTry(options.dir));
  await refuseBesideMachineNode(options.dir);
  // First what must outlive the node: where it cannot be kept, no folder is left behind for what need not.
  prepareFolder(places.state, places.scope);
  prepareFolder(places.run, places.scope);
  const locks = [await takeNodeLock(places)];
  let cluster: Cluster | null = null;
  try {
    locks.push(await KernelLock.keepFolder(places.run));
    const life = await nextLife(places);
    const log = loggerOf(options);
    if (options.cluster !== undefined) cluster = await joinCluster(options.cluster, places, life, log);
    const signal = cluster === null ? undefined : options.callOff?.();
    const node = new ServingNode(places, locks, life, cluster, options);
    await node.listen(signal);
    return node;
  } catch (error) {
    // A member that serves nobody would be waited for by all.
    await cluster?.leave();
    for (const lock of locks) lock.release();
    throw error;
  }
}

/** Engines and links are loaded by those nodes only that are in a cluster. */
async function joinCluster(...words: Parameters<typeof Cluster.join>): Promise<Cluster> {
  const { Cluster: Loaded } = await import('./cluster.js');
  return Loaded.join(...words);
}

/** A node for one user would never be asked while there is one for everybody. */
async function refuseBesideMachineNode(dir: string | undefined): Promise<void> {
  const [first] = placesToTry(dir);
  if (first === undefined || first.run === nodePlaces(dir).run || !(await answers(first))) return;
  throw new DlmError('DLM_NODE_EXISTS', `this machine has a node for everybody, behind ${first.socket}`);
}

async function takeNodeLock(places: Places): Promise<KernelLock> {
  const deadline = performance.now() + handoverMillis;
  let lock = await KernelLock.take(places.nodeLock, 0);
  while (lock === null && performance.now() < deadline && !(await answers(places))) {
    lock = await KernelLock.take(places.nodeLock, handoverLookMillis);
  }
  // Should its lock file have been removed, a node that runs still has its socket.
  const isBeaten = lock === null || (await answers(places));
  if (lock === null || isBeaten) {
    const holder = noteIn(places.nodeLock);
    lock?.release();
    throw new DlmError('DLM_NODE_EXISTS', `a node is running already${holder === '' ? '' : `, process ${holder}`}`);
  }
  lock.note(`${process.pid}\n`);
  return lock;
}

/** Does a node answer, or at least sit, behind its socket? Throws `DLM_NOT_PERMITTED`. */
async function answers(places: Places): Promise<boolean> {
  try {
    const port = await connect(places.socket, { pid: process.pid, command: commandOf(process.pid) });
    await port?.close();
    return port !== null;
  } catch (error) {
    if (error instanceof DlmError && error.code === 'DLM_NOT_PERMITTED') throw error;
    return true;
  }
}

class ServingNode implements Served, ServedNode {
  readonly host: Host;
  readonly watch: ProcessWatch;
  readonly client: NodeClient;
  readonly left: Promise<string>;
  readonly #places: Places;
  readonly #locks: readonly KernelLock[];
  readonly #server: ControlServer;
  readonly #shells: Shells;
  readonly #start: 'joined' | 'automatic';
  readonly #idleMillis: number | null;
  readonly log: (line: string) => void;
  #tellLeft: (why: string) => void = () => undefined;
  #isLeaving = false;
  /** Those who wait for the last lock to end. */
  readonly #drainers = new Set<Leaver>();
  #hasFailed = false;
  /** See `Ending`. */
  #isUrgent = false;
  #stopping: Promise<void> | null = null;
  #idleTimer: NodeJS.Timeout | null = null;
  #placeTimer: NodeJS.Timeout | null = null;

  constructor(places: Places, locks: readonly KernelLock[], life: Life, cluster: Cluster | null, options: ServeOptions) {
    this.#places = places;
    this.#locks = locks;
    this.#start = options.start ?? 'joined';
    const idleMillis = this.#start === 'automatic' ? idleMillisOfAutomatic : null;
    this.#idleMillis = options.idleMillis === undefined ? idleMillis : options.idleMillis;
    this.log = loggerOf(options);
    this.left = new Promise((resolve) => (this.#tellLeft = resolve));

    const register = new ChildRegister(places);
    this.host = new Host(cluster?.node ?? 1, life, cluster);
    if (options.record !== undefined) this.host.recorder = new Recorder(options.record, this.host.node.config);
    this.host.applications.log = this.log;
    this.watch = new ProcessWatch(this.host, register);
    this.watch.awaitSurvivors(register.survivors());
    this.#server = new ControlServer(this, places, () => this.#armIdle());
    this.#shells = new Shells(this, places, options.shells ?? null, () => this.#armIdle());
    this.client = new NodeClient(new ServedPort(this, this.host.addOwner('node', process.pid, commandOf(process.pid))));
  }

  async listen(signal?: AbortSignal): Promise<void> {
    this.#tellOfSurvivors();
    await this.host.cluster?.begin(this.host, (ending) => void this.#endAs(ending), signal);
    if (this.#isLeaving) return;
    await this.#server.listen();
    this.log(`incarnation ${this.host.incarnation} listens on ${this.socket}`);
    this.#placeTimer = setInterval(() => this.#keepPlace(), placeLookMillis).unref();
    this.#armIdle();
  }

  /** Whoever removed our files lets a second node start: better none than two. */
  #keepPlace(): void {
    const [nodeLock, folder] = this.#locks;
    const isFound = nodeLock?.isInPlace === true || existsSync(this.socket);
    if (this.#isLeaving || (folder?.isInPlace === true && isFound)) return;
    void this.#stop(`its folder ${this.#places.run} was removed or replaced`, true);
  }

  get socket(): string {
    return this.#places.socket;
  }

  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  status(lockspace: string | null): NodeStatus {
    // Whoever stops waits for no lock any more.
    const leaving = this.#isLeaving ? { locks: this.#stopping === null ? missedCount(this.host) : 0 } : null;
    return statusOf(this.host, this.watch, { start: this.#start, socket: this.socket, sessions: this.#sessions, leaving }, lockspace);
  }

  get #sessions(): number {
    return this.#server.sessions + this.#shells.count;
  }

  get applications(): readonly string[] {
    return this.host.applications.lockspaces;
  }

  openShell(lockspace: string, recovery: string | null): Promise<string> {
    return this.#shells.open(lockspace, recovery);
  }

  async leave(options: Partial<LeaveOptions> & { signal?: AbortSignal } = {}, asked?: Leaver): Promise<void> {
    const { force = false, drain = false, signal } = options;
    const leaver = asked ?? { gone: signal ?? new AbortController().signal, agreed: () => undefined };
    if (this.#isLeaving && !force && !drain) throw new DlmError('DLM_NO_NODE', 'the node is leaving already', 'it ends when the last lock has; see: dlm locks; not to wait for that: dlm node leave --force');
    // An application does not end by itself as locks do: to wait for it would be to grant nothing meanwhile, for how long nobody knows.
    if (!force) this.#refuseWithApplications();
    if (!force && drain) await this.#drain(leaver);
    else if (this.#stopping !== null) this.#tellLeaver(leaver);
    if (this.#stopping !== null) return this.#stopping;
    const missed = missedCount(this.host);
    if (!force && missed > 0) throw stillLocked(missed);
    // One may have been attached while locks ended.
    if (!force) this.#refuseWithApplications();
    leaver.agreed();
    await this.#stop(force ? 'it was told to leave by force' : 'it was told to leave', force);
  }

  /** Who must end may be on its way already, at more leisure. */
  #endAs({ why, hasFailed, isUrgent }: Ending): Promise<void> {
    this.#hasFailed ||= hasFailed;
    this.#isUrgent ||= isUrgent;
    if (isUrgent && this.#stopping !== null) void this.#endChildren();
    return this.#stop(why, true);
  }

  /** A member that leaves in good order leaves nothing behind that others would have to put in order. */
  #refuseWithApplications(): void {
    const { lockspaces } = this.host.applications;
    if (lockspaces.length === 0) return;
    if (this.#drainers.size === 0 && this.#stopping === null) this.#isLeaving = false;
    throw new DlmError('DLM_NODE_IN_USE', `an application is attached to lockspace ${lockspaces.join(', ')}`, 'end it first: it suspends and leaves its lockspace in good order; with --force it is killed, and the node counts as failed');
  }

  /**
   * An application that ends because its node does has left something behind, whatever ended the node: it counts as failed
   * then, unless it is none of the cluster any more.
   */
  #stop(why: string, endChildren: boolean): Promise<void> {
    const wouldBeClean = this.#stopping === null && !this.#hasFailed && !this.#isUrgent;
    if (wouldBeClean && this.host.applications.lockspaces.length > 0) this.host.cluster?.giveUp(`${why}, with an application attached`);
    this.#stopping ??= this.#stopNow(why, endChildren);
    return this.#stopping;
  }

  /** Take no new locks and wait until the last has ended. It goes on until all who asked for it have called it off. */
  async #drain(leaver: Leaver): Promise<void> {
    const { gone: calledOff } = leaver;
    if (!this.#isLeaving) this.log('takes no new locks and leaves when the last has ended');
    this.#isLeaving = true;
    this.#drainers.add(leaver);
    while (missedCount(this.host) > 0 && !calledOff.aborted && this.#stopping === null) {
      await new Promise((resolve) => setTimeout(resolve, drainLookMillis));
    }
    if (this.#drainers.has(leaver) && this.#stopping !== null) this.#tellLeaver(leaver);
    this.#drainers.delete(leaver);
    if (!calledOff.aborted || this.#stopping !== null) return;
    if (this.#drainers.size === 0) {
      this.#isLeaving = false;
      this.log('nobody waits for it to leave any more, and it goes on');
    }
    throw new DlmError('DLM_CANCELLED', 'the node was to leave, and that was called off');
  }

  /** Whoever waits for it to leave hears that it does, as long as anybody can be told; of a failure he hears nothing good. */
  #tellLeaver(leaver: Leaver): void {
    this.#drainers.delete(leaver);
    if (!this.#hasFailed) leaver.agreed();
  }

  async #stopNow(why: string, endChildren: boolean): Promise<void> {
    this.#isLeaving = true;
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    if (this.#placeTimer !== null) clearInterval(this.#placeTimer);
    this.log(`leaves: ${why}`);
    for (const leaver of this.#drainers) this.#tellLeaver(leaver);
    this.#server.stopListening();
    giveBackValues(this.host);
    this.host.tellEnd(`the node has left: ${why}`);
    this.host.applications.tellLost(`the node has left: ${why}`);
    // From here on nobody is granted anything, though holders go one after another.
    this.host.close();
    // What our own process has asked for and was kept back would wait for ever.
    void this.client.close();
    if (endChildren) await this.#endChildren();
    await this.#shells.close();
    this.watch.stop();
    await this.#server.close();
    await this.host.cluster?.leave();
    for (const lock of this.#locks) lock.release();
    this.host.recorder?.close();
    this.#tellLeft(why);
  }

  #armIdle(): void {
    if (this.#idleMillis === null || this.#isLeaving) return;
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      const isIdle = this.#sessions === 0 && this.host.node.lockCount === 0;
      if (!isIdle) this.#armIdle();
      else void this.#stop('nobody has needed it for a while', false);
    }, this.#idleMillis);
  }

  /**
   * Where others go on when we have left in good order, only the end of the commands lets us leave. Where they wait for
   * our process to end, or have gone on already, and where a successor waits for the commands, it need not.
   */
  #endChildren(): Promise<void> {
    const mayLeave = (): boolean => this.host.cluster === null || this.#isUrgent || this.#hasFailed;
    return this.watch.endChildren({ isUrgent: this.#isUrgent, mayLeave, tell: (children, cannotBeStopped) => this.#tellOfEnding(children, cannotBeStopped) });
  }

  /** The others wait for them, too: what they use is given on when they have ended. */
  #tellOfEnding(children: readonly ProcessId[], cannotBeStopped: boolean): void {
    const who = children.map(({ pid }) => `${pid} (${commandOf(pid)})`).join(', ');
    if (cannotBeStopped) this.log(`stays a member until they have ended, which KILL did not do: process ${who}`);
    else this.log(`waits for the commands under its locks to end, by themselves or killed after ${graceMillis / 1000} s: process ${who}`);
  }

  #tellOfSurvivors(): void {
    const { survivors } = this.watch;
    if (survivors.size === 0) return;
    const who = Array.from(survivors, ({ pid }) => `${pid} (${commandOf(pid)})`).join(', ');
    this.log(`grants nothing before the protected commands of its predecessor have ended: process ${who}`);
    this.watch.onceFree(() => this.log('the protected commands of its predecessor have ended; locks are granted'));
  }
}

function loggerOf({ log = logToStderr }: ServeOptions): (line: string) => void {
  return (line) => log(`${new Date().toISOString()} ${line}`);
}

/** A node goes on when its log cannot be written. */
function logToStderr(line: string): void {
  try {
    writeSync(process.stderr.fd, `${line}\n`);
  } catch {
    return;
  }
}

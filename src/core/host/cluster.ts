/**
 * This node's place in a cluster: who the others are (an engine), how to reach them
 * (links), and what the node asks for beside callbacks.
 *
 *     engine ──view──▶ links know the members ──▶ node ──send──▶ links
 *        ▲                                         │
 *        ╰────────────── announce ─────────────────╯
 *
 * The order matters: a link is told of a member before the node is, for the node
 * speaks to it in the same turn; and a generation is on the disk before anything
 * is granted in it.
 */
import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { DlmError } from '../base/errors.js';
import { incarnation, nodeId, type NodeId } from '../base/ids.js';
import type { Effect, StepTaken } from '../node/effect.js';
import type { DlmNode } from '../node/node.js';
import type { FencingConfig } from '../node/snapshot.js';
import { awaitAcceptance } from './acceptance.js';
import { AftermathDriver } from './aftermath-driver.js';
import { checkBudget, EngineDeadline } from './engine-deadline.js';
import { endEarlierChildren } from './earlier-children.js';
import { fencingConfig, methodsFor, type FencingPlan } from './cluster-fencing.js';
import { addressOf, checkOptions, engineFor, isOfSurroundings, linkSocket, type ClusterOptions, lineFor } from './cluster-options.js';
import type { Engine, View } from './engine/engine.js';
import type { EngineName } from './engine/engines.js';
import type { Host } from './host.js';
import { parseNodeAddress, staysHere } from './node-address.js';
import { FenceHistory } from './fence-history.js';
import type { FenceMethods } from './fence-methods.js';
import type { Places } from './places.js';
import { RecoveryRecords } from './recovery-records.js';
import { keepGeneration, markClustered, type Life } from './state-file.js';
import { Transport, type LinkStatus } from './transport.js';
import type { MemberChange, MemberInfo } from './types.js';

const changeWords: Readonly<Record<MemberChange['change'], string>> = { here: 'is here', left: 'has left', failed: 'has failed' };

/** How many changes are kept for those who ask later. */
const changesMax = 64;

/** How long a node that leaves waits for the view that shows what it has left as failed. */
const tellingMillis = 10_000;

/** What concerns the cluster, of what a node can ask for. */
export type ClusterEffect = Exclude<Effect, { readonly cookie: unknown } | { kind: 'refuse' }>;

/** This node is over. */
export interface Ending {
  readonly why: string;
  /** It counts as failed: its process must end, and nobody is told goodbye. */
  readonly hasFailed: boolean;
  /** Others may go on soon: what runs under its locks has its grace to end, and no more. */
  readonly isUrgent: boolean;
}

/** What a member is made of. */
interface Parts {
  readonly options: ClusterOptions;
  readonly places: Places;
  readonly life: Life;
  readonly engine: Engine;
  readonly plan: FencingPlan;
  readonly log: (line: string) => void;
}

export class Cluster {
  readonly node: NodeId;
  readonly fencing: FencingConfig;
  readonly methods: FenceMethods;
  readonly history: FenceHistory;
  readonly records: RecoveryRecords;
  readonly #parts: Parts;
  readonly #log: (line: string) => void;
  readonly #deadline = new EngineDeadline();
  #transport: Transport | null = null;
  #aftermath: AftermathDriver | null = null;
  #view: View | null = null;
  #hasFailed = false;
  /** Who is not here any more: its name, and when that was seen. */
  readonly #gone = new Map<NodeId, { readonly name: string; readonly incarnation: number; readonly since: number }>();
  #host: Host | null = null;
  /** What the engine was told last. */
  #announced: ReadonlyMap<string, number> = new Map();
  #onTold: () => void = () => undefined;
  /** The last changes, the newest last. */
  readonly #changes: MemberChange[] = [];

  /** Become a member. Rejects as `Engine.join`, as `Transport.open`, and with `DLM_CONFIG_INVALID`. */
  static async join(given: ClusterOptions, places: Places, life: Life, log: (line: string) => void): Promise<Cluster> {
    const mark = async (error: unknown): Promise<never> => {
      if (isOfSurroundings(error)) await markClustered(places, given.cluster, lineFor(given));
      throw error;
    };
    const { options, plan } = await checkOptions(given, places).catch(mark);
    const engine = await engineFor(options, places, log).catch(mark);
    const parts = { options, places, life, engine, plan, log };
    // A way to fence that cannot work is refused before anybody counts us as a member.
    const history = new FenceHistory(places, log);
    methodsFor(plan, engine, { lifeOf: () => 0, nameOf: () => null, goneSince: () => null }, history);
    // Whether we are let in or not: a node of no cluster could grant here what the members hold, so none is started by itself from now on.
    await markClustered(places, options.cluster, lineFor(given));
    await endEarlierChildren(places, log);
    const node = await engine.join({
      node: options.node === undefined ? 'auto' : (options.node as NodeId),
      name: options.name ?? `${hostname().split('.')[0]!.slice(0, 40)}-${process.pid}`,
      incarnation: incarnation(life.incarnation),
      address: addressOf(options, places),
      weight: options.weight ?? 0,
    });
    const member = new Cluster(node, parts, history);
    try {
      checkBudget(engine);
      await member.#unfence();
    } catch (error) {
      await member.leave();
      throw error;
    }
    return member;
  }

  private constructor(node: NodeId, parts: Parts, history: FenceHistory) {
    const { plan, engine, log, places, options } = parts;
    this.node = node;
    this.#parts = parts;
    this.#log = log;
    this.history = history;
    this.records = new RecoveryRecords(places, log);
    this.methods = methodsFor(plan, engine, { lifeOf: (one) => this.#lifeOf(one), nameOf: (one) => this.nameOf(one), goneSince: (one) => this.#goneSince(one) }, history);
    this.fencing = fencingConfig(plan, this.methods, (options.engine ?? 'local') === 'local');
    for (const { line, says } of plan.warnings) log(`${plan.fence.path ?? 'the configuration'} line ${line}: ${says}`);
  }

  /** Let the node follow the cluster. `end`: this node is out, or has failed, and must stop. Rejects with `DLM_CONFIG_INVALID` if no member has its key, and with `DLM_CANCELLED` if it was called off. */
  async begin(host: Host, end: (ending: Ending) => void, signal?: AbortSignal): Promise<void> {
    const { options, places, life, engine } = this.#parts;
    const { cluster, keys, insecure, backlogBytesMax } = options;
    const out = (why: string, isUrgent: boolean): void => end({ why: `it is out of the cluster: ${why}`, hasFailed: false, isUrgent });
    const fail = (why: string): void => {
      this.#hasFailed = true;
      end({ why: `it has failed: ${why}`, hasFailed: true, isUrgent: true });
    };
    this.#aftermath = new AftermathDriver({ host, methods: this.methods, history: this.history, log: this.#log, giveUp: fail });
    this.#host = host;
    // A dead node may have left its socket; we hold the lock of the folder.
    rmSync(linkSocket(places), { force: true });
    this.#transport = await Transport.open({
      node: this.node,
      incarnation: incarnation(life.incarnation),
      cluster,
      listen: [addressOf(options, places)],
      ...(keys === undefined ? {} : { keys }),
      ...(insecure === undefined ? {} : { insecure }),
      ...(backlogBytesMax === undefined ? {} : { backlogBytesMax }),
      onMessages: (from, messages) => host.receive(from, messages),
      onOut: (by) => out(`node ${by} has dropped messages for this node, which had taken none for too long`, false),
      onTrouble: ({ node, message }) => this.#log(node === null ? message : `node ${node}: ${message}`),
    });
    const unheard = `nothing was heard from the engine (${this.engine}) in time, so the others may go on without this node`;
    this.#deadline.passed = () => {
      host.turn({ kind: 'engineDeadline' });
      // Who holds nothing may be here again when the engine is, if the others have noticed nothing.
      if (host.node.lockCount > 0) fail(unheard);
      else this.#log(`${unheard}; it grants nothing meanwhile`);
    };
    this.#deadline.stayed = () => fail(unheard);
    engine.follow({
      view: (view) => {
        this.records.follow(this.node, this.#view, view);
        this.#tellOf(view);
        this.#view = view;
        if (!this.#hasUntoldFailure()) this.#onTold();
        this.#transport!.setMembers(view.members);
        host.turn({ kind: 'view', view });
      },
      deadline: (at) => this.#deadline.set(at),
      // The others may have gone on without it already.
      lost: (why) => out(why, true),
    });
    await awaitAcceptance({ links: () => this.#transport!.status(), hasKey: (keys ?? []).length > 0, signal });
  }

  carryOut(effect: ClusterEffect, node: DlmNode): void {
    const { places, life, engine, log } = this.#parts;
    switch (effect.kind) {
      case 'send':
        this.send(effect);
        break;
      case 'announce':
        this.#announced = effect.lockspaces;
        engine.announce(effect.lockspaces);
        break;
      case 'persist':
        keepGeneration(places, life, effect.generation);
        break;
      case 'suspend':
      case 'recover':
      case 'resume':
        this.#host?.applications.carryOut(effect);
        break;
      case 'recovered':
        this.records.recovered(node, effect.lockspace, effect.generation);
        break;
      case 'step':
        this.records.step(node, effect);
        if (effect.verdict !== null && effect.node !== this.node) this.#hear(effect);
        break;
      case 'fence':
        this.#aftermath?.fence(effect);
        break;
      case 'cancelFence':
        this.#aftermath?.cancel(effect);
        break;
      case 'giveUp':
        this.#aftermath?.giveUp(effect.reason);
        break;
      case 'misfit':
        log(`left lockspace ${effect.lockspace}: the others have it with ${effect.theirs.join(' ')}, and here it was joined with ${effect.ours.join(' ')}`);
        break;
      default:
    }
  }

  send({ to, message }: Pick<Extract<Effect, { kind: 'send' }>, 'to' | 'message'>): void {
    this.#transport?.send(to, message);
  }

  /** A turn has ended in which more than locks may have changed. */
  look(node: DlmNode): void {
    this.records.look(node);
  }

  /** How failed nodes are fenced, in a few words. */
  get fencingWords(): string {
    return this.#parts.plan.words;
  }

  /** A line for the node's log. */
  log(line: string): void {
    this.#log(line);
  }

  /** See `Engine.expel`; rejects with `DLM_USAGE`, too, if the engine cannot. */
  async expel(node: NodeId, reason: string): Promise<void> {
    const { engine } = this.#parts;
    if (engine.expel === undefined) throw new DlmError('DLM_USAGE', `with the engine ${this.engine} nobody can declare a member failed`);
    await engine.expel(node, reason);
  }

  /** How a member is called, or was; null: not known. */
  nameOf(node: number): string | null {
    return this.#view?.members.find((member) => member.node === node)?.name ?? this.#gone.get(nodeId(node))?.name ?? null;
  }

  get engine(): EngineName {
    return this.#parts.options.engine ?? 'local';
  }

  get name(): string {
    return this.#parts.options.cluster;
  }

  /** The options of `dlm node join` with which this node would be a member again. */
  get line(): string {
    return lineFor(this.#parts.options);
  }

  get view(): View | null {
    return this.#view;
  }

  members(): MemberInfo[] {
    const links = new Map(this.#transport?.status().map((link) => [link.node, link]));
    return (this.#view?.members ?? []).map(({ node, name, address, incarnation: life, lockspaces }) => ({
      node,
      name,
      address,
      incarnation: life,
      lockspaces: [...lockspaces.keys()],
      link: node === this.node ? 'self' : linkWord(links.get(node)),
    }));
  }

  get changes(): readonly MemberChange[] {
    return this.#changes;
  }

  /** Do links of this node leave the machine without a key? */
  get isInsecure(): boolean {
    const { keys = [], insecure = false } = this.#parts.options;
    return insecure && keys.length === 0 && (this.#view?.members ?? []).some(({ address }) => !staysHere(parseNodeAddress(address)));
  }

  /** End as failed, for this reason. */
  giveUp(reason: string): void {
    this.#aftermath?.giveUp(reason);
  }

  /** Leave in good order; the others go on without us when they know. */
  async leave(): Promise<void> {
    this.#deadline.set(Infinity);
    await this.#aftermath?.close();
    if (!this.#hasFailed && !(await this.#hasToldFailures())) {
      this.#hasFailed = true;
      this.#log('no view has shown that it has left a lockspace as failed: it counts as failed itself, so that others put in order what is left');
    }
    if (!this.#hasFailed) {
      try {
        await this.#parts.engine.leave();
      } catch (error) {
        if (!(error instanceof DlmError)) throw error;
        this.#log(`the others do not answer: ${error.message}`);
      }
    }
    await this.#transport?.close();
  }

  /**
   * Is there a lockspace that this node has left as failed, and no view has shown it? An engine tells how things are in the end:
   * of a node that has left since in good order nobody would hear that something of it is still to be put in order.
   */
  #hasUntoldFailure(): boolean {
    const shown = this.#view?.members.find(({ node }) => node === this.node)?.lockspaces;
    return [...this.#announced].some(([name, join]) => join < 0 && shown?.get(name) !== join);
  }

  /** Wait until there is none. False: there still is one. */
  async #hasToldFailures(): Promise<boolean> {
    if (!this.#hasUntoldFailure()) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, tellingMillis);
      this.#onTold = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return !this.#hasUntoldFailure();
  }

  /** Turn this node on again where it was turned off by being cut off, as at a switch. */
  async #unfence(): Promise<void> {
    const { isWell, reason } = await this.methods.unfence(this.node);
    if (!isWell) throw new DlmError('DLM_CONFIG_INVALID', `this node could not be unfenced: ${reason}`);
  }

  /** What another member has found about a node that has failed. */
  #hear({ victim, node, verdict, words }: StepTaken): void {
    if (verdict !== 'fenced' && verdict !== 'acknowledged') return;
    this.history.heard(victim!, verdict, node, words);
    if (verdict === 'acknowledged') this.#log(`node ${victim} counts as fenced by the word of ${words}, as node ${node} says`);
  }

  #lifeOf(node: number): number {
    const fenced = this.#aftermath?.lifeOf(node) ?? 0;
    if (fenced !== 0) return fenced;
    return (this.#view?.members.find((member) => member.node === node) ?? this.#gone.get(nodeId(node)))?.incarnation ?? 0;
  }

  #goneSince(node: number): number | null {
    const isMember = this.#view?.members.some((member) => member.node === node) === true;
    return isMember ? null : (this.#gone.get(nodeId(node))?.since ?? performance.now());
  }

  #tellOf(view: View): void {
    const before = new Map(this.#view?.members.map((member) => [member.node, member]));
    for (const { node, name, incarnation: life } of view.members) {
      if (before.get(node)?.incarnation !== life) this.#note({ view: view.id, node, name, change: 'here' });
      before.delete(node);
    }
    for (const { node, name, incarnation: life } of before.values()) {
      this.#gone.set(node, { name, incarnation: life, since: performance.now() });
      this.#note({ view: view.id, node, name, change: view.leftCleanly.includes(node) ? 'left' : 'failed' });
    }
  }

  #note(change: Omit<MemberChange, 'at'>): void {
    this.#log(`view ${change.view}: node ${change.node} (${change.name}) ${changeWords[change.change]}`);
    this.#changes.push({ ...change, at: new Date().toISOString() });
    if (this.#changes.length > changesMax) this.#changes.shift();
  }
}

function linkWord(link: LinkStatus | undefined): MemberInfo['link'] {
  if (link?.isOverfull === true) return 'overfull';
  if (link === undefined || !link.isConnected) return link?.hasOtherKey === true ? 'other key' : 'down';
  return link.isEncrypted ? 'encrypted' : 'plain';
}

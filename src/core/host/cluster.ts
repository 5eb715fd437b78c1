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
import { join } from 'node:path';
import { DlmError } from '../base/errors.js';
import { incarnation, nodeId, type NodeId } from '../base/ids.js';
import type { Effect } from '../node/effect.js';
import { isInspection, isRecoveryMessage } from '../wire/message.js';
import type { Engine, View } from './engine/engine.js';
import { addressByEngine, engineOf, type EngineName, type EtcdPlace } from './engine/engines.js';
import type { Host } from './host.js';
import { LinkSecurity } from './link-security.js';
import { parseNodeAddress, staysHere } from './node-address.js';
import type { Places } from './places.js';
import { RecoveryLog } from './recovery-log.js';
import { keepGeneration, markClustered, type Life } from './state-file.js';
import { Transport, type LinkStatus } from './transport.js';
import type { MemberChange, MemberInfo } from './types.js';

export interface ClusterOptions {
  readonly cluster: string;
  /** Who says who is a member; `local` if not given. */
  readonly engine?: EngineName;
  /** For the engine `etcd`. */
  readonly etcd?: EtcdPlace;
  /** Join others, and do not be the first; false if not given. */
  readonly mustExist?: boolean;
  /** The number this node wants; the lowest free one if not given. */
  readonly node?: number;
  /** How people call it; made of the machine's name and the number if not given. */
  readonly name?: string;
  /** The folder in which clusters of this machine have theirs. */
  readonly base?: string;
  /** Where to be reached, as `tcp:HOST:PORT`; a socket in the node's folder if not given. */
  readonly listen?: string;
  /** Shared by the cluster; needed for links that leave this machine. */
  readonly keys?: readonly Uint8Array[];
  readonly insecure?: boolean;
  /** Its share of the directory. */
  readonly weight?: number;
  /** How much may wait for a member that takes no messages, in bytes; 64 MiB if not given. */
  readonly backlogBytesMax?: number;
}

const changeWords: Readonly<Record<MemberChange['change'], string>> = { here: 'is here', left: 'has left', failed: 'has failed' };

/** How many changes are kept for those who ask later. */
const changesMax = 64;

/** What concerns the cluster, of what a node can ask for. */
export type ClusterEffect = Exclude<Effect, { readonly cookie: unknown } | { kind: 'refuse' }>;

export class Cluster {
  readonly node: NodeId;
  readonly #options: ClusterOptions;
  readonly #places: Places;
  readonly #life: Life;
  readonly #engine: Engine;
  readonly #log: (line: string) => void;
  #transport: Transport | null = null;
  #view: View | null = null;
  readonly #recoveries: RecoveryLog;
  /** The last changes, the newest last. */
  readonly #changes: MemberChange[] = [];

  /** Become a member. Rejects as `Engine.join`, and as `Transport.open`. */
  static async join(given: ClusterOptions, places: Places, life: Life, log: (line: string) => void): Promise<Cluster> {
    const { cluster, base, etcd, mustExist = false } = given;
    const listen = given.listen ?? (await addressByEngine(given.engine ?? 'local'));
    const options = { ...given, ...(listen === null ? {} : { listen }) };
    refuseOpenLinks(options);
    const place = { ...(base === undefined ? {} : { base }), ...(etcd === undefined ? {} : { etcd }) };
    const engine = await engineOf(options.engine ?? 'local', { cluster, ...place, mustExist, places, log });
    const node = await engine.join({
      node: options.node === undefined ? 'auto' : (options.node as NodeId),
      name: options.name ?? `${hostname().split('.')[0]!.slice(0, 40)}-${process.pid}`,
      incarnation: incarnation(life.incarnation),
      address: addressOf(options, places),
      weight: options.weight ?? 0,
    });
    return new Cluster(node, options, places, life, engine, log);
  }

  private constructor(node: NodeId, options: ClusterOptions, places: Places, life: Life, engine: Engine, log: (line: string) => void) {
    this.node = node;
    this.#options = options;
    this.#places = places;
    this.#life = life;
    this.#engine = engine;
    this.#log = log;
    this.#recoveries = new RecoveryLog(log);
  }

  /** Let the node follow the cluster. `lost`: this node is out, and must stop. */
  async begin(host: Host, lost: (why: string) => void): Promise<void> {
    const { cluster, keys, insecure, backlogBytesMax } = this.#options;
    // A dead node may have left its socket; we hold the lock of the folder.
    rmSync(linkSocket(this.#places), { force: true });
    this.#transport = await Transport.open({
      node: this.node,
      incarnation: incarnation(this.#life.incarnation),
      cluster,
      listen: [addressOf(this.#options, this.#places)],
      ...(keys === undefined ? {} : { keys }),
      ...(insecure === undefined ? {} : { insecure }),
      ...(backlogBytesMax === undefined ? {} : { backlogBytesMax }),
      onMessages: (from, messages) => {
        for (const message of messages) {
          if (isInspection(message)) host.everywhere.receive(from, message);
          else host.turn({ kind: 'received', from, message });
          if (isRecoveryMessage(message)) this.#recoveries.look(host.node);
        }
      },
      onOut: (by) => lost(`node ${by} has dropped messages for this node, which had taken none for too long`),
      onTrouble: ({ node, message }) => this.#log(node === null ? message : `node ${node}: ${message}`),
    });
    await markClustered(this.#places);
    this.#engine.follow({
      view: (view) => {
        this.#tellOf(view);
        this.#view = view;
        this.#transport!.setMembers(view.members);
        host.turn({ kind: 'view', view });
        this.#recoveries.look(host.node);
      },
      deadline: () => undefined,
      lost,
    });
  }

  carryOut(effect: ClusterEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#transport?.send(effect.to, effect.message);
        break;
      case 'announce':
        this.#engine.announce(effect.lockspaces);
        break;
      case 'persist':
        keepGeneration(this.#places, this.#life, effect.generation);
        break;
      case 'recovered':
        this.#recoveries.ended(effect.lockspace, effect.generation);
        break;
      default:
    }
  }

  get engine(): EngineName {
    return this.#options.engine ?? 'local';
  }

  get name(): string {
    return this.#options.cluster;
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
    const { keys = [] } = this.#options;
    return keys.length === 0 && (this.#view?.members ?? []).some(({ address }) => !staysHere(parseNodeAddress(address)));
  }

  /** Leave in good order; the others go on without us when they know. */
  async leave(): Promise<void> {
    try {
      await this.#engine.leave();
    } catch (error) {
      if (!(error instanceof DlmError)) throw error;
      this.#log(`the others do not answer: ${error.message}`);
    }
    await this.#transport?.close();
  }

  #tellOf(view: View): void {
    const before = new Map(this.#view?.members.map((member) => [member.node, member]));
    for (const { node, name, incarnation: life } of view.members) {
      if (before.get(node)?.incarnation !== life) this.#note({ view: view.id, node, name, change: 'here' });
      before.delete(node);
    }
    for (const { node, name } of before.values()) {
      this.#note({ view: view.id, node, name, change: view.leftCleanly.includes(node) ? 'left' : 'failed' });
    }
  }

  #note(change: Omit<MemberChange, 'at'>): void {
    this.#log(`view ${change.view}: node ${change.node} (${change.name}) ${changeWords[change.change]}`);
    this.#changes.push({ ...change, at: new Date().toISOString() });
    if (this.#changes.length > changesMax) this.#changes.shift();
  }
}

const linkSocket = ({ run }: Places): string => join(run, 'link.sock');

/** Where the others reach this node. */
function addressOf({ listen }: ClusterOptions, places: Places): string {
  return listen ?? `unix:${linkSocket(places)}`;
}

/** Said before anybody counts us as a member. Throws `DLM_USAGE`. */
function refuseOpenLinks({ listen, keys = [], insecure = false }: ClusterOptions): void {
  if (listen === undefined) return;
  new LinkSecurity({ node: nodeId(1), keys, isInsecure: insecure }).check(parseNodeAddress(listen));
}

function linkWord(link: LinkStatus | undefined): MemberInfo['link'] {
  if (link?.isOverfull === true) return 'overfull';
  if (link === undefined || !link.isConnected) return 'down';
  return link.isEncrypted ? 'encrypted' : 'plain';
}

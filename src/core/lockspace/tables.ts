/**
 * What a lockspace has on this node, and the few things everybody does with it.
 *
 * The rooms of a lockspace share these tables: the verbs of local callers
 * (lockspace.ts), asking a master on another node (request.ts), being asked
 * (receive.ts), being answered (reply.ts), and recovery.
 */
import { generation, lockspaceId, type Generation, type LockspaceId, type NodeId, type ViewId } from '../base/ids.js';
import type { Outlet } from '../base/outbox.js';
import type { Law } from '../lock/law.js';
import type { Lock } from '../lock/lock.js';
import type { Home, Resource } from '../lock/resource.js';
import { Turn, type Callback } from '../lock/turn.js';
import type { LockMessage, RecoveryMessage, Send, Unheeding, Unheeded } from '../wire/message.js';
import { Detours } from './detours.js';
import { Directory } from './directory.js';
import { LockTable } from './lock-table.js';
import { hash, type Members, type Placement } from './members.js';
import type { Numbers } from './numbers.js';
import { Owners } from './owners.js';
import { ResourceTable, nowhere } from './resource-table.js';

export interface LockspaceConfig {
  /** The length of every value block, in bytes. */
  readonly valueLength: number;
  readonly law: Law;
  /** Is the directory node of a name always its master? Then there are no lookups, and every change moves masters. */
  readonly nodir: boolean;
  /** What follows a failure, and in which order: read by cluster/order.ts. The same on all members; not given: `none`. */
  readonly order?: string;
  /** For worlds in which somebody else has chosen. */
  readonly placement?: Placement;
}

/** No message is under way for longer than so many recoveries. */
const pastMax = 1000;

/** By which number messages name a lockspace. Two names may make the same one: a member that has one does not join the other. */
export const lockspaceIdOf = (name: string): LockspaceId => lockspaceId(hash(name));

export class Tables {
  readonly id: LockspaceId;
  readonly turn: Turn;
  readonly resources = new ResourceTable();
  readonly owners = new Owners();
  readonly locks = new LockTable();
  readonly directory = new Directory();
  /** Resources whose master is being looked up, and the locks that wait to know it. */
  readonly lookups = new Map<Resource, Lock[]>();
  readonly detours = new Detours();
  /** Whom this node has told what was given back here without a quorum: nobody may lock again before it is there. */
  readonly toldAlone = new Set<NodeId>();
  /** Resources that came to this node since the last recovery that ended: they may have to be put in order again, or elsewhere. */
  readonly unsettled = new Set<Resource>();
  /** The highest generation this node has heard of. */
  generation: Generation = generation(0);
  #homes = new Map<NodeId, Home>();
  /** Without a directory: the members of each recovery, the latest last. */
  readonly #past: Members[] = [];

  constructor(
    readonly name: string,
    readonly config: LockspaceConfig,
    readonly numbers: Numbers,
    readonly outbox: Outlet<Callback | Send | Unheeded>,
    public members: Members,
  ) {
    this.id = lockspaceIdOf(name);
    this.turn = new Turn(config.law, outbox);
  }

  get self(): NodeId {
    return this.members.self;
  }

  /** The view in which this node stands; every message carries it. */
  get seq(): ViewId {
    return this.members.seq;
  }

  send(to: NodeId, message: LockMessage | RecoveryMessage): void {
    this.outbox.push({ kind: 'send', to, message });
  }

  /** Say that a message leads to nothing. */
  disregard(from: NodeId, message: LockMessage, why: Unheeding): void {
    this.outbox.push({ kind: 'unheeded', from, message, why });
  }

  /** From now on what is new belongs to this generation. */
  enter(next: Generation): void {
    this.generation = next;
    this.#homes.clear();
  }

  homeAt(master: NodeId): Home {
    let home = this.#homes.get(master);
    if (home === undefined) this.#homes.set(master, (home = { master, generation: this.generation }));
    return home;
  }

  /** A recovery begins with these members. */
  setMembers(members: Members): void {
    this.members = members;
    this.detours.clear();
    if (!this.config.nodir) return;
    this.#past.push(members);
    if (this.#past.length > pastMax) this.#past.shift();
  }

  /** Without a directory: has the resource been another's than `master`'s since that view? Then what was said about it is void. */
  hasMovedSince(seq: ViewId, name: string, master: NodeId): boolean {
    return this.#past.length > 0 && this.#past.some((members) => members.seq > seq && members.directoryOf(name) !== master);
  }

  /** The resource of that name, with its master if that can be known without asking. */
  take(name: string): Resource {
    const resource = this.resources.take(name);
    if (resource.home.master === null) this.findHome(resource);
    return resource;
  }

  findHome(resource: Resource): void {
    const directory = this.members.directoryOf(resource.name);
    if (directory !== this.self) {
      if (this.config.nodir) resource.home = this.homeAt(directory);
      return;
    }
    const entry = this.directory.get(resource.name);
    if (entry === null) this.becomeMaster(resource, this.numbers.nextMastership());
    else resource.home = this.homeAt(entry.master);
  }

  becomeMaster(resource: Resource, mastership: number): void {
    resource.beginTokens(mastership, this.homeAt(this.self));
  }

  isMasterOf(resource: Resource): boolean {
    return resource.home.master === this.self;
  }

  /** Nobody knows any more who its master is. */
  loseHome(resource: Resource): void {
    resource.home = nowhere;
  }

  /** The lock is over: nobody finds it any more. */
  forget(lock: Lock): void {
    this.locks.remove(lock);
    if (this.turn.toldEarly.size > 0) this.turn.toldEarly.delete(lock);
    if (lock.copy !== 'master') this.owners.remove(lock);
    this.retire(lock.resource);
  }

  /** Was that the last lock of the resource? */
  retire(resource: Resource): void {
    if (resource.isIdle && !this.#hasGhost(resource)) this.resources.retire(resource, this.turn.now, !this.members.isAlone);
  }

  /** By the kernel's law an orphan that stands in no queue still holds on to its resource. */
  #hasGhost(resource: Resource): boolean {
    if (this.config.law.waitingOrphanEnds) return false;
    return [...this.owners.orphans.keys()].some((orphan) => orphan.resource === resource);
  }
}

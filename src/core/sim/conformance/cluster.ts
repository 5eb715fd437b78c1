/**
 * The nodes of a recording, and what its operators did to them.
 *
 * A network that never fails carries the messages in the order in which they were
 * sent, until nothing is under way; or only when it is told to, after a step in
 * haste. Views are given to all nodes at once: the recordings were made with a
 * cluster manager that stops all, changes the members on all, and starts all.
 */
import type { Lkid, OwnerId } from '../../base/ids.js';
import type { Effect } from '../../node/effect.js';
import type { Input, JoinLockspace } from '../../node/input.js';
import type { LockspaceDump } from '../../node/snapshot.js';
import { Ensemble } from '../ensemble.js';

export const lockspace = 'conformance';

/** How many messages one step may lead to before we say that it never ends. */
const lettersMax = 100_000;

export class Cluster {
  readonly #ensemble: Ensemble;
  readonly #config: JoinLockspace['config'];
  #isQuorate = true;

  /** Nodes 1 to `count`; all but the latecomers have joined the lockspace. */
  constructor(
    count: number,
    latecomers: ReadonlySet<number>,
    config: JoinLockspace['config'],
    observe: (node: number, effect: Effect) => void,
  ) {
    this.#config = config;
    this.#ensemble = new Ensemble({ effect: observe });
    for (let id = 1; id <= count; id += 1) this.#ensemble.start(id);
    for (const id of this.#ensemble.players.keys()) if (!latecomers.has(id)) this.#joinLockspace(id);
    this.#newView();
  }

  /** How many views there have been: the number of the present one. */
  get view(): number {
    return this.#ensemble.viewCount;
  }

  has(id: number): boolean {
    return this.#ensemble.players.get(id)?.node.hasLockspace(lockspace) === true;
  }

  isRunning(id: number): boolean {
    return this.#ensemble.player(id).node.stack(lockspace)?.isRunning === true;
  }

  /** One input for one node. What it wants to say to others is under way afterwards. */
  step(id: number, input: Input): Effect[] {
    return this.#ensemble.step(id, input);
  }

  /** Deliver until nothing is under way. */
  settle(): void {
    for (let delivered = 0; ; delivered += 1) {
      if (delivered > lettersMax) throw new Error('the messages do not come to an end');
      const [oldest] = this.#ensemble.heads();
      if (oldest === undefined) return;
      this.#ensemble.deliver(oldest);
    }
  }

  kill(ids: readonly number[]): void {
    for (const id of ids) this.#ensemble.crash(id);
    this.#newView();
  }

  /** Its locks have been released before. */
  leave(id: number): void {
    this.step(id, { kind: 'leaveLockspace', lockspace, force: true });
    this.#newView();
  }

  join(ids: readonly number[]): void {
    for (const id of ids) {
      if (!this.#ensemble.players.has(id)) this.#ensemble.start(id);
      this.#joinLockspace(id);
    }
    this.#newView();
  }

  suspend(): void {
    this.#isQuorate = false;
    this.#newView();
  }

  resume(): void {
    this.#isQuorate = true;
    this.#newView();
  }

  /** The id of a lock whose call has returned, by the cookie given with it; null: it has ended. */
  idOf(id: number, owner: OwnerId, cookie: unknown): Lkid | null {
    return this.#ensemble.player(id).node.held(owner, lockspace).find((lock) => lock.cookie === cookie)?.lkid ?? null;
  }

  /** Is the resource mastered on another node than this one, as far as this one knows? */
  isElsewhere(id: number, resource: string): boolean {
    const [found] = this.#ensemble.player(id).node.dump(lockspace, resource)?.resources ?? [];
    return found !== undefined && found.master !== id;
  }

  dumps(): Map<number, LockspaceDump> {
    const dumps = new Map<number, LockspaceDump>();
    for (const [id, { node }] of this.#ensemble.players) {
      const dump = node.dump(lockspace);
      if (dump !== null) dumps.set(id, dump);
    }
    return dumps;
  }

  #joinLockspace(id: number): void {
    this.step(id, { kind: 'joinLockspace', lockspace, config: this.#config });
  }

  #newView(): void {
    this.#ensemble.decide(this.#isQuorate);
    for (const id of this.#ensemble.players.keys()) this.#ensemble.tell(id);
    this.settle();
  }
}

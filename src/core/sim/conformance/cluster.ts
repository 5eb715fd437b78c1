/**
 * The nodes of a recording, and what its operators did to them.
 *
 * A network that never fails carries the messages in the order in which they were
 * sent, until nothing is under way; or only when it is told to, after a step in
 * haste. Views are given to all nodes at once: the recordings were made with a
 * cluster manager that stops all, changes the members on all, and starts all.
 */
import { generation, incarnation, millis, nodeId, viewId, type Lkid, type OwnerId } from '../../base/ids.js';
import type { Effect } from '../../node/effect.js';
import type { Input, JoinLockspace, ViewInput } from '../../node/input.js';
import { DlmNode } from '../../node/node.js';
import type { LockspaceDump } from '../../node/snapshot.js';
import type { Message } from '../../wire/message.js';

type View = ViewInput['view'];

interface Player {
  readonly node: DlmNode;
  readonly incarnation: number;
  lockspaces: ReadonlyMap<string, number>;
}

interface Letter {
  readonly from: number;
  readonly to: number;
  /** The life of the addressee that it is for. */
  readonly life: number | null;
  readonly message: Message;
}

export const lockspace = 'conformance';

/** How many messages one step may lead to before we say that it never ends. */
const lettersMax = 100_000;

export class Cluster {
  readonly #players = new Map<number, Player>();
  readonly #config: JoinLockspace['config'];
  readonly #observe: (node: number, effect: Effect) => void;
  #letters: Letter[] = [];
  #viewCount = 0;
  #lives = 0;
  #isQuorate = true;

  /** Nodes 1 to `count`; all but the latecomers have joined the lockspace. */
  constructor(
    count: number,
    latecomers: ReadonlySet<number>,
    config: JoinLockspace['config'],
    observe: (node: number, effect: Effect) => void,
  ) {
    this.#config = config;
    this.#observe = observe;
    for (let id = 1; id <= count; id += 1) this.#start(id);
    for (const id of this.#players.keys()) if (!latecomers.has(id)) this.#joinLockspace(id);
    this.#newView();
  }

  /** How many views there have been: the number of the present one. */
  get view(): number {
    return this.#viewCount;
  }

  has(id: number): boolean {
    return this.#players.get(id)?.node.hasLockspace(lockspace) === true;
  }

  isRunning(id: number): boolean {
    return this.#player(id).node.stack(lockspace)?.isRunning === true;
  }

  /** One input for one node. What it wants to say to others is under way afterwards. */
  step(id: number, input: Input): Effect[] {
    const player = this.#player(id);
    const effects = player.node.step(millis(0), input);
    for (const effect of effects) {
      if (effect.kind === 'send') this.#post(id, effect.to, effect.message);
      else if (effect.kind === 'announce') player.lockspaces = effect.lockspaces;
      this.#observe(id, effect);
    }
    return effects;
  }

  /** Deliver until nothing is under way. */
  settle(): void {
    for (let delivered = 0; this.#letters.length > 0; delivered += 1) {
      if (delivered > lettersMax) throw new Error('the messages do not come to an end');
      const { from, to, life, message } = this.#letters.shift()!;
      if (this.#players.has(from) && this.#players.get(to)?.incarnation === life) {
        this.step(to, { kind: 'received', from: nodeId(from), message });
      }
    }
  }

  kill(ids: readonly number[]): void {
    for (const id of ids) this.#players.delete(id);
    this.#newView();
  }

  /** Its locks have been released before. */
  leave(id: number): void {
    this.step(id, { kind: 'leaveLockspace', lockspace, force: true });
    this.#newView();
  }

  join(ids: readonly number[]): void {
    for (const id of ids) {
      if (!this.#players.has(id)) this.#start(id);
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
    return this.#player(id).node.held(owner, lockspace).find((lock) => lock.cookie === cookie)?.lkid ?? null;
  }

  /** Is the resource mastered on another node than this one, as far as this one knows? */
  isElsewhere(id: number, resource: string): boolean {
    const [found] = this.#player(id).node.dump(lockspace, resource)?.resources ?? [];
    return found !== undefined && found.master !== id;
  }

  dumps(): Map<number, LockspaceDump> {
    const dumps = new Map<number, LockspaceDump>();
    for (const [id, { node }] of this.#players) {
      const dump = node.dump(lockspace);
      if (dump !== null) dumps.set(id, dump);
    }
    return dumps;
  }

  #player(id: number): Player {
    const player = this.#players.get(id);
    if (player === undefined) throw new SyntaxError(`there is no node ${id}`);
    return player;
  }

  #start(id: number): void {
    this.#lives += 1;
    const life = this.#lives;
    const node = new DlmNode({ self: nodeId(id), incarnation: incarnation(life), hasEngine: true, generation: generation(0) });
    this.#players.set(id, { node, incarnation: life, lockspaces: new Map() });
  }

  #joinLockspace(id: number): void {
    this.step(id, { kind: 'joinLockspace', lockspace, config: this.#config });
  }

  #post(from: number, to: number, message: Message): void {
    const life = this.#players.get(to)?.incarnation ?? null;
    this.#letters.push({ from, to, life, message: copyOf(message) });
  }

  #newView(): void {
    this.#viewCount += 1;
    const members = [...this.#players]
      .sort(([one], [other]) => one - other)
      .map(([id, { incarnation: life, lockspaces }]) => {
        return { node: nodeId(id), incarnation: incarnation(life), name: `n${id}`, address: '', weight: 0, lockspaces };
      });
    const view: View = { id: viewId(this.#viewCount), isQuorate: this.#isQuorate, members, leftCleanly: [] };
    for (const id of this.#players.keys()) this.step(id, { kind: 'view', view });
    this.settle();
  }
}

/** What goes over a wire shares no bytes with whoever sent it. */
function copyOf(message: Message): Message {
  if (message.kind === 'rebuildLocks') {
    return { ...message, locks: message.locks.map((lock) => ({ ...lock, value: lock.value?.slice() ?? null })) };
  }
  return 'value' in message ? { ...message, value: message.value?.slice() ?? null } : { ...message };
}

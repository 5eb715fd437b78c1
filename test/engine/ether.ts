/**
 * What corosync is to the members of a group, in one process and without a clock: parts
 * of hosts that hear one another, in each of them one order of everything, and a ring
 * with a number that rises. The members are real `ProcessGroup`s.
 *
 * When a part breaks, what was under way reaches some of its pieces and not others, but
 * within a piece all or nobody, as corosync has it.
 */
import { ProcessGroup, type Outcome } from '../../src/core/host/engine/corosync-group.js';
import { reasonOf, type Address } from '../../src/core/host/engine/corosync-library.js';
import { protocolVersion, type Entry, type Message } from '../../src/core/host/engine/corosync-protocol.js';

export const stopMillis = 1_000;
export const marginMillis = 500;

/** A member, with the part of the engine that only it can know. */
export class Player {
  readonly group: ProcessGroup;
  readonly views: Entry[] = [];
  /** The numbers of the views that its node is told of; those without quorum are negative. */
  readonly told: number[] = [];
  readonly life: string;
  lockspaces: readonly (readonly [string, number])[] = [];
  isLeaving = false;
  outFor: string | null = null;
  refusedFor: string | null = null;
  hasLeft = false;
  /** It says nothing and hears nothing until it is woken. */
  isFrozen = false;
  beats = 0;
  lastStand = '';

  constructor(
    readonly node: number,
    readonly pid: number,
    readonly incarnation: number,
  ) {
    this.life = `life ${pid}`;
    this.group = new ProcessGroup({ self: this, life: this.life, stopMillis, marginMillis });
  }

  get isOver(): boolean {
    return this.hasLeft || this.outFor !== null || this.refusedFor !== null;
  }

  get last(): Entry | null {
    return this.group.last;
  }

  stand(isQuorate: boolean): Message {
    const { node, pid, life, incarnation, lockspaces, isLeaving, last } = this;
    const who = { node, pid, life, incarnation, name: `n${node}`, address: '', weight: 0, lockspaces, stopMillis };
    const name = last === null ? null : { id: last.id, maker: last.maker };
    return { say: 'stand', version: protocolVersion, epoch: this.group.epoch, ...who, isLeaving, isQuorate, isStopped: this.group.isStopped, last: name };
  }

  heed(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      if (this.isOver) return;
      if (outcome.kind === 'view') this.#take(outcome.entry);
      else if (outcome.kind === 'stop') this.told.push(-outcome.entry.id - 1);
      else if (outcome.kind === 'left') this.hasLeft = true;
      else if (outcome.kind === 'out') this.outFor = outcome.reason;
      else if (outcome.kind === 'refused') this.refusedFor = outcome.refusal.code;
    }
  }

  /** For want of quorum it stops at once and by itself. */
  stop(): void {
    this.heed(this.group.stop());
  }

  #take(entry: Entry): void {
    this.views.push(entry);
    this.told.push(entry.id);
  }
}

interface Letter {
  readonly from: Player;
  readonly message: Message;
}

interface Part {
  readonly nodes: readonly number[];
  readonly seq: number;
  isQuorate: boolean;
  queue: Letter[];
}

export class Ether {
  now = 0;
  wall = 1_000_000;
  readonly everybody: Player[] = [];
  parts: Part[];
  #seq = 4;
  #pids = 100;

  /** `hasQuorum`: of a part with these nodes. */
  constructor(
    readonly nodes: readonly number[],
    readonly hasQuorum = (part: readonly number[]): boolean => 2 * part.length > nodes.length,
  ) {
    this.parts = [{ nodes, seq: this.#seq, isQuorate: this.hasQuorum(nodes), queue: [] }];
  }

  /** A process on that host enters the group. */
  enter(node: number): Player {
    this.#pids += 1;
    const player = new Player(node, this.#pids, this.#pids);
    this.everybody.push(player);
    const part = this.#partOf(player);
    player.group.ringIs({ node: part.nodes[0]!, seq: part.seq });
    this.#changed(part, []);
    return player;
  }

  /** Its process ends, which corosync sees at once. */
  end(player: Player): void {
    const part = this.#partOf(player);
    this.#drop(player);
    this.#changed(part, [{ node: player.node, pid: player.pid, reason: reasonOf.procdown }]);
  }

  /** The hosts hear one another in these parts from now on; `isHeard`: does this piece still hear what was under way? */
  divide(pieces: readonly (readonly number[])[], isHeard: (piece: readonly number[]) => boolean = () => true): void {
    const before = new Map(this.everybody.map((player) => [player, this.#here(this.#partOf(player))]));
    for (const part of this.parts) {
      const letters = part.queue;
      part.queue = [];
      for (const piece of pieces) if (isHeard(piece)) this.#deliver(letters, (player) => part.nodes.includes(player.node) && piece.includes(player.node));
    }
    this.#seq += 4;
    this.parts = pieces.map((nodes) => ({ nodes, seq: this.#seq, isQuorate: this.hasQuorum(nodes), queue: [] }));
    for (const player of [...this.everybody]) {
      const part = this.#partOf(player);
      const now = this.#here(part);
      const gone = before.get(player)!.filter((other) => !now.includes(other));
      player.group.membersAre(this.now, now.map(addressOf), gone.map((other) => ({ ...addressOf(other), reason: reasonOf.nodedown })));
      player.group.ringIs({ node: part.nodes[0]!, seq: part.seq });
      if (!part.isQuorate) player.stop();
    }
  }

  /** Everybody says what is to be said, and hears it, until nothing more is said. */
  settle(): void {
    for (let turn = 0; turn < 200; turn += 1) if (!this.turn()) return;
    throw new Error('it never settles');
  }

  /** Once. False: nothing was said. */
  turn(): boolean {
    this.speak();
    if (this.parts.every(({ queue }) => queue.length === 0)) return false;
    for (const part of this.parts) this.#deliver(part.queue.splice(0), (player) => part.nodes.includes(player.node));
    return true;
  }

  get isViewUnderWay(): boolean {
    return this.parts.some(({ queue }) => queue.some(({ message }) => message.say === 'view'));
  }

  /** Go on until a view has been said and not heard. */
  untilViewUnderWay(): void {
    this.speak();
    while (!this.isViewUnderWay) {
      if (!this.turn()) throw new Error('no view is made');
      this.speak();
    }
  }

  /** What is to be said is said, and not heard yet. */
  speak(): void {
    for (const player of this.everybody) this.#speak(player);
  }

  /** Time goes by, with a beat of everybody now and then. */
  pass(millis: number): void {
    const end = this.now + millis;
    while (this.now < end) {
      this.now = Math.min(end, this.now + 100);
      this.wall += 100;
      for (const player of this.everybody) {
        if (player.isFrozen) continue;
        player.beats += 1;
        this.#partOf(player).queue.push({ from: player, message: { say: 'beat', count: player.beats } });
      }
      this.settle();
    }
  }

  #speak(player: Player): void {
    if (player.isFrozen || !this.everybody.includes(player)) return;
    const part = this.#partOf(player);
    const stand = player.stand(part.isQuorate);
    const text = JSON.stringify(stand);
    if (text !== player.lastStand) part.queue.push({ from: player, message: stand });
    player.lastStand = text;
    this.wall += 1;
    const { say } = player.group.steps({ now: this.now, wall: this.wall });
    for (const message of say) part.queue.push({ from: player, message });
  }

  #deliver(letters: readonly Letter[], isMeant: (player: Player) => boolean): void {
    for (const { from, message } of letters) {
      for (const player of [...this.everybody]) {
        if (!isMeant(player) || player.isFrozen) continue;
        player.heed(player.group.hear(this.now, from, message));
      }
    }
    for (const player of this.everybody.filter(({ isOver }) => isOver)) {
      const part = this.#partOf(player);
      this.#drop(player);
      this.#changed(part, [{ node: player.node, pid: player.pid, reason: reasonOf.leave }]);
    }
  }

  #changed(part: Part, left: readonly (Address & { reason: number })[]): void {
    const here = this.#here(part);
    for (const player of here) player.group.membersAre(this.now, here.map(addressOf), left);
  }

  #here(part: Part): Player[] {
    return this.everybody.filter(({ node }) => part.nodes.includes(node));
  }

  #partOf({ node }: Player): Part {
    return this.parts.find(({ nodes }) => nodes.includes(node))!;
  }

  #drop(player: Player): void {
    this.everybody.splice(this.everybody.indexOf(player), 1);
  }
}

function addressOf({ node, pid }: Player): Address {
  return { node, pid };
}

/**
 * The questions a phase of recovery sends to others, and what is to be done with the
 * answers. A phase has ended on this node when none is out any more.
 *
 * Work for another node is sent in batches, so that a message stays short and a
 * million locks are not one piece. Only so many are out to a node at once, and the next
 * follows an answer: otherwise all of it would wait for the node's acknowledgement, which
 * would then count as one that leaves too much unacknowledged (wire/session.ts).
 */
import type { NodeId } from '../base/ids.js';

/** How many names or locks go into one message. */
export const batchSize = 1000;

/** How many batches may be out to one node. */
export const outMax = 8;

interface Question {
  readonly node: NodeId;
  readonly heed: (answer: never) => void;
}

export class Errands {
  readonly #out = new Map<number, Question>();
  /** To each node: how many are out, and what follows. */
  readonly #counts = new Map<NodeId, number>();
  readonly #waiting = new Map<NodeId, (() => void)[]>();
  #lastBatch = 0;

  /** What waits comes after what is out. */
  get areDone(): boolean {
    return this.#out.size === 0;
  }

  /** Ask a node: `send` is given a number for the question, now or when others have been answered; `heed` is given the answer. */
  ask<Answer>(node: NodeId, send: (batch: number) => void, heed: (answer: Answer) => void): void {
    const count = this.#counts.get(node) ?? 0;
    if (count >= outMax) {
      const waiting = this.#waiting.get(node) ?? [];
      waiting.push(() => this.ask(node, send, heed));
      this.#waiting.set(node, waiting);
      return;
    }
    this.#counts.set(node, count + 1);
    this.#lastBatch += 1;
    this.#out.set(this.#lastBatch, { node, heed });
    send(this.#lastBatch);
  }

  /** The answer has come. */
  end(batch: number, answer: unknown): void {
    const question = this.#out.get(batch);
    if (question === undefined) return;
    const { node, heed } = question;
    this.#out.delete(batch);
    this.#counts.set(node, this.#counts.get(node)! - 1);
    heed(answer as never);
    this.#waiting.get(node)?.shift()?.();
  }

  forgetAll(): void {
    this.#out.clear();
    this.#counts.clear();
    this.#waiting.clear();
  }
}

/** What is for whom. */
export class ByNode<Item> {
  readonly #lists = new Map<NodeId, Item[]>();

  add(node: NodeId, item: Item): void {
    const list = this.#lists.get(node);
    if (list === undefined) this.#lists.set(node, [item]);
    else list.push(item);
  }

  /** In the order of the nodes, in pieces of at most `batchSize`. */
  *batches(): Generator<[NodeId, Item[]]> {
    for (const node of [...this.#lists.keys()].sort((one, other) => one - other)) {
      const list = this.#lists.get(node)!;
      for (let start = 0; start < list.length; start += batchSize) yield [node, list.slice(start, start + batchSize)];
    }
  }
}

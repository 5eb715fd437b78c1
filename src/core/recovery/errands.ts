/**
 * The questions a phase of recovery sends to others, and what is to be done with the
 * answers. A phase has ended on this node when none is out any more.
 *
 * Work for another node is sent in batches, so that a message stays short and a
 * million locks are not one piece.
 */
import type { NodeId } from '../base/ids.js';

/** How many names or locks go into one message. */
export const batchSize = 1000;

export class Errands {
  readonly #out = new Map<number, (answer: never) => void>();
  #lastBatch = 0;

  get areDone(): boolean {
    return this.#out.size === 0;
  }

  /** A number for the question; `heed` is called with its answer. */
  begin<Answer>(heed: (answer: Answer) => void): number {
    this.#lastBatch += 1;
    this.#out.set(this.#lastBatch, heed);
    return this.#lastBatch;
  }

  /** The answer has come. */
  end(batch: number, answer: unknown): void {
    const heed = this.#out.get(batch);
    this.#out.delete(batch);
    heed?.(answer as never);
  }

  forgetAll(): void {
    this.#out.clear();
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

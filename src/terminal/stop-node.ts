/**
 * Stopping a node that runs in the foreground, by signals.
 *
 * The first asks: with nothing held the node leaves, otherwise it drains. The
 * second does not ask.
 */
import type { LockInfo, ServedNode } from '../core/index.js';
import { isDlmError } from './report.js';

export class NodeStop {
  readonly #served: ServedNode;
  readonly #tellHolders: (holders: LockInfo[]) => void;
  #asked = 0;

  constructor(served: ServedNode, tellHolders: (holders: LockInfo[]) => void) {
    this.#served = served;
    this.#tellHolders = tellHolders;
  }

  /** A signal has come. What became of it shows in `left`. */
  async ask(): Promise<void> {
    this.#asked += 1;
    if (this.#asked > 1) return this.#served.leave({ force: true });
    try {
      await this.#served.leave();
    } catch (error) {
      if (!isDlmError(error, 'DLM_NODE_IN_USE')) throw error;
      this.#tellHolders(await this.#served.client.locks());
      await this.#served.leave({ drain: true });
    }
  }
}

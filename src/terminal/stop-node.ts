/**
 * Stopping a node that runs in the foreground, by signals.
 *
 * The first asks: with nothing held the node leaves, otherwise it drains. With an
 * application attached it stays as it was. The second does not ask.
 */
import type { ServedNode } from '../core/index.js';
import { describeLocks } from './describe.js';
import { isDlmError } from './report.js';

export class NodeStop {
  readonly #served: ServedNode;
  readonly #say: (words: string) => void;
  #asked = 0;

  constructor(served: ServedNode, say: (words: string) => void) {
    this.#served = served;
    this.#say = say;
  }

  /** A signal has come. What became of it shows in `left`. */
  async ask(): Promise<void> {
    this.#asked += 1;
    try {
      if (this.#asked > 1) await this.#served.leave({ force: true });
      else await this.#leaveOrDrain();
    } catch (error) {
      this.#say(`the node cannot leave: ${(error as Error).message}`);
    }
  }

  async #leaveOrDrain(): Promise<void> {
    try {
      await this.#served.leave();
    } catch (error) {
      if (!isDlmError(error, 'DLM_NODE_IN_USE')) throw error;
      const { applications } = this.#served;
      if (applications.length > 0) {
        this.#say(`the node stays: an application is attached to lockspace ${applications.join(', ')}; end it first, or send a second signal: then it is killed, and the node counts as failed`);
        return;
      }
      const lines = describeLocks(await this.#served.client.locks(), 'resource');
      this.#say(['locks are held; the node takes no new ones and stops when they have ended, or at a second signal', ...lines].join('\n  '));
      await this.#served.leave({ drain: true });
    }
  }
}

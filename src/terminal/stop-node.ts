/**
 * Stopping a node that runs in the foreground, by signals.
 *
 * The first asks: with nothing held the node leaves, otherwise it drains, until it has
 * left or a second one comes, which does not ask. With an application attached the node
 * stays as it was, and nothing that goes on would remind anybody of the first signal; so a
 * second one forces only if it comes soon, and with the same applications attached.
 * Later it is a first one: a service manager that asks once a day must not kill on the
 * second day what it was refused on the first.
 */
import type { ServedNode } from '../core/index.js';
import { fateOfValues, inTheWayOfLeaving } from './anchor.js';
import { describeLocks } from './describe.js';
import { isDlmError } from './report.js';

/** How long after a refusal a signal counts as the second one. */
export const secondSignalMillis = 10_000;

export class NodeStop {
  readonly #served: ServedNode;
  readonly #say: (words: string) => void;
  readonly #now: () => number;
  /** A signal was heeded, and the node leaves, drains or is being forced: the next one forces, whenever it comes. */
  #isUnderWay = false;
  #refusal: { readonly at: number; readonly applications: string } | null = null;

  /** `now`: milliseconds on a clock that does not jump. */
  constructor(served: ServedNode, say: (words: string) => void, now: () => number = () => performance.now()) {
    this.#served = served;
    this.#say = say;
    this.#now = now;
  }

  /** A signal has come. What became of it shows in `left`. */
  async ask(): Promise<void> {
    const isSecond = this.#isUnderWay || this.#isSoon();
    this.#isUnderWay = true;
    try {
      if (isSecond) await this.#served.leave({ force: true });
      else await this.#leaveOrDrain();
    } catch (error) {
      if (isDlmError(error, 'DLM_NODE_IN_USE') && this.#served.applications.length > 0) return this.#stay();
      // What force could not do may be asked for again; after anything else the next signal is the second one.
      if (isSecond) this.#isUnderWay = false;
      this.#say(`the node cannot leave: ${(error as Error).message}`);
    }
  }

  /** After a refusal, and to the same end? */
  #isSoon(): boolean {
    const refusal = this.#refusal;
    return refusal !== null && this.#now() - refusal.at <= secondSignalMillis && refusal.applications === this.#applications;
  }

  get #applications(): string {
    return this.#served.applications.join(', ');
  }

  async #leaveOrDrain(): Promise<void> {
    const values = await fateOfValues(this.#served.client);
    await this.#leaveInGoodOrder();
    for (const words of values) this.#say(words);
  }

  async #leaveInGoodOrder(): Promise<void> {
    try {
      await this.#served.leave();
    } catch (error) {
      if (isDlmError(error, 'DLM_NO_NODE')) return this.#drainWithOthers();
      if (!isDlmError(error, 'DLM_NODE_IN_USE') || this.#served.applications.length > 0) throw error;
      const { client } = this.#served;
      const lines = describeLocks(inTheWayOfLeaving(await client.locks(), await client.status()), 'resource');
      this.#say(['locks are held; the node takes no new ones and stops when they have ended, or at a second signal', ...lines].join('\n  '));
      await this.#served.leave({ drain: true });
    }
  }

  /** Somebody has it drain, and may call that off; a signal is not called off. */
  async #drainWithOthers(): Promise<void> {
    this.#say('the node is leaving already, as soon as the locks that are held have ended; a second signal does not wait for them');
    await this.#served.leave({ drain: true });
  }

  #stay(): void {
    this.#isUnderWay = false;
    this.#refusal = { at: this.#now(), applications: this.#applications };
    this.#say(`the node stays: an application is attached to lockspace ${this.#applications}; end it first, or send a second signal within ${secondSignalMillis / 1000} s: then it is killed, and the node counts as failed`);
  }
}

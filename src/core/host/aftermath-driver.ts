/**
 * What follows a failure, as far as it happens outside of the node: failed nodes are
 * fenced, and this one ends as failed if it must.
 *
 * The node asks by effects and is answered by inputs. Nothing is decided here, and no
 * answer is made up: a way to fence that fails, hangs or is called off is told as what
 * it is.
 */
import type { AftermathEffect } from '../node/effect.js';
import type { FenceHistory } from './fence-history.js';
import type { FenceMethods, FenceOutcome } from './fence-methods.js';
import type { Host } from './host.js';

type Fence = Extract<AftermathEffect, { kind: 'fence' }>;
type CancelFence = Extract<AftermathEffect, { kind: 'cancelFence' }>;

export interface DriverParts {
  readonly host: Host;
  readonly methods: FenceMethods;
  readonly history: FenceHistory;
  readonly log: (line: string) => void;
  /** This node must end, as failed. */
  readonly giveUp: (reason: string) => void;
}

export class AftermathDriver {
  readonly #parts: DriverParts;
  /** What runs, by victim. */
  readonly #running = new Map<number, { readonly life: number; readonly abort: AbortController }>();

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  /** The life of a node that is being fenced; 0: none is. */
  lifeOf(victim: number): number {
    return this.#running.get(victim)?.life ?? 0;
  }

  fence({ victim, incarnation, attempt }: Fence): void {
    const { methods, log } = this.#parts;
    const abort = new AbortController();
    this.#running.get(victim)?.abort.abort();
    this.#running.set(victim, { life: incarnation, abort });
    log(`node ${victim} is being fenced, attempt ${attempt}`);
    void methods.fence(victim, { signal: abort.signal }).then((outcome) => this.#ended(victim, incarnation, abort, outcome));
  }

  cancel({ victim, incarnation }: Pick<CancelFence, 'victim' | 'incarnation'>): void {
    const running = this.#running.get(victim);
    if (running?.life !== incarnation) return;
    this.#running.delete(victim);
    running.abort.abort();
  }

  giveUp(reason: string): void {
    this.#parts.log(`this node has failed: ${reason}`);
    this.#parts.giveUp(reason);
  }

  /** The node is over: what runs is called off. */
  async close(): Promise<void> {
    for (const { abort } of this.#running.values()) abort.abort();
    this.#running.clear();
    await this.#parts.methods.close();
  }

  #ended(victim: Fence['victim'], life: Fence['incarnation'], abort: AbortController, outcome: FenceOutcome): void {
    const { host, history, log } = this.#parts;
    history.outcome(outcome);
    const isFenced = outcome.result === 'fenced';
    log(`node ${victim} ${wordsFor(outcome)} after ${Math.round(outcome.millis)} ms`);
    if (this.#running.get(victim)?.abort === abort) this.#running.delete(victim);
    else if (!isFenced) return;
    // Called off, and it has fenced the node all the same: the attempt that runs now would hit the next life.
    else this.cancel({ victim, incarnation: life });
    host.turn({ kind: 'fenceResult', victim, incarnation: life, isFenced, words: isFenced ? howFenced(outcome) : outcome.reason });
  }
}

/** By which device; by which way of ours, where there is no device. */
export function howFenced({ by, attempts }: FenceOutcome): string {
  return by === 'fence_all' ? (attempts.at(-1)?.agent ?? by) : (by ?? '');
}

function wordsFor(outcome: FenceOutcome): string {
  const { result, isAssumed, isVerified, reason } = outcome;
  if (result !== 'fenced') return `${result === 'cancelled' ? 'is no longer to be fenced' : 'could not be fenced'}: ${reason}`;
  const how = isAssumed ? ', as is assumed' : isVerified ? ', and that was seen' : ', by the word of its device';
  return `is fenced by ${howFenced(outcome)}${how}: ${reason}`;
}

/**
 * L7: whoever leaves a lockspace is soon out of it, for everybody: no view has that join
 * in it any more, the node itself has nothing of the lockspace, and nobody keeps a lock
 * of a node that is not in it.
 */
import type { Decided, Life, Quiet, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

export class Leaving implements Checker {
  readonly property = 'leaving';
  readonly says = 'L7 a leave ends';
  readonly counts = { left: 0, joinedAgain: 0, judged: 0 };
  /** Of each life, the lockspaces it has left, and which of its joins that was; null: no view had it in yet. */
  readonly #left = new Map<string, { readonly life: Life; readonly lockspace: string; readonly join: number | null }>();
  /** Where it has joined since. */
  readonly #isIn = new Set<string>();
  #joins: Decided['joins'] = new Map();

  see(event: SimEvent): void {
    if (event.kind === 'decided') this.#joins = event.joins;
    else if (event.kind === 'left') this.#leave(event.life, event.lockspace);
    else if (event.kind === 'joined') this.#join(`${event.life}/${event.lockspace}`);
    else if (event.kind === 'quiet') this.#judge(event);
  }

  #leave(life: Life, lockspace: string): void {
    const key = `${life}/${lockspace}`;
    this.counts.left += 1;
    this.#isIn.delete(key);
    this.#left.set(key, { life, lockspace, join: this.#joins.get(life)?.get(lockspace) ?? null });
  }

  #join(key: string): void {
    this.#isIn.add(key);
    if (this.#left.has(key)) this.counts.joinedAgain += 1;
  }

  #judge({ audits }: Quiet): void {
    for (const [key, { life, lockspace, join }] of this.#left) {
      const shown = this.#joins.get(life)?.get(lockspace);
      this.counts.judged += 1;
      if (shown !== undefined && (shown === join || !this.#isIn.has(key))) this.#complain(life, lockspace, 'the view still has it in');
      const audit = audits.find((one) => one.life === life && one.lockspace === lockspace);
      if (audit !== undefined && !this.#isIn.has(key)) this.#complain(life, lockspace, 'it has not let go of it');
    }
  }

  #complain(life: Life, lockspace: string, what: string): never {
    throw new Violation(this.property, `life ${life} has left ${lockspace}, and ${what}`, [lockspace, 'view']);
  }
}

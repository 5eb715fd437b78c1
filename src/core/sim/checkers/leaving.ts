/**
 * L7: whoever leaves a lockspace is soon out of it, for everybody: the views that come do
 * not have that join in them, and the node itself has nothing of the lockspace.
 *
 * That nobody keeps a lock of a node which is not in the lockspace, orphans.ts says.
 */
import type { Millis } from '../../base/ids.js';
import type { Decided, Joined, Life, Quiet, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

interface Leave {
  readonly at: Millis;
  readonly life: Life;
  readonly lockspace: string;
  /** Which of its joins that was; null: no view had it in yet. */
  readonly join: number | null;
}

/** After so long no view may be decided that has it in. */
const patienceMillis = 50;

export class Leaving implements Checker {
  readonly property = 'leaving';
  readonly says = 'L7 a leave ends';
  readonly counts = { left: 0, joinedAgain: 0, judged: 0 };
  /** The latest leave of each life from each lockspace. */
  readonly #left = new Map<string, Leave>();
  /** Where it has joined since. */
  readonly #isIn = new Set<string>();
  #joins: Decided['joins'] = new Map();

  see(event: SimEvent): void {
    if (event.kind === 'decided') this.#follow(event);
    else if (event.kind === 'left') this.#leave(event);
    else if (event.kind === 'joined') this.#join(`${event.life}/${event.lockspace}`);
    else if (event.kind === 'quiet') this.#judge(event);
  }

  #follow({ at, joins, gone }: Decided): void {
    this.#joins = joins;
    for (const [key, { at: since, life, lockspace, join }] of this.#left) {
      if (gone.includes(life)) this.#left.delete(key);
      else if (at > since + patienceMillis && joins.has(life)) this.#judgeView(life, lockspace, join);
    }
  }

  #leave({ at, life, lockspace }: Joined): void {
    const key = `${life}/${lockspace}`;
    this.counts.left += 1;
    this.#isIn.delete(key);
    this.#left.set(key, { at, life, lockspace, join: this.#joins.get(life)?.get(lockspace) ?? null });
  }

  #join(key: string): void {
    this.#isIn.add(key);
    if (this.#left.has(key)) this.counts.joinedAgain += 1;
  }

  #judgeView(life: Life, lockspace: string, join: number | null): void {
    const shown = this.#joins.get(life)?.get(lockspace);
    const isIn = this.#isIn.has(`${life}/${lockspace}`);
    this.counts.judged += 1;
    if (shown !== undefined && (shown === join || !isIn)) this.#complain(life, lockspace, 'a later view still has it in');
  }

  #judge({ audits }: Quiet): void {
    for (const [key, { life, lockspace, join }] of this.#left) {
      this.#judgeView(life, lockspace, join);
      const audit = audits.find((one) => one.life === life && one.lockspace === lockspace);
      if (audit !== undefined && !this.#isIn.has(key)) this.#complain(life, lockspace, 'it has not let go of it');
    }
  }

  #complain(life: Life, lockspace: string, what: string): never {
    throw new Violation(this.property, `life ${life} has left ${lockspace}, and ${what}`, [lockspace, 'view']);
  }
}

/**
 * All checkers together: each is shown every event, those that ask how things stood
 * before it first.
 */
import { defaultLaw, type Law } from '../../lock/law.js';
import { parseOrder, type Order } from '../../node/snapshot.js';
import { noAftermath, type AftermathOptions } from '../aftermath-options.js';
import type { SimEvent } from '../event.js';
import type { Checker } from './checker.js';
import { Bypass } from './bypass.js';
import { Claims } from './claims.js';
import { Conversions } from './conversions.js';
import { Deadlocks } from './deadlocks.js';
import { Departed } from './departed.js';
import { Directory } from './directory.js';
import { Epochs } from './epochs.js';
import { Exclusion } from './exclusion.js';
import { Failures } from './failures.js';
import { Fairness } from './fairness.js';
import { FencingRight } from './fencing.js';
import { Holdings } from './holdings.js';
import { Hygiene } from './hygiene.js';
import { Leaving } from './leaving.js';
import { Leftovers } from './leftovers.js';
import { Masters } from './masters.js';
import { Notices } from './notices.js';
import { OrderKept } from './order.js';
import { Orphans } from './orphans.js';
import { Pairing } from './pairing.js';
import { Progress } from './progress.js';
import { Quorum } from './quorum.js';
import { Recovering } from './recovering.js';
import { Recoveries } from './recoveries.js';
import { Rejoining } from './rejoining.js';
import { Resumption } from './resumption.js';
import { SelfStop } from './self-stop.js';
import { Tokens } from './tokens.js';
import { ValueBlock } from './value-block.js';
import { Zombies } from './zombies.js';

export class Panel {
  readonly claims = new Claims();
  readonly failures = new Failures();
  readonly #before: readonly Checker[];
  readonly #after: readonly Checker[];

  /** By which law the locks of this world are granted, and what follows failures there. */
  constructor(law: Law = defaultLaw, aftermath: Pick<AftermathOptions, 'order' | 'stopMillis'> = noAftermath) {
    const { claims, failures } = this;
    const order = parseOrder(aftermath.order) as Order;
    this.#before = [
      new Hygiene(),
      new Departed(claims, failures, order),
      new Quorum(claims, failures),
      new SelfStop(claims, aftermath.stopMillis !== null),
      new Zombies(),
      new Pairing(claims, law),
      new Conversions(claims),
      new Tokens(claims),
      new Fairness(claims, law.orderSurvives),
      new Bypass(claims, law.orderSurvives),
      new ValueBlock(claims, failures),
    ];
    this.#after = [
      new Exclusion(claims),
      new Leaving(),
      new Recoveries(),
      new Recovering(),
      new Masters(),
      new Directory(),
      new Orphans(claims),
      new Holdings(),
      new Notices(claims),
      new Progress(claims),
      new Deadlocks(claims),
      new Leftovers(),
      new Epochs(),
      new OrderKept(failures, order),
      new FencingRight(failures),
      new Resumption(order.steps.has('resume')),
      new Rejoining(failures),
    ];
  }

  see(event: SimEvent): void {
    this.failures.see(event);
    for (const checker of this.#before) checker.see(event);
    this.claims.see(event);
    for (const checker of this.#after) checker.see(event);
  }

  /** What each property says, with its letters. */
  says(): Record<string, string> {
    return Object.fromEntries([...this.#before, ...this.#after].map(({ property, says }) => [property, says]));
  }

  /** How often each property was at stake, by property and kind. */
  counts(): Record<string, Readonly<Record<string, number>>> {
    return Object.fromEntries([...this.#before, ...this.#after].map(({ property, counts }) => [property, counts]));
  }
}

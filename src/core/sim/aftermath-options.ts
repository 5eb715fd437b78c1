/**
 * What follows failures in a world: the order of its lockspaces, fencing and its agents,
 * applications and how they behave, the shared disk. Drawn for a seed, to be printed.
 *
 * Half of all worlds have none of it: fast, and hard on the locks alone.
 */
import type { Prng } from '../base/prng.js';

/** How a fence agent ends: off; in vain; after a time that nobody likes; it says off and has done nothing. */
export type AgentEnd = 'off' | 'vain' | 'hang' | 'lie';

export interface FencingOptions {
  /** Of each node, how long it waits before it acts. */
  readonly delayMillis: readonly number[];
  readonly postJoinMillis: number;
  readonly retryMillis: number;
  /** Are all nodes fenced that are not there at the beginning? */
  readonly hasStartup: boolean;
  /** The longest time that an agent takes. */
  readonly agentMillis: number;
  /** How often each end, beside the others. */
  readonly ends: Readonly<Record<AgentEnd, number>>;
}

export interface ApplicationOptions {
  /** Of a thousand joins, how many come with an application. */
  readonly attachedPerMille: number;
  /** By when it must have suspended; how long it takes at most; how long to put a slot in order. */
  readonly suspendMillis: number;
  readonly suspendingMillis: number;
  readonly recoverMillis: number;
  readonly resumeMillis: number;
  /** Of a thousand times, how often it is not done. */
  readonly missPerMille: number;
  readonly failPerMille: number;
}

export interface AftermathOptions {
  readonly order: string;
  /** Null: nobody is fenced. */
  readonly fencing: FencingOptions | null;
  /** Null: no lockspace has one. */
  readonly application: ApplicationOptions | null;
  /** Do owners write to a shared disk? */
  readonly hasDisk: boolean;
  /** After how long without a word from the engine a node stops by itself; null: it does not know of such a time. */
  readonly stopMillis: number | null;
  /** Is a life that is left out told a view without a quorum, if it can be told? */
  readonly hasFarewell: boolean;
}

export const noAftermath: AftermathOptions = { order: 'none', fencing: null, application: null, hasDisk: false, stopMillis: null, hasFarewell: false };

const orders = [
  ['none', 2],
  ['fence-first', 3],
  ['gfs', 5],
  ['suspend<dlm fence<dlm dlm<app app<resume', 2],
  ['fence<app app<dlm', 1],
] as const;

/** `detectMillis`: after how long the others count a node as gone. */
export function drawAftermath(prng: Prng, nodes: number, detectMillis: number): AftermathOptions {
  if (nodes === 1 || prng.chance(500)) return noAftermath;
  const order = prng.weighted(orders);
  const hasApp = order.includes('app') || order === 'gfs';
  return {
    order,
    fencing: order !== 'none' || prng.chance(500) ? drawFencing(prng, nodes) : null,
    application: hasApp ? drawApplication(prng, order.includes('app<dlm')) : null,
    hasDisk: prng.chance(800),
    stopMillis: prng.chance(400) ? Math.floor((detectMillis * prng.between(300, 800)) / 1000) : null,
    hasFarewell: prng.chance(500),
  };
}

function drawFencing(prng: Prng, nodes: number): FencingOptions {
  const isEven = prng.chance(600);
  return {
    delayMillis: Array.from({ length: nodes }, () => (isEven ? 0 : prng.between(0, 800))),
    postJoinMillis: prng.pick([0, 0, 500, 2500]),
    retryMillis: prng.pick([50, 300, 1500]),
    hasStartup: prng.chance(400),
    agentMillis: prng.pick([5, 100, 1000, 3000]),
    ends: { off: 6, vain: prng.pick([0, 2, 6]), hang: prng.pick([0, 0, 1]), lie: prng.pick([0, 0, 6, 12]) },
  };
}

/** Where nothing is locked before applications have done their part, every node has one. */
function drawApplication(prng: Prng, isNeeded: boolean): ApplicationOptions {
  const suspendMillis = prng.between(300, 3000);
  return {
    attachedPerMille: isNeeded ? 1000 : prng.pick([1000, 1000, 700]),
    suspendMillis,
    suspendingMillis: Math.floor((suspendMillis * prng.between(10, 600)) / 1000),
    recoverMillis: prng.pick([5, 100, 1500]),
    resumeMillis: prng.pick([0, 20, 300]),
    missPerMille: prng.pick([0, 0, 30, 150]),
    failPerMille: prng.pick([0, 100, 400]),
  };
}

/**
 * Did it happen in the order that was asked for?
 *
 * Asked of a record of one recovery, where each step is told as it begins and as it
 * ends, on every node and about every failed member. It is written without regard to
 * how recovery works, so that it can find it wrong.
 *
 * Of `resume` only the end is told. A newer failure begins all of it again: whatever had ended for the earlier ones must
 * end for the new one as well, before what waits for it may begin.
 */
import type { NodeId } from '../base/ids.js';
import { steps, type Order, type Step } from './order.js';

export interface StepEvent {
  readonly step: Step;
  readonly state: 'begun' | 'ended' | 'failed';
  /** On which node. */
  readonly node: NodeId;
  /** The member that failed, of a step about one member (fence, app); null: about all. */
  readonly victim: NodeId | null;
}

/** What a recovery was about, as one node has seen it. */
export interface TraceScope {
  /** Whose trace it is; that the others have resumed it does not hear. */
  readonly self: NodeId;
  /** All who had to take part. */
  readonly members: readonly NodeId[];
  /** Who failed. */
  readonly victims: readonly NodeId[];
  /** Of these, whose application alone had died, and was seen to have ended: there is nobody to fence. */
  readonly lived: readonly NodeId[];
  /** Of the victims, whose data had to be put in order. */
  readonly toRecover: readonly NodeId[];
}

/** Each deviation in words, the earliest first; none: all was in order. `events`: as they happened. */
export function checkTrace(order: Order, scope: TraceScope, events: readonly StepEvent[]): string[] {
  const problems: string[] = [];
  const ended = new Map<Step, Set<string>>(steps.map((step) => [step, new Set()]));
  for (const event of events) {
    const { step, state, node } = event;
    if (!order.steps.has(step)) problems.push(`${step} on node ${node}: this order has no such step`);
    else if (state === 'begun') problems.push(...early(order, scope, ended, event));
    if (state === 'ended') {
      if (step === 'resume') problems.push(...early(order, scope, ended, event));
      ended.get(step)!.add(keyOf(event));
    }
  }
  for (const step of order.steps) {
    const missing = missingOf(step, scope, ended.get(step)!, step, null);
    if (missing !== null) problems.push(`${step} has not ended ${missing}`);
  }
  return problems;
}

/** What had to end before this one. */
function early(order: Order, scope: TraceScope, ended: ReadonlyMap<Step, ReadonlySet<string>>, { step, node, victim }: StepEvent): string[] {
  return [...order.before.get(step)!].flatMap((earlier) => {
    const missing = missingOf(earlier, scope, ended.get(earlier)!, step, victim);
    return missing === null ? [] : [`${step} began on node ${node}${about(victim)} before ${earlier} had ended ${missing}`];
  });
}

const about = (victim: NodeId | null): string => (victim === null ? '' : ` for node ${victim}`);

/** Fencing and application recovery are done by one for all; the others by each for himself. */
const isAboutVictims = (step: Step): boolean => step === 'fence' || step === 'app';

function keyOf({ step, node, victim }: StepEvent): string {
  return isAboutVictims(step) ? `${victim}` : `${node}`;
}

/** Whose part of a step is missing, as a phrase. A victim's data waits for the fencing of that one alone. */
function missingOf(step: Step, scope: TraceScope, ended: ReadonlySet<string>, later: Step, victim: NodeId | null): string | null {
  const all = step === 'fence' ? scope.victims : step === 'app' ? scope.toRecover : step === 'resume' ? [scope.self] : scope.members;
  const needed = step === 'fence' && later === 'app' && victim !== null ? [victim] : all;
  const missing = needed.find((node) => !ended.has(`${node}`) && !(step === 'fence' && scope.lived.includes(node)));
  if (missing === undefined) return null;
  return isAboutVictims(step) ? `for node ${missing}` : `on node ${missing}`;
}

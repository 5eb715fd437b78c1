/**
 * What became of a case, as a step of what follows a failure.
 */
import type { NodeId, ViewId } from '../base/ids.js';
import type { CaseEvent } from '../cluster/fencing.js';
import type { StepTaken } from './effect.js';

/** Fencing as a step; null: nothing has begun or ended. */
export function stepOf({ case: one, change }: CaseEvent, view: ViewId, self: NodeId): StepTaken | null {
  if (change === 'opened') return null;
  const [state, verdict] = change === 'closed' ? (['ended', one.verdict] as const) : ([change, null] as const);
  return { kind: 'step', lockspace: null, view, step: 'fence', state, node: one.by ?? self, victim: one.victim, words: one.words, verdict };
}

/**
 * Why a node refuses what it is told: the rules that are no law of locks, by name.
 */
import type { BadOrder, Order } from '../cluster/order.js';
import type { Rule } from '../lock/flags.js';

export const notJoined: Rule = { name: 'lockspace-joined', text: 'this node has not joined that lockspace' };
export const stillLeaving: Rule = { name: 'failure-shown', text: 'this node has left that lockspace as failed, and no view has shown that yet' };
export const stillMember: Rule = { name: 'victim-is-out', text: 'that node is a member; a member must not be taken for fenced' };
export const noCase: Rule = { name: 'victim-failed', text: 'no failure of that node is waiting to be dealt with' };
export const stillLocked: Rule = { name: 'lockspace-empty', text: 'the lockspace still has locks' };

/** Messages to one would reach the other. Null: no other one that is joined has that number. */
export function sameNumberRule(other: { readonly name: string } | undefined): Rule | null {
  if (other === undefined) return null;
  return { name: 'lockspace-number-free', text: `its name makes the same number as that of lockspace '${other.name}', which this node has joined, and by that number nodes tell lockspaces apart` };
}

/** Why a lockspace with that order cannot be joined here; null: it can. */
export function brokenOrderRule(order: Order | BadOrder, canFence: boolean): Rule | null {
  if ('problem' in order) return { name: 'order-sound', text: order.problem };
  if (order.steps.has('fence') && !canFence) {
    return { name: 'order-can-be-kept', text: 'this order has the step fence, and fencing is switched off or has no method here' };
  }
  return null;
}

/** The others take the lockspace to be otherwise. */
export function misfitRule(ours: readonly string[], theirs: readonly string[]): Rule {
  const only = (some: readonly string[], others: readonly string[]): string => some.filter((term) => !others.includes(term)).join(' ') || 'nothing more';
  const text = `the other members have this lockspace with ${only(theirs, ours)}, and here it was joined with ${only(ours, theirs)}`;
  return { name: 'lockspace-agreed', text };
}

/**
 * A small number for every member, which it keeps as long as it is one; and the
 * generation that the recovery makes.
 *
 * The coordinator gives both out when everybody has stopped. A slot that somebody
 * brings is his, unless another brings the same: then the member with the lower
 * number keeps it. A newcomer gets the lowest that is free, and free is not what a failed
 * member has left to be recovered.
 *
 * Kin: member.c dlm_slots_assign().
 */
import { generation, slot, type Generation, type NodeId, type ViewId } from '../base/ids.js';
import type { MemberReport, MemberSlot, PendingSlot } from '../wire/message.js';

export function assignSlots(reports: ReadonlyMap<NodeId, MemberReport>, pending: readonly PendingSlot[]): MemberSlot[] {
  const reserved = new Set<number | null>(pending.map((left) => left.slot));
  const nodes = [...reports.keys()].sort((one, other) => one - other);
  const taken = new Map<number, NodeId>();
  for (const node of nodes) {
    const brought = reports.get(node)!.slot;
    if (brought !== null && !taken.has(brought) && !reserved.has(brought)) taken.set(brought, node);
  }
  const kept = new Set(taken.values());
  let free = 1;
  for (const node of nodes) {
    if (kept.has(node)) continue;
    while (taken.has(free) || reserved.has(free)) free += 1;
    taken.set(free, node);
  }
  return [...taken]
    .map(([number, node]) => {
      const { hasApplication, hasResumed } = reports.get(node)!;
      return { node, slot: slot(number), hasApplication, hasResumed };
    })
    .sort((one, other) => one.node - other.node);
}

/**
 * Greater than whatever anybody has heard of, and at least the number of the view: of
 * those who have heard of the last generation, nobody may be left.
 */
export function nextGeneration(reports: ReadonlyMap<NodeId, MemberReport>, view: ViewId): Generation {
  let highest: number = view - 1;
  for (const report of reports.values()) highest = Math.max(highest, report.generation);
  return generation(highest + 1);
}

/** How the lockspace is: as the member with the lowest slot says, and if nobody has one the lowest member. */
export function termsOf(reports: ReadonlyMap<NodeId, MemberReport>): readonly string[] {
  const rank = ([node, report]: [NodeId, MemberReport]): number => report.slot ?? 2 ** 32 + node;
  const [first] = [...reports].sort((one, other) => rank(one) - rank(other));
  return first![1].terms;
}

/**
 * On the coordinator: which slots still have to be put in order by an application, and
 * who is to do it.
 *
 * It follows from the reports of all members, so that nothing is lost with any of them:
 * whoever knows of a slot that is pending reports it, and whoever knows one to be done
 * does, which is stronger. What becomes of it is the affair of application/recovery-work.ts.
 *
 * Kin: gfs_controld; gfs2 first mounter.
 */
import type { NodeId, ViewId } from '../base/ids.js';
import type { MemberReport, MemberSlot, PendingSlot } from '../wire/message.js';

const isSame = (one: PendingSlot, other: PendingSlot): boolean => one.slot === other.slot && one.since === other.since;

/**
 * What is pending, the earliest failure first. The first application in a lockspace of which nobody knows whether its
 * slots were left in good order has all of them looked at.
 */
export function pendingOf(reports: ReadonlyMap<NodeId, MemberReport>, seq: ViewId): PendingSlot[] {
  const done = [...reports.values()].flatMap(({ recovered }) => recovered);
  const pending: PendingSlot[] = [];
  for (const [teller, report] of reports) {
    for (const one of report.pending) {
      if (done.some((other) => isSame(one, other))) continue;
      const at = pending.findIndex((other) => isSame(one, other));
      if (at < 0) pending.push(one);
      else if (knowsMore(teller, one, pending[at]!)) pending[at] = one;
    }
  }
  const all = [...reports.values()];
  const isFirst = all.some(({ hasApplication }) => hasApplication) && !all.some(({ isInitialized }) => isInitialized);
  if (isFirst) pending.push({ slot: null, victim: null, since: seq, by: null, tries: 0 });
  return pending.sort((one, other) => one.since - other.since || (one.slot ?? 0) - (other.slot ?? 0));
}

/**
 * Who has tried it and failed is known to some earlier than to others. Whose turn it is may be known to him alone, who
 * has begun perhaps: his word counts, whoever else was asked before, maybe a life of his node that is gone.
 */
function knowsMore(teller: NodeId, one: PendingSlot, other: PendingSlot): boolean {
  if (one.tries !== other.tries) return one.tries > other.tries;
  return one.by === teller || (other.by === null && one.by !== null);
}

/** Give what is pending to those who can do it; who has it already keeps it. */
export function assignWork(pending: readonly PendingSlot[], slots: readonly MemberSlot[]): PendingSlot[] {
  const able = slots.filter(({ hasApplication }) => hasApplication).map(({ node }): NodeId => node);
  return pending.map((one) => (one.by !== null && able.includes(one.by) ? one : { ...one, by: able[0] ?? null }));
}


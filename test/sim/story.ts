/**
 * Stories for checkers: events in short, told one after the other.
 *
 * Lives 1 and 2 are members from the beginning. What a step leaves out is the usual.
 */
import { generation, lkid, millis, nodeId, ownerId, viewId } from '../../src/core/base/ids.js';
import type { Slot } from '../../src/core/base/ids.js';
import { defaultLaw } from '../../src/core/lock/law.js';
import type { Mode, ModeOrNone } from '../../src/core/lock/mode.js';
import type { Audit, LockAudit } from '../../src/core/sim/audit.js';
import { Panel } from '../../src/core/sim/checkers/panel.js';
import { noAftermath, type AftermathOptions } from '../../src/core/sim/aftermath-options.js';
import type { Adopted, ApplicationChanged, Blocked, Completed, Fenced, Heard, Replay, SimEvent, StepTold, Submitted, Wrote } from '../../src/core/sim/event.js';

const at = millis(0);

export const asks = (life: number, claim: number, operation: Submitted['operation'], mode: ModeOrNone, more: Partial<Submitted> = {}): Submitted => ({
  kind: 'submitted', at, life, claim, operation, mode, lockspace: 'L', resource: 'R', owner: ownerId(life * 10), flags: 0, value: null, ...more,
});

export const ends = (life: number, claim: number, status: Completed['status'], mode: ModeOrNone, more: Partial<Completed> = {}): Completed => ({
  kind: 'completed', at, life, claim, lkid: lkid(claim), status, mode, results: 0, value: null, generation: generation(1), mastership: 1, sequence: claim, ...more,
});

export const waits = (life: number, claim: number): SimEvent => ({ kind: 'waits', at, life, claim, lkid: lkid(claim) });
export const queues = (life: number, claim: number): SimEvent => ({ kind: 'queued', at, life, claim });
export const blocks = (life: number, claim: number, mode: Mode): Blocked => ({ kind: 'blocked', at, life, claim, mode });
export const adopts = (life: number, claim: number, orphan: number, mode: Mode): Adopted => ({ kind: 'adopted', at, life, claim, orphan, mode });

export const abandons = (life: number, orphans: readonly number[], ended: readonly number[]): SimEvent => ({
  kind: 'abandoned', at, life, why: 'ownerEnded', orphans, ended,
});

export const leavesBehind = (life: number, claim: number, mode: Mode): SimEvent => ({ kind: 'leftBehind', at, life, claim, mode });

/** A view in which all members are in the lockspace, by their first join if not said otherwise. */
export const decides = (view: number, members: readonly number[], gone: readonly number[] = [], join = 1): SimEvent =>
  decidesJoins(view, Object.fromEntries(members.map((life) => [life, join])), members, gone);

/** A view in which these lives are in the lockspace, each by that join. */
export const decidesJoins = (view: number, joinOf: Readonly<Record<number, number>>, members: readonly number[] = [1, 2], gone: readonly number[] = []): SimEvent => ({
  kind: 'decided', at, view: viewId(view), members, gone, left: [],
  joins: new Map(Object.entries(joinOf).map(([life, join]) => [Number(life), new Map([['L', join]])])),
});

export const joins = (life: number): SimEvent => ({ kind: 'joined', at, life, lockspace: 'L' });
export const leaves = (life: number): SimEvent => ({ kind: 'left', at, life, lockspace: 'L' });
export const heard = (life: number, sender: number, more: Partial<Heard> = {}): Heard => ({
  kind: 'heard', at, life, sender, lockspace: 'L', view: viewId(1), isOfRecovery: false, hasEffect: true, ...more,
});

export const hears = (life: number, view: number): SimEvent => ({ kind: 'viewed', at, life, view: viewId(view), isQuorate: true });
export const recovers = (life: number): SimEvent => ({ kind: 'recovered', at, life, lockspace: 'L', generation: generation(1) });

/** A lock of a node, as an audit sees it. */
export const held = (node: number, id: number, granted: ModeOrNone, more: Partial<LockAudit> = {}): LockAudit => ({
  resource: 'R', lkid: lkid(id), holder: nodeId(node), holderLkid: lkid(id), owner: ownerId(node * 10), isOrphan: false, granted, requested: -1, ...more,
});

export const audit = (life: number, more: Partial<Audit> = {}): Audit => ({
  life, node: nodeId(life), lockspace: 'L', isOpen: true, isSuspended: false, hasApplication: false, pendingSlots: 0, openCases: 0, resources: [], own: [], mastered: [], directory: new Map(), entryCount: 0, ...more,
});

export const quiet = (audits: readonly Audit[], isDrained = false): SimEvent => ({ kind: 'quiet', at, audits, isDrained, outsiders: [] });

/** Granted at once. */
export const holds = (life: number, claim: number, mode: Mode, more: Partial<Submitted> = {}, end: Partial<Completed> = {}): SimEvent[] => [
  asks(life, claim, 'lock', mode, more),
  ends(life, claim, 'OK', mode, end),
];

export const starts = (life: number, node = life): SimEvent => ({ kind: 'started', at, life, node: nodeId(node) });
export const silent = (life: number): SimEvent => ({ kind: 'silent', at, life });
export const application = (life: number, state: ApplicationChanged['state']): SimEvent => ({ kind: 'application', at, life, lockspace: 'L', state });

/** Life and node of the victim have one number. */
export const fences = (life: number, victim: number, state: Fenced['state'], more: Partial<Fenced> = {}): Fenced => ({
  kind: 'fenced', at, life, victim: nodeId(victim), victimLife: victim, isStartup: false, state, ...more,
});

export const replays = (life: number, victim: number, since: number, state: Replay['state']): Replay => ({
  kind: 'replay', at, life, lockspace: 'L', slot: 1 as Slot, victim: nodeId(victim), since: viewId(since), state,
});

export const takes = (life: number, step: StepTold['step'], state: StepTold['state'], view: number): StepTold => ({
  kind: 'step', at, life, lockspace: 'L', view: viewId(view), step, state, node: nodeId(life), victim: null,
});

export const writes = (life: number, claim: number, isTaken = true): Wrote => ({
  kind: 'wrote', at, life, claim, lockspace: 'L', resource: 'R', generation: generation(1), mastership: 1, sequence: claim, isTaken,
});

/** Tell it. Returns the property that is broken, and by what words; null: none. */
export function tell(...steps: readonly (SimEvent | SimEvent[])[]): { property: string; message: string } | null {
  return tellOf(noAftermath, ...steps);
}

/** Tell it of a world where that follows failures. */
export function tellOf(aftermath: Pick<AftermathOptions, 'order' | 'stopMillis'>, ...steps: readonly (SimEvent | SimEvent[])[]): { property: string; message: string } | null {
  const panel = new Panel(defaultLaw, aftermath);
  try {
    for (const event of [decides(1, [1, 2]), hears(1, 1), hears(2, 1), recovers(1), recovers(2), ...steps.flat()]) panel.see(event);
  } catch (thrown) {
    return thrown as { property: string; message: string };
  }
  return null;
}

/**
 * What each lockspace waits for, and what is known about the failed: for people and
 * programs that look. Everything returned is a copy.
 */
import { nameOf } from '../node/snapshot.js';
import type { Host } from './host.js';
import type { Rung } from '../node/snapshot.js';
import type { RecoveryRecord } from './recovery-record.js';

export interface LockspaceRecovery {
  readonly lockspace: string;
  readonly order: string;
  readonly standing: string;
  readonly generation: number;
  /** The rung of the ladder it waits on; null: it waits for nothing. */
  readonly rung: Rung | null;
  /** The nodes whose turn it is. */
  readonly waitsFor: readonly number[];
  /** Why, in words; empty if it waits for nothing. */
  readonly words: string;
}

/** A node that has failed, and what has been done about it. */
export interface CaseInfo {
  readonly node: number;
  readonly name: string;
  readonly incarnation: number;
  /** The view that shows the failure. */
  readonly since: number;
  readonly lockspaces: readonly string[];
  readonly verdict: string;
  /** Who fences it, or has; null: nobody is left who could. */
  readonly by: number | null;
  readonly attempts: number;
  readonly words: string;
}

export interface RecoveryStatus {
  readonly node: number;
  readonly quorate: boolean;
  /** Does any lockspace wait? */
  readonly isWaiting: boolean;
  /** How failed nodes are fenced; null: this node is alone. */
  readonly fencing: { readonly isOn: boolean; readonly words: string } | null;
  readonly cases: readonly CaseInfo[];
  readonly lockspaces: readonly LockspaceRecovery[];
  /** Recoveries that go on, as far as they are. */
  readonly current: readonly RecoveryRecord[];
}

export function recoveryStatus(host: Host): RecoveryStatus {
  const { cluster, node } = host;
  const lockspaces = node.lockspaceNames().map((name) => lockspaceRecovery(host, name));
  return {
    node: host.self,
    quorate: cluster?.view?.isQuorate ?? true,
    isWaiting: lockspaces.some(({ rung }) => rung !== null),
    fencing: cluster === null ? null : { isOn: cluster.fencing.isOn, words: cluster.fencingWords },
    cases: casesOf(host),
    lockspaces,
    current: cluster?.records.current(node) ?? [],
  };
}

function lockspaceRecovery({ node, cluster }: Host, name: string): LockspaceRecovery {
  const stack = node.stack(name)!;
  const standstill = node.standstill(name);
  return {
    lockspace: name,
    order: nameOf(stack.aftermath.order),
    standing: stack.standing,
    generation: stack.lockspace.tables.generation,
    rung: standstill?.rung ?? null,
    waitsFor: [...(standstill?.waitsFor ?? [])],
    words: standstill === null ? '' : [standstill.words, ...refused(cluster, standstill.waitsFor)].join('; '),
  };
}

/** Who of those it waits for cannot be heard, because of a key. */
function refused(cluster: Host['cluster'], waitsFor: readonly number[]): string[] {
  const mute = (cluster?.members() ?? []).filter(({ node, link }) => link === 'other key' && waitsFor.includes(node));
  return mute.map(({ node }) => `the handshake with node ${node} is refused, since it and this node have no key in common`);
}

export function casesOf({ node }: Host): CaseInfo[] {
  return node.fencing.cases().map((one) => ({
    node: one.victim,
    name: one.name,
    incarnation: one.incarnation,
    since: one.since,
    lockspaces: one.lockspaces,
    verdict: one.verdict,
    by: one.verdict === 'open' ? node.fencing.actorOf(one) : one.by,
    attempts: one.attempts,
    words: one.words,
  }));
}

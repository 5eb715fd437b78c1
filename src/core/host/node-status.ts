/**
 * How a node is, in the words of `NodeStatus`: what every kind of node knows of
 * itself, with what only its surroundings know put in.
 */
import { readFileSync } from 'node:fs';
import type { Host } from './host.js';
import { summaries, summary } from './inspect.js';
import { commandOf } from './process-facts.js';
import type { NodeStatus } from './types.js';
import type { ProcessWatch } from './watch.js';

/** `lockspace`: the one that the asker wants to hear of, of all that the node has joined; null: all. */
export function statusOf(
  host: Host,
  watch: ProcessWatch,
  around: Pick<NodeStatus, 'start' | 'socket' | 'sessions' | 'leaving'>,
  lockspace: string | null,
): NodeStatus {
  return {
    node: host.self,
    incarnation: host.incarnation,
    engine: host.cluster?.engine ?? 'local',
    ...around,
    pid: process.pid,
    version: ownVersion(),
    uptimeMillis: host.now(),
    quorate: host.cluster?.view?.isQuorate ?? true,
    members: host.cluster?.members().map(({ node }) => node) ?? [host.self],
    cluster: clusterOf(host),
    waitingFor: Array.from(watch.survivors, ({ pid }) => ({ pid, command: commandOf(pid) })),
    lockspaces: lockspace === null ? summaries(host) : host.node.hasLockspace(lockspace) ? [summary(host, lockspace)] : [],
  };
}

function clusterOf({ cluster }: Host): NodeStatus['cluster'] {
  if (cluster === null) return null;
  return { name: cluster.name, view: cluster.view?.id ?? 0, members: cluster.members(), changes: [...cluster.changes], fencing: cluster.fencingWords, isFencing: cluster.fencing.isOn, insecure: cluster.isInsecure };
}

/** What package.json says; empty if there is none, as in a bundle. */
export function ownVersion(): string {
  try {
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    return String((JSON.parse(text) as { version?: unknown }).version ?? '');
  } catch {
    return '';
  }
}

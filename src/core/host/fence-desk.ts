/**
 * Fencing on an operator's word: by hand, or by his saying that it is done.
 *
 * His word counts as much as a device's, and ends a wait that nothing else would end; so
 * it is refused for a member, and kept with who said it, why, and what was known then.
 */
import { DlmError } from '../base/errors.js';
import { nodeId } from '../base/ids.js';
import type { Cluster } from './cluster.js';
import type { FenceLevel, FenceOutcome } from './fence-methods.js';
import { howFenced } from './aftermath-driver.js';
import type { Host } from './host.js';
import { nameOfKnown } from './known-node.js';
import { casesOf, type CaseInfo } from './recovery-status.js';

/** Throws `DLM_NO_CLUSTER`. */
export function needCluster({ cluster }: Host): Cluster {
  if (cluster === null) throw new DlmError('DLM_NO_CLUSTER', 'this node is alone: there is nobody to recover from, and nobody to fence');
  return cluster;
}

/** The cases that this closes. Throws `DLM_STILL_MEMBER` or `DLM_NO_RECORD`. */
export function acknowledge(host: Host, node: number, by: string, reason: string): CaseInfo[] {
  const cluster = needCluster(host);
  const open = openCasesOf(host, node);
  const refusal = host.turn({ kind: 'fenceAck', victim: nodeId(node), words: `${by}: ${reason}` });
  if (refusal?.rule?.name === 'victim-is-out') throw new DlmError('DLM_STILL_MEMBER', `node ${node} is a member, and must not be taken for fenced`);
  if (refusal !== null) throw new DlmError('DLM_NO_RECORD', `no failure of node ${node} is waiting to be dealt with`, 'see who has failed with: dlm recover status');
  cluster.history.ack(node, by, reason, open.map(evidenceOf).join('; '));
  cluster.log(`node ${node} counts as fenced by the word of ${by}: ${reason}`);
  return open;
}

function evidenceOf({ incarnation, since, attempts, words }: CaseInfo): string {
  const tried = attempts === 0 ? 'nothing had been tried' : `${attempts} attempt${attempts === 1 ? '' : 's'} in vain, the last one: ${words}`;
  return `incarnation ${incarnation}, missing since view ${since}; ${tried}`;
}

/** How it would be done. Throws `DLM_USAGE` for a node that nobody has ever heard of. */
export function levelsFor(host: Host, node: number): { node: number; levels: readonly FenceLevel[] } {
  const cluster = needCluster(host);
  nameOfKnown(host, cluster, node);
  return { node, levels: cluster.methods.methodsFor(node) };
}

/** Fence it now, whatever it is. Throws `DLM_USAGE` for this node itself, and for one that nobody has ever heard of. */
export async function fenceByHand(host: Host, node: number, signal: AbortSignal): Promise<FenceOutcome> {
  const cluster = needCluster(host);
  if (node === host.self) throw new DlmError('DLM_USAGE', 'a node does not fence itself', 'leave with: dlm node leave --force');
  nameOfKnown(host, cluster, node);
  const open = openCasesOf(host, node);
  const outcome = await cluster.methods.fence(node, { signal });
  cluster.history.outcome(outcome);
  if (outcome.result !== 'fenced') return outcome;
  for (const { incarnation } of host.node.fencing.cases().filter((one) => open.some((known) => known.node === one.victim && known.incarnation === one.incarnation))) {
    host.turn({ kind: 'fenceResult', victim: nodeId(node), incarnation, isFenced: true, words: `by hand, ${howFenced(outcome)}` });
  }
  return outcome;
}

const openCasesOf = (host: Host, node: number): CaseInfo[] => casesOf(host).filter((one) => one.node === node && one.verdict === 'open');

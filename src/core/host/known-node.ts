/**
 * Has there ever been a node of this number, as far as this one can tell? Asked before
 * anything is said or done about a node that is no member.
 *
 * Known is a member, and who was one in this node's life; whom somebody misses; whom the
 * configuration of fencing names; and whom a record that is kept here names, so that a
 * node that was started anew does not take for a stranger whom it has recovered from.
 */
import { DlmError } from '../base/errors.js';
import type { Cluster } from './cluster.js';
import type { Host } from './host.js';

/** How it is called. Throws `DLM_USAGE` if nobody has ever heard of it. */
export function nameOfKnown({ node: core }: Host, cluster: Cluster, node: number): string {
  const name = cluster.nameOf(node) ?? core.fencing.cases().find(({ victim }) => victim === node)?.name;
  if (name !== undefined) return name;
  if (cluster.methods.nodes.includes(node) || cluster.records.tellOf(node)) return `node-${node}`;
  throw new DlmError('DLM_USAGE', `no node ${node} is known here: it is no member, and no record of one is kept`, 'see who is with: dlm node list');
}

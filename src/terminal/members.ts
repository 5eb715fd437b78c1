/**
 * The members of a cluster in words: as a table, and each change of them as a line.
 */
import { escapeText, type MemberChange, type MemberInfo, type NodeStatus } from '../core/index.js';
import { keyHint } from './describe-status.js';
import { table } from './tables.js';

/** Who is here, as this node knows it; a node that is alone is all there is. */
function membersOf({ cluster, node, lockspaces, incarnation }: NodeStatus): readonly MemberInfo[] {
  const alone: MemberInfo = { node, name: '', address: '', incarnation, lockspaces: lockspaces.map(({ name }) => name), link: 'self' };
  return cluster?.members ?? [alone];
}

/** The answer of those who show the members, as JSON. */
export function membershipOf(status: NodeStatus): { cluster: string | null; view: number | null; members: readonly MemberInfo[] } {
  const { cluster } = status;
  return { cluster: cluster?.name ?? null, view: cluster?.view ?? null, members: membersOf(status) };
}

export function membersTable(members: readonly MemberInfo[]): string {
  const rows = members.map(({ node, name, link, address, lockspaces }) => [
    String(node),
    escapeText(name),
    link,
    escapeText(address),
    lockspaces.map(escapeText).join(' '),
  ]);
  return table(['NODE', 'NAME', 'LINK', 'ADDRESS', 'LOCKSPACES'], rows);
}

/** With whom the handshake is refused, and what to do about it: a line, or none. */
export function describeOtherKeys(members: readonly MemberInfo[]): string[] {
  const refused = members.filter(({ link }) => link === 'other key').map(({ node, name }) => `node ${node} (${escapeText(name)})`);
  if (refused.length === 0) return [];
  return [`the handshake with ${refused.join(' and ')} is refused, since the two have no key in common\nhint: ${keyHint}`];
}

const words: Readonly<Record<MemberChange['change'], string>> = { here: 'is here', left: 'has left', failed: 'has failed' };

/** `2026-03-01T12:00:00.000Z  view 17  node 2 (web2) has failed`. */
export function describeChange({ at, view, node, name, change }: MemberChange): string {
  return `${at}  view ${view}  node ${node} (${escapeText(name)}) ${words[change]}`;
}

/**
 * A node's status in plain words, a fact a line.
 */
import { escapeText, phaseNames, type ClusterStatus, type LockspaceSummary, type MemberInfo, type NodeStatus } from '../core/index.js';
import { counted, showCommand } from './describe.js';
import { formatDuration } from './durations.js';

const howStarted: Readonly<Record<NodeStatus['start'], string>> = {
  joined: 'by dlm node join',
  automatic: 'in the background, by a command that needed it',
  'in-process': 'inside a program',
};

export function describeStatus(status: NodeStatus): string[] {
  const facts: [string, string][] = [
    ['engine', `${status.engine}, ${counted(status.members.length, 'member')}: ${status.members.join(' ')}`],
    ...(status.cluster === null ? [] : clusterFacts(status.cluster)),
    ['pid', String(status.pid)],
    ['started', `${howStarted[status.start]}, ${formatDuration(status.uptimeMillis)} ago`],
    ['listens on', status.socket === null ? 'nothing' : escapeText(status.socket)],
    ['version', status.version],
    ['life', `number ${status.incarnation} of this node`],
    ['sessions', String(status.sessions)],
    ...status.waitingFor.map(({ pid, command }): [string, string] => ['waits for', `pid ${pid}, protected by its predecessor: ${showCommand(command, Infinity)}`]),
    ...status.lockspaces.map((lockspace): [string, string] => ['lockspace', describeLockspace(lockspace)]),
  ];
  return [`node ${status.node} is ${describeHealth(status)}`, ...facts.map(([name, words]) => `  ${name.padEnd(11)} ${words}`)];
}

function describeHealth({ quorate, leaving, waitingFor }: NodeStatus): string {
  const ending = describeLeaving(leaving?.locks ?? null);
  if (!quorate) return `NOT quorate: nothing is granted${ending === null ? '' : `; ${ending}`}`;
  return ending ?? (waitingFor.length > 0 ? 'healthy, and grants nothing yet' : 'healthy');
}

function describeLeaving(locks: number | null): string | null {
  if (locks === null) return null;
  return locks === 0 ? 'leaving' : `draining: it grants nothing new, and leaves when ${counted(locks, 'lock')} ${locks === 1 ? 'has' : 'have'} ended`;
}

function clusterFacts({ name, view, members, insecure, fencing, isFencing }: ClusterStatus): [string, string][] {
  const linked = (as: MemberInfo['link']): number[] => members.filter(({ link }) => link === as).map(({ node }) => node);
  const [down, refused, overfull] = [linked('down'), linked('other key'), linked('overfull')];
  return [
    ['cluster', `${escapeText(name)}, view ${view}`],
    isFencing ? ['fencing', escapeText(fencing)] : ['NO FENCING', `(${escapeText(fencing)}): others may be granted what a failed node still uses`],
    ...(down.length === 0 ? [] : [['no link', `to node ${down.join(', ')}`] as [string, string]]),
    ...(refused.length === 0 ? [] : ([['NO LINK', `to node ${refused.join(', ')}: the handshake is refused, since the two have no key in common`], ['', keyHint]] as [string, string][])),
    ...(overfull.length === 0 ? [] : [['LOST', `what was sent to node ${overfull.join(', ')}: it took nothing for too long, and must come back as another life`] as [string, string]]),
    ...(insecure ? [['INSECURE', 'links leave this machine unencrypted'] as [string, string]] : []),
  ];
}

function describeLockspace({ name, locks, resources, orphans, standing, waitsFor, reason }: LockspaceSummary): string {
  const left = orphans === 0 ? '' : `, ${counted(orphans, 'orphan')} among them`;
  const state = standing === 'running' && reason === '' ? '' : `, ${describeStanding(standing, waitsFor, reason)}`;
  return `${escapeText(name)}: ${counted(locks, 'lock')} on ${counted(resources, 'resource')}${left}${state}`;
}

/** Why a lockspace cannot be locked at the moment; nothing if it can. */
export function describeStop(status: NodeStatus | null, name: string): string[] {
  const found = status?.lockspaces.find((lockspace) => lockspace.name === name);
  if (found === undefined || found.standing === 'running') return [];
  return [`nobody is granted anything in lockspace ${escapeText(name)}, ${describeStanding(found.standing, found.waitsFor, found.reason)}`];
}

/** Why nobody is granted a new lock though locks are recovered: its order has more to be done. Nothing if they are granted. */
export function describeSuspension(status: NodeStatus | null, name: string): string[] {
  const found = status?.lockspaces.find((lockspace) => lockspace.name === name);
  if (found === undefined || found.standing !== 'running' || found.reason === '') return [];
  return [`nobody is granted anything new in lockspace ${escapeText(name)}, where applications are suspended; ${escapeText(found.reason)}`];
}

/** What to do about a handshake that is refused; nobody but an operator knows which key is the right one. */
export const keyHint = 'all nodes need the same key: leave with dlm node leave where the --key-file is the wrong one, and join again with the right one';

/**
 * Which members of the lockspace cannot be reached, in whose hands the answer to a request may be; nothing if all can.
 * They are waited for as long as they count as members. Where the lockspace is stopped it may wait for the word of any
 * member. `status` null: not even our own node tells.
 */
export function describeSilent(status: NodeStatus | null, lockspace: string): string[] {
  if (status === null) return ['the node here does not answer'];
  return joinedTo(status, lockspace).flatMap(({ node, name, link }) => {
    const who = `node ${node} (${escapeText(name)})`;
    if (link === 'other key') return [`the handshake with ${who}, which is still a member, is refused: it and this node have no key in common`];
    if (link === 'down') return [`there is no link to ${who}, which is still a member: it may be stopped, or just be starting`];
    if (link === 'overfull') return [`${who} has taken no messages for too long: it must come back as another life, and is waited for until it has ended`];
    return [];
  });
}

/** What is new in such words: that there was one more attempt in vain is no news to somebody who waits. */
export function newsIn(words: string): string {
  return words.replace(/\d+ attempts?/g, 'attempts');
}

/** Is there one among them with which the handshake is refused? */
export function hasOtherKey(status: NodeStatus | null, lockspace: string): boolean {
  return joinedTo(status, lockspace).some(({ link }) => link === 'other key');
}

/** Who may it be that does not answer: members that cannot be reached, or the only other one there is. */
export function suspectsOf(status: NodeStatus | null, lockspace: string): number[] {
  const others = joinedTo(status, lockspace).filter(({ node }) => node !== status!.node);
  const unreached = others.filter(({ link }) => isUnreached(link));
  const suspects = unreached.length > 0 || others.length > 1 ? unreached : others;
  return suspects.map(({ node }) => node);
}

function isUnreached(link: MemberInfo['link']): boolean {
  return ['down', 'other key', 'overfull'].includes(link);
}

/** Those of whom there may be something to be waited for. */
function joinedTo(status: NodeStatus | null, lockspace: string): MemberInfo[] {
  const isStopped = (status?.lockspaces.find(({ name }) => name === lockspace)?.standing ?? 'running') !== 'running';
  return status?.cluster?.members.filter(({ lockspaces, link }) => lockspaces.includes(lockspace) || (isStopped && isUnreached(link))) ?? [];
}

/** `recovering: locks 5/6, waiting for node 2`, and what else is waited for. */
export function describeStanding(standing: string, waitsFor: readonly number[], reason: string): string {
  // The last one is about applications; the lockspace may be locked by then.
  const steps = phaseNames.filter((phase) => phase !== 'resume');
  const step = steps.findIndex((phase) => phase === standing);
  const why = reason === '' ? '' : `; ${escapeText(reason)}`;
  if (step < 0) return `${standing}${why}`;
  const waits = waitsFor.length === 0 ? '' : `, waiting for node ${waitsFor.join(', ')}`;
  return `recovering: ${standing} ${step + 1}/${steps.length}${waits}${why}`;
}

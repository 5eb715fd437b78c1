/**
 * A node's status in plain words, a fact a line.
 */
import { escapeText, type LockspaceSummary, type NodeStatus } from '../core/index.js';
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
    ['pid', String(status.pid)],
    ['started', `${howStarted[status.start]}, ${formatDuration(status.uptimeMillis)} ago`],
    ['listens on', status.socket === null ? 'nothing' : escapeText(status.socket)],
    ['version', status.version],
    ['life', `number ${status.incarnation} of this node`],
    ['sessions', String(status.sessions)],
    ...status.waitingFor.map(({ pid, command }): [string, string] => ['waits for', `pid ${pid}, protected by its predecessor: ${showCommand(command, Infinity)}`]),
    ...status.lockspaces.map((lockspace): [string, string] => ['lockspace', describeLockspace(lockspace)]),
  ];
  const health = !status.quorate ? 'NOT quorate: nothing is granted' : status.waitingFor.length > 0 ? 'healthy, and grants nothing yet' : 'healthy';
  return [`node ${status.node} is ${health}`, ...facts.map(([name, words]) => `  ${name.padEnd(11)} ${words}`)];
}

function describeLockspace({ name, locks, resources, orphans }: LockspaceSummary): string {
  const left = orphans === 0 ? '' : `, ${counted(orphans, 'orphan')} among them`;
  return `${escapeText(name)}: ${counted(locks, 'lock')} on ${counted(resources, 'resource')}${left}`;
}

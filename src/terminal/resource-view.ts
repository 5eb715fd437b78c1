/**
 * A lockspace resource by resource, in the shape in which the field prints it:
 * a header, the value block, then the three queues in their order.
 *
 *   Resource "counter" (7 bytes), master node 1
 *   Value: 34 32 00 … (valid)
 *   Granted
 *     0000002a EX         12 s  pid 4711  ./bump.sh
 *   Convert
 *   Waiting
 *     0000002b    > PR     3 s  pid 4712  ./report.sh
 *
 * Kin: fs/dlm/debug_fs.c print_format1().
 */
import { escapeText, parseLockId, type LockInfo, type LockspaceContent, type ResourceInfo } from '../core/index.js';
import { counted, locksEverywhere, showCommand } from './describe.js';
import { describeStanding } from './describe-status.js';
import { formatDuration } from './durations.js';

/** `self`: the node that was asked. */
export function lockspaceView(lockspace: LockspaceContent, self: number): string[] {
  const { name, valueLength, locks, resources, content, members, slots, standing, order, nodir } = lockspace;
  const title = `Lockspace "${escapeText(name)}": ${counted(resources, 'resource')} in use, ${counted(locks, 'lock')}, value blocks of ${valueLength} bytes`;
  const isOrdered = order !== 'none';
  // Who is in no cluster has no slots; its only member shares with nobody.
  const isOfCluster = slots.length > 0 || members.length > 1 || standing !== 'running';
  return [title, ...(isOrdered ? [`Order ${order}`] : []), ...(nodir ? ['No directory'] : []), ...(isOfCluster ? [membersLine(lockspace)] : []), ...content.flatMap((resource) => ['', ...resourceView(resource, isOfCluster), ...elsewhere(resource, name, self)])];
}

/** `Nodes 1 (slot 1), 2 (slot 2), generation 1795392263850, running`. */
function membersLine({ members, slots, generation, standing, waitsFor, reason }: LockspaceContent): string {
  const slotOf = (node: number): string => String(slots.find((one) => one.node === node)?.slot ?? '?');
  return `Nodes ${members.map((node) => `${node} (slot ${slotOf(node)})`).join(', ')}, generation ${generation}, ${describeStanding(standing, waitsFor, reason)}`;
}

function resourceView(resource: ResourceInfo, isOfCluster: boolean): string[] {
  const length = resource.resourceHex.length / 2;
  return [
    `Resource "${resource.resource}" (${counted(length, 'byte')}), ${resource.master === null ? 'master not known yet' : `master node ${resource.master}`}${isOfCluster ? `, directory node ${resource.directory}` : ''}`,
    ...valueLine(resource),
    'Granted',
    ...resource.granted.map(lockLine),
    'Convert',
    ...resource.converting.map(lockLine),
    'Waiting',
    ...resource.waiting.map(lockLine),
  ];
}

/** What is not seen here. */
function elsewhere({ master, resource }: ResourceInfo, lockspace: string, self: number): string[] {
  if (master === self) return [];
  const who = master === null ? 'another node may decide about it, and has its queues' : `node ${master} decides about it, and has its queues`;
  return [`(${who}: see them with: ${locksEverywhere(resource, lockspace)})`];
}

function valueLine({ valueState, valueHex }: ResourceInfo): string[] {
  if (valueHex === null) return [`Value: none`];
  const bytes = valueHex.match(/../g) ?? [];
  return [`Value: ${bytes.join(' ')} (${valueState === 'invalid' ? 'NOT VALID' : 'valid'})`];
}

function lockLine(lock: LockInfo): string {
  const lkid = parseLockId(lock.id).lkid.toString(16).padStart(8, '0');
  const modes = `${(lock.mode ?? '').padEnd(2)} ${lock.requested === null ? '' : `> ${lock.requested}`}`.padEnd(7);
  const { kind, command } = lock.owner;
  // The words for somebody elsewhere are all that is known of him.
  const who = kind === 'elsewhere' ? command : `${whoseIn(lock.owner)}  ${showCommand(command, Infinity)}`;
  const flags = lock.flags.length === 0 ? '' : `  [${lock.flags.join(' ')}]`;
  return `  ${lkid} ${modes} ${formatDuration(lock.ageMillis).padStart(11)}  ${who}${flags}`.trimEnd();
}

function whoseIn({ kind, pid }: LockInfo['owner']): string {
  if (kind === 'ended') return 'somebody who has ended';
  return `${kind === 'orphan' ? 'orphan of ' : ''}pid ${pid ?? '?'}`;
}

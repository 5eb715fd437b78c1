/**
 * What follows a failure, in words: what is waited for, and how it went.
 */
import { escapeText, nameOf, parseOrder, type CaseInfo, type LockspaceRecovery, type RecordedStep, type RecoveryPlan, type RecoveryRecord, type RecoveryStatus, type RunNews } from '../core/index.js';
import { counted, describeLocks } from './describe.js';
import { table } from './tables.js';

/** As in `12.3 ms`, `4.56 s`: what is shown here is often very short. */
export function formatMillis(millis: number): string {
  return millis < 1000 ? `${millis.toFixed(1)} ms` : `${(millis / 1000).toFixed(2)} s`;
}

/** By the name people know it by. */
export function orderName(text: string): string {
  const order = parseOrder(text);
  return 'problem' in order ? text : nameOf(order);
}

export function statusLines({ lockspaces, cases, fencing }: RecoveryStatus): string[] {
  const rows = lockspaces.map(({ lockspace, order, rung, waitsFor, words, standing }) => [
    escapeText(lockspace),
    order,
    rung === null ? standing : `waits: ${rung}`,
    waitsFor.length === 0 ? '' : `node ${waitsFor.join(', ')}`,
    escapeText(words),
  ]);
  return [
    ...(rows.length === 0 ? ['no lockspace is joined'] : [table(['LOCKSPACE', 'ORDER', 'STATE', 'WAITS FOR', 'WHY'], rows)]),
    ...cases.filter(({ verdict }) => verdict === 'open').map(describeCase),
    ...(fencing?.isOn === false ? [`failed nodes are NOT fenced (${escapeText(fencing.words)})`] : []),
  ];
}

export function describeCase({ node, name, incarnation, attempts, words, by }: CaseInfo): string {
  const tried = attempts === 0 ? 'not fenced yet' : `${counted(attempts, 'attempt')} in vain: ${escapeText(words)}`;
  const actor = by === null ? 'nobody is left to fence it' : `node ${by} fences it`;
  return `node ${node} (${escapeText(name)}, life ${incarnation}) has failed; ${actor}; ${tried}`;
}

/** `lockspace default: waits for fencing, …` */
export function describeWait({ lockspace, rung, words }: LockspaceRecovery): string {
  return `lockspace ${escapeText(lockspace)} waits: ${rung}, ${escapeText(words)}`;
}

/** `fence of node 3 ended on node 1: process`. */
export function describeStep({ step, state, node, victim, words }: Pick<RecordedStep, 'step' | 'state' | 'node' | 'victim' | 'words'>): string {
  const about = victim === null ? '' : ` of node ${victim}`;
  return `${step}${about} ${state === 'failed' ? 'FAILED' : state} on node ${node}${words === '' || state === 'begun' ? '' : `: ${escapeText(words)}`}`;
}

/** A line for each, with the time since the run began. */
export function describeNews(news: RunNews): string[] {
  const at = formatMillis(news.millis).padStart(10);
  switch (news.event) {
    case 'out':
      return [`${at}  node ${news.node} is out since view ${news.view}`];
    case 'step':
      return [`${at}  ${news.lockspace === null ? '' : `${escapeText(news.lockspace)}: `}${describeStep(news)}`];
    case 'waits':
      return news.lockspaces.map((one) => `${at}  ${describeWait(one)}`);
    case 'done':
      return [`${at}  ${news.wasNeeded ? 'all is done' : `nothing is to be done about node ${news.node}`}`];
  }
}

export function recordsTable(records: readonly RecoveryRecord[]): string {
  const rows = records.map((record) => [String(record.generation ?? ''), escapeText(record.lockspace), record.at, causeOf(record), orderName(record.order), stopOf(record), totalOf(record)]);
  return table(['GENERATION', 'LOCKSPACE', 'WHEN', 'WHY', 'ORDER', 'STOPPED', 'TOTAL'], rows);
}

/** `node 3 failed`, `application of node 1 died`, `node 2 came`. */
export function causeOf({ victims, lived, left, came }: RecoveryRecord): string {
  const failed = victims.filter((node) => !lived.includes(node));
  const causes = [['node', failed, 'failed'], ['application of node', lived, 'died'], ['node', left, 'left'], ['node', came, 'came']] as const;
  const parts = causes.filter(([, nodes]) => nodes.length > 0).map(([who, nodes, what]) => `${who} ${nodes.join(', ')} ${what}`);
  return parts.length === 0 ? 'quorum is back' : parts.join('; ');
}

const stopOf = ({ stoppedMillis }: RecoveryRecord): string => (stoppedMillis === null ? 'goes on' : formatMillis(stoppedMillis));
/** Was nobody granted anything new until the end, because applications were suspended? */
export function isHeldBack({ victims, order }: RecoveryRecord): boolean {
  const parsed = parseOrder(order);
  return victims.length > 0 && !('problem' in parsed) && parsed.steps.has('resume');
}

const totalOf = ({ totalMillis }: RecoveryRecord): string => (totalMillis === null ? 'goes on' : formatMillis(totalMillis));

/** `waits`: on what it waits now, if it goes on. */
export function recordLines(record: RecoveryRecord, waits?: Pick<LockspaceRecovery, 'rung' | 'words'>): string[] {
  const { generation, lockspace, order, at, node, members, steps, phases } = record;
  const slowest = slowestOf(record);
  return [
    `Recovery of lockspace ${escapeText(lockspace)}, ${generation === null ? 'not numbered yet' : `generation ${generation}`}, ${waits === undefined ? `as node ${node} has seen it` : `goes on now, as node ${node} sees it`}`,
    ...(waits === undefined ? [] : [`  now      ${waits.rung === null ? 'waits for nothing' : `waits: ${waits.rung}, ${escapeText(waits.words)}`}; follow it with: dlm recover watch`]),
    `  when     ${at}`,
    `  why      ${causeOf(record)}`,
    `  order    ${orderName(order)}`,
    `  members  ${members.join(' ')}`,
    '',
    table(['AFTER', 'STEP', 'STATE', 'NODE', 'ABOUT', ''], steps.map((one) => [formatMillis(one.millis), one.step, one.state, String(one.node), one.victim === null ? '' : `node ${one.victim}`, one.state === 'begun' ? '' : escapeText(one.words)])),
    ...(phases.length === 0 ? [] : ['', table(['PHASE OF DLM', 'TOOK', 'LAST'], phases.map(({ phase, millis, slowest: last }) => [phase, formatMillis(millis), last === null ? '' : `node ${last}`]))]),
    '',
    ...(slowest === null ? [] : [`slowest  node ${slowest.node}, waited for ${formatMillis(slowest.millis)} in all`]),
    `stopped  ${stopOf(record)}${isHeldBack(record) ? '; nobody was granted anything new until the end' : ''}`,
    `total    ${totalOf(record)}`,
  ];
}

/** For whom the others waited longest. */
export function slowestOf({ phases }: RecoveryRecord): { node: number; millis: number } | null {
  const sums = new Map<number, number>();
  for (const { slowest, millis } of phases) if (slowest !== null) sums.set(slowest, (sums.get(slowest) ?? 0) + millis);
  const [first] = [...sums].sort(([, one], [, other]) => other - one);
  return first === undefined ? null : { node: first[0], millis: first[1] };
}

export function planLines({ node, name, isMember, fencing, lockspaces }: RecoveryPlan): string[] {
  if (!isMember) return [`node ${node} (${escapeText(name)}) is no member, so it cannot fail now; what is still to be done about it is told by: dlm recover status`];
  const ways = fencing.map(({ devices }) => devices.map(({ device, agent }) => (device === 'fence_all' ? agent : `${device} (${agent})`)).join(' and ')).join(', else ');
  const lines = lockspaces.flatMap(({ lockspace, order, steps, purged, granted, notValid, masters }) => [
    '',
    `lockspace ${escapeText(lockspace)}, order ${order}`,
    ...steps.map(({ step, after, by, words }) => `  ${step.padEnd(8)} by ${by.length === 0 ? 'nobody' : `node ${by.join(', ')}`}${after.length === 0 ? ', at once' : `, after ${after.join(', ')}`}${words === '' ? '' : `: ${words}`}`),
    ...listed('  purged', purged.length, describeLocks(purged, 'resource')),
    ...listed('  granted', granted.length, describeLocks(granted, 'resource')),
    ...notValid.map((resource) => `  value of ${resource} is no longer valid`),
    ...masters.map(({ resource, candidates }) => `  master of ${resource}: node ${candidates.join(' or ')}`),
  ]);
  return [
    `If node ${node} (${escapeText(name)}) failed now`,
    `  it would ${fencing.length === 0 ? 'NOT be fenced' : `be fenced by ${escapeText(ways)}`}`,
    ...(lockspaces.length === 0 ? ['  and no lockspace of this node is concerned'] : lines),
  ];
}

function listed(what: string, count: number, lines: readonly string[]): string[] {
  return count === 0 ? [] : [`${what}: ${counted(count, 'lock')}`, ...lines.map((line) => `    ${line}`)];
}

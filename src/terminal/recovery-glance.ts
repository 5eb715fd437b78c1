/**
 * What somebody knows who follows a recovery: the state that was told last, and the
 * newest recovery with its steps so far.
 *
 * Each piece of news makes a new glance of an old one; where nothing is drawn, it is a
 * few lines of words instead. Nothing is printed in here.
 */
import { DlmError, escapeText, type LockspaceRecovery, type RecordedStep, type RecoveryNews, type RecoveryRecord, type RecoveryState } from '../core/index.js';
import { causeOf, describeCase, describeStep, describeWait, formatMillis } from './recovery-words.js';

/** A step, and the lockspaces whose recovery it belongs to. */
export interface SeenStep {
  readonly lockspaces: readonly string[];
  readonly step: RecordedStep;
}

/** What goes on at the same time, or did last: the recovery of each lockspace, null while it goes on, and all their steps. */
export interface Course {
  readonly records: ReadonlyMap<string, RecoveryRecord | null>;
  readonly steps: readonly SeenStep[];
}

export interface Glance {
  readonly state: RecoveryState;
  readonly course: Course | null;
}

/** More are not looked at. */
const stepsMax = 100;

/** One lockspace of several. */
export interface Focus {
  readonly lockspace?: string | undefined;
}

/** Null: no state has been told yet. Throws `DLM_LOCKSPACE_UNKNOWN` if the first one does not know the lockspace. */
export function glanceAfter(before: Glance | null, news: RecoveryNews, { lockspace }: Focus = {}): Glance | null {
  const isOurs = (name: string): boolean => lockspace === undefined || name === lockspace;
  if (news.event === 'state') {
    const state = { ...news, lockspaces: news.lockspaces.filter((one) => isOurs(one.lockspace)), current: news.current.filter((one) => isOurs(one.lockspace)) };
    if (before === null && lockspace !== undefined && state.lockspaces.length === 0) throw unknown(lockspace);
    return { state, course: before?.course ?? begun(state) };
  }
  if (before === null || !isOurs(news.event === 'step' ? news.lockspace : news.record.lockspace)) return before;
  return { ...before, course: news.event === 'step' ? withStep(before.course, news) : withEnd(before.course, news.record) };
}

const unknown = (lockspace: string): DlmError => new DlmError('DLM_LOCKSPACE_UNKNOWN', `this node has not joined lockspace '${escapeText(lockspace)}'`);

function begun({ current }: RecoveryState): Course | null {
  const told = current.flatMap(({ lockspace, steps }) => steps.map((step) => ({ event: 'step' as const, lockspace, ...step })));
  told.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
  return told.reduce<Course | null>(withStep, null);
}

/** What begins when all has ended begins anew. */
function withStep(course: Course | null, { event: _, lockspace, ...step }: Extract<RecoveryNews, { event: 'step' }>): Course {
  const isNew = course === null || [...course.records.values()].every((record) => record !== null);
  const known = isNew ? { records: new Map<string, RecoveryRecord | null>(), steps: [] } : course;
  const records = new Map(known.records).set(lockspace, null);
  const same = known.steps.findIndex((seen) => !seen.lockspaces.includes(lockspace) && isSame(seen.step, step));
  const steps = same < 0 ? [...known.steps, { lockspaces: [lockspace], step }].slice(-stepsMax) : known.steps.map((seen, at) => (at === same ? { ...seen, lockspaces: [...seen.lockspaces, lockspace] } : seen));
  return { records, steps };
}

/** Only what is about a failed node is one thing for several lockspaces. */
function isSame(one: RecordedStep, other: RecordedStep): boolean {
  return one.step === 'fence' && other.step === 'fence' && one.at === other.at && one.state === other.state && one.node === other.node && one.victim === other.victim;
}

function withEnd(course: Course | null, record: RecoveryRecord): Course {
  return { records: new Map(course?.records).set(record.lockspace, record), steps: course?.steps ?? [] };
}

/** A line for each thing that has changed, with the time. */
export function changeLines(before: Glance | null, after: Glance, news: RecoveryNews): string[] {
  switch (news.event) {
    case 'state':
      return stateLines(before?.state ?? null, after.state).map((words) => `${after.state.at}  ${words}`);
    case 'step':
      return after === before ? [] : [`${news.at}  ${escapeText(news.lockspace)}: ${formatMillis(news.millis)}, ${describeStep(news)}`];
    case 'ended':
      return after === before ? [] : [`${endOf(news.record)}  ${endWords(news.record)}`];
  }
}

function stateLines(before: RecoveryState | null, after: RecoveryState): string[] {
  const isNews = (words: string, of: (state: RecoveryState) => readonly string[]): boolean => before === null || !of(before).includes(words);
  return [
    [clusterWords(after)].filter((words) => isNews(words, (state) => [clusterWords(state)])),
    openCases(after).map(describeCase).filter((words) => isNews(words, (state) => openCases(state).map(describeCase))),
    after.lockspaces.filter((one) => isNews(plainKey(one), (state) => state.lockspaces.map(plainKey))).map(standingWords),
  ].flat();
}

/** The phases of dlm follow one another within milliseconds, and are in its record: one line is enough for all of them. */
function plainKey({ lockspace, standing, rung, words }: LockspaceRecovery): string {
  if (rung === null) return JSON.stringify([lockspace, standing]);
  return JSON.stringify([lockspace, rung, rung === 'dlm' ? '' : words]);
}

/** `lockspace mail: running`, `lockspace mail waits: quorum, …`. */
function standingWords(one: LockspaceRecovery): string {
  return one.rung === null ? `lockspace ${escapeText(one.lockspace)} waits for nothing: ${one.standing}` : describeWait(one);
}

export const openCases = ({ cases }: RecoveryState): RecoveryState['cases'] => cases.filter(({ verdict }) => verdict === 'open');

/** `cluster west, view 7, quorate; node 1 (n1) self, node 2 (n2) encrypted`. */
export function clusterWords({ cluster, node, quorate }: RecoveryState): string {
  if (cluster === null) return `node ${node} is alone`;
  const members = cluster.members.map((one) => `node ${one.node} (${escapeText(one.name)}) ${one.link}`);
  return `cluster ${escapeText(cluster.name)}, view ${cluster.view}, ${quorate ? 'quorate' : 'NOT QUORATE'}; ${members.join(', ')}`;
}

/** `mail has recovered: node 3 failed, stopped for 12.1 ms, done after 15.0 ms; generation 4`. */
export function endWords(record: RecoveryRecord): string {
  const { lockspace, generation, stoppedMillis, totalMillis } = record;
  const took = [stoppedMillis === null ? [] : [`stopped for ${formatMillis(stoppedMillis)}`], totalMillis === null ? [] : [`done after ${formatMillis(totalMillis)}`]].flat();
  return `${escapeText(lockspace)} has recovered: ${[causeOf(record), ...took].join(', ')}; generation ${generation}`;
}

/** By the clock on the wall, as it was when it began. */
const endOf = ({ at, totalMillis }: RecoveryRecord): string => new Date(Date.parse(at) + (totalMillis ?? 0)).toISOString();

/**
 * What somebody knows who follows a recovery: the state that was told last, and the
 * newest recovery with its steps so far.
 *
 * Each piece of news makes a new glance of an old one; where nothing is drawn, it is a
 * few lines of words instead. Nothing is printed in here.
 */
import { DlmError, escapeText, type LockspaceRecovery, type RecordedStep, type RecoveryNews, type RecoveryRecord, type RecoveryState } from '../core/index.js';
import { causeOf, describeCase, describeStep, describeWait, formatMillis } from './recovery-words.js';

/** The newest recovery, as far as it is known. */
export interface Course {
  readonly lockspace: string;
  readonly steps: readonly RecordedStep[];
  /** Null: it goes on. */
  readonly record: RecoveryRecord | null;
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
  return { ...before, course: news.event === 'step' ? withStep(before.course, news) : endedAs(news.record) };
}

const unknown = (lockspace: string): DlmError => new DlmError('DLM_LOCKSPACE_UNKNOWN', `this node has not joined lockspace '${escapeText(lockspace)}'`);

function begun({ current }: RecoveryState): Course | null {
  const newest = current.at(-1);
  return newest === undefined ? null : { lockspace: newest.lockspace, steps: newest.steps.slice(-stepsMax), record: null };
}

/** A recovery of which nothing was known begins with its first step. */
function withStep(course: Course | null, { event: _, lockspace, ...step }: Extract<RecoveryNews, { event: 'step' }>): Course {
  const isSame = course !== null && course.record === null && course.lockspace === lockspace;
  return { lockspace, steps: [...(isSame ? course.steps : []), step].slice(-stepsMax), record: null };
}

const endedAs = (record: RecoveryRecord): Course => ({ lockspace: record.lockspace, steps: record.steps.slice(-stepsMax), record });

/** A line for each thing that has changed, with the time. */
export function changeLines(before: Glance | null, after: Glance, news: RecoveryNews): string[] {
  switch (news.event) {
    case 'state':
      return stateLines(before?.state ?? null, after.state).map((words) => `${after.state.at}  ${words}`);
    case 'step':
      return after === before ? [] : [`${news.at}  ${escapeText(news.lockspace)}: ${formatMillis(news.millis)}, ${describeStep(news)}`];
    case 'ended':
      return after === before ? [] : [`${after.state.at}  ${endWords(news.record)}`];
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

/** `lockspace mail has recovered: node 3 failed; generation 4; stopped for 12.1 ms, done after 15.0 ms`. */
export function endWords(record: RecoveryRecord): string {
  const { lockspace, generation, stoppedMillis, totalMillis } = record;
  const took = [stoppedMillis === null ? [] : [`stopped for ${formatMillis(stoppedMillis)}`], totalMillis === null ? [] : [`done after ${formatMillis(totalMillis)}`]].flat();
  return `lockspace ${escapeText(lockspace)} has recovered: ${causeOf(record)}; generation ${generation}; ${took.join(', ')}`;
}

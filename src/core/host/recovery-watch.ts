/**
 * How recovery stands, told whenever it changes, for as long as somebody listens: the
 * whole state, each step of a recovery that goes on, and each recovery that has ended.
 *
 * What the node does is told at the end of the turn that did it. The state of links is
 * announced by nobody, so it is looked at several times a second. Nothing is decided
 * here, and nothing waits for whoever listens.
 */
import type { Host } from './host.js';
import type { Onlooker } from './recovery-records.js';
import type { RecordedStep, RecoveryRecord } from './recovery-record.js';
import { recoveryStatus, type RecoveryStatus } from './recovery-status.js';
import type { MemberInfo } from './types.js';

export interface RecoveryState extends RecoveryStatus {
  readonly event: 'state';
  /** When, by the clock on the wall. */
  readonly at: string;
  /** Null: this node is alone. */
  readonly cluster: { readonly name: string; readonly view: number; readonly members: readonly MemberInfo[] } | null;
}

export type RecoveryNews =
  | RecoveryState
  /** `millis`: since the recovery of that lockspace began. A step that several lockspaces wait for is told for each. */
  | ({ readonly event: 'step'; readonly lockspace: string } & RecordedStep)
  | { readonly event: 'ended'; readonly record: RecoveryRecord };

const lookMillis = 250;

/** Ends when `gone` is aborted, or with the node. */
export function watchRecovery(host: Host, tell: (news: RecoveryNews) => void, gone: AbortSignal): Promise<void> {
  const onlooker = watcher(host, tell);
  const onlookers = host.cluster?.records.onlookers;
  onlookers?.add(onlooker);
  const timer = setInterval(() => onlooker.looked(), lookMillis);
  timer.unref();
  onlooker.looked();
  return new Promise((resolve) => {
    const end = (): void => {
      clearInterval(timer);
      onlookers?.delete(onlooker);
      resolve();
    };
    if (gone.aborted) end();
    else gone.addEventListener('abort', end);
  });
}

function watcher(host: Host, tell: (news: RecoveryNews) => void): Onlooker {
  const told = new WeakSet<RecordedStep>();
  let last: string | null = null;
  const tellSteps = ({ lockspace, steps }: RecoveryRecord): void => {
    for (const step of steps) {
      if (!told.has(step)) tell({ event: 'step', lockspace, ...step });
      told.add(step);
    }
  };
  const looked = (): void => {
    const state = stateOf(host);
    const { at: _, current, ...lasting } = state;
    const shown = JSON.stringify(lasting);
    // What happened before the first look is in the state.
    if (last === null) for (const { steps } of current) for (const step of steps) told.add(step);
    else current.forEach(tellSteps);
    if (shown !== last) tell(state);
    last = shown;
  };
  const ended = (record: RecoveryRecord): void => {
    tellSteps(record);
    tell({ event: 'ended', record });
  };
  return { step: () => undefined, looked, ended };
}

function stateOf(host: Host): RecoveryState {
  const { cluster } = host;
  return {
    event: 'state',
    at: new Date().toISOString(),
    cluster: cluster === null ? null : { name: cluster.name, view: cluster.view?.id ?? 0, members: cluster.members() },
    ...recoveryStatus(host),
  };
}

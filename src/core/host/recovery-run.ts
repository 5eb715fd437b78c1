/**
 * The recovery from one node as a command: declare it failed, and follow what is done
 * about it to the end, step by step.
 *
 * Nothing is done here that would not be done after any other failure: the engine shows
 * a view without the node, and every member does its part in the order of each lockspace.
 * It can be asked for again at any time; where nothing is left to do it ends at once.
 */
import { DlmError } from '../base/errors.js';
import { nodeId } from '../base/ids.js';
import { needCluster } from './fence-desk.js';
import type { Host } from './host.js';
import { nameOfKnown } from './known-node.js';
import { casesOf, recoveryStatus, type LockspaceRecovery } from './recovery-status.js';
import type { RecordedStep } from './recovery-record.js';

/** What is told while it goes on. */
export type RunNews =
  /** It is out, and since which view. */
  | { readonly event: 'out'; readonly node: number; readonly view: number; readonly millis: number }
  /** Lockspace null: it belongs to all that wait for it. `millis`: since the run began. */
  | ({ readonly event: 'step'; readonly lockspace: string | null } & RecordedStep)
  /** What is waited for has changed. */
  | { readonly event: 'waits'; readonly millis: number; readonly lockspaces: readonly LockspaceRecovery[] }
  | { readonly event: 'done'; readonly node: number; readonly millis: number; readonly wasNeeded: boolean };

export interface RunWish {
  readonly node: number;
  /** Also if it answers. */
  readonly force: boolean;
  readonly reason: string;
}

/**
 * Rejects with `DLM_USAGE`, `DLM_NOT_QUORATE`, `DLM_STILL_MEMBER`, or as `Engine.expel`; and with `DLM_CANCELLED` when `gone` is
 * aborted, while what was begun goes on.
 */
export async function runRecovery(host: Host, wish: RunWish, tell: (news: RunNews) => void, gone: AbortSignal): Promise<void> {
  const { node, force, reason } = wish;
  const cluster = needCluster(host);
  const began = performance.now();
  const since = (): number => Math.round((performance.now() - began) * 10) / 10;
  if (node === host.self) throw new DlmError('DLM_USAGE', 'a node does not recover from itself', 'ask another member, or leave with: dlm node leave --force');
  nameOfKnown(host, cluster, node);
  if (cluster.view?.isQuorate !== true) throw new DlmError('DLM_NOT_QUORATE', 'only a quorate part of the cluster can say that a node has failed');
  const isMember = isIn(host, node);
  if (isMember && !force && (await host.everywhere.answers(node))) {
    throw new DlmError('DLM_STILL_MEMBER', `node ${node} (${cluster.nameOf(node)}) is a member and answers`);
  }
  const isWanted = isMember || !isOver(host, node);
  const following = follow(host, node, since, tell, gone);
  if (isMember) {
    cluster.log(`node ${node} is declared failed: ${reason}`);
    await cluster.expel(nodeId(node), reason);
    tell({ event: 'out', node, view: cluster.view.id, millis: since() });
  }
  following.look();
  await following.ended;
  tell({ event: 'done', node, millis: since(), wasNeeded: isWanted });
}

function follow(host: Host, node: number, since: () => number, tell: (news: RunNews) => void, gone: AbortSignal): { look(): void; readonly ended: Promise<void> } {
  let end: () => void = () => undefined;
  let last = '';
  const look = (): void => {
    const waiting = recoveryStatus(host).lockspaces.filter(({ rung }) => rung !== null);
    // The phases of dlm follow one another quickly; their steps are told anyway.
    const shown = JSON.stringify(waiting.map(({ lockspace, rung, words }) => [lockspace, rung, rung === 'dlm' ? '' : words]));
    if (shown !== last && waiting.length > 0) tell({ event: 'waits', millis: since(), lockspaces: waiting });
    last = shown;
    if (!isIn(host, node) && isOver(host, node)) end();
  };
  const onlooker = { step: (lockspace: string | null, step: RecordedStep) => tell({ event: 'step', lockspace, ...step, millis: since() }), looked: look };
  const { onlookers } = host.cluster!.records;
  onlookers.add(onlooker);
  const ended = new Promise<void>((resolve, reject) => {
    end = resolve;
    const hangUp = (): void => reject(new DlmError('DLM_CANCELLED', 'nobody follows the recovery any more; it goes on'));
    if (gone.aborted) hangUp();
    else gone.addEventListener('abort', hangUp);
  });
  ended.catch(() => undefined);
  return { look, ended: ended.finally(() => onlookers.delete(onlooker)) };
}

const isIn = ({ cluster }: Host, node: number): boolean => cluster!.view!.members.some((member) => member.node === node);

/** Is nothing left to be done about it, and does no lockspace wait? */
function isOver(host: Host, node: number): boolean {
  const isOpen = casesOf(host).some((one) => one.node === node && one.verdict === 'open');
  return !isOpen && !recoveryStatus(host).isWaiting && recoveryStatus(host).current.length === 0;
}

/**
 * The front door: what a program, and the commands, may know of the lock manager.
 *
 * Attaching is light; whatever only few need (being a node, starting one, the
 * referee) is loaded when it is first asked for.
 */
import type { Duplex } from 'node:stream';
import { attachTo, openStream, type AttachOptions } from './host/attach.js';
import { DlmError } from './base/errors.js';
import type { DlmConfig, FenceConfig } from './host/config.js';
import type { Engine } from './host/engine/engine.js';
import type { CorosyncOptions } from './host/engine/corosync.js';
import type { CorosyncNode } from './host/engine/corosync-settings.js';
import type { EtcdOptions } from './host/engine/etcd-options.js';
import type { LocalOptions } from './host/engine/local.js';
import type { ControlRequest } from './host/control-client.js';
import type { FenceHistoryRead } from './host/fence-history.js';
import type { FenceContext, FenceMethods } from './host/fence-methods.js';
import { ourselves } from './host/first-answer.js';
import type { NodeClient } from './host/node-client.js';
import { askAgain } from './host/outcome.js';
import { nodePlaces as placesOf, placesToTry } from './host/places.js';
import type { ClusterOptions } from './host/cluster-options.js';
import type { OpenOptions } from './host/open.js';
import type { RecoveryHistory, RecoveryRecord } from './host/recovery-record.js';
import type { ServedNode, ServeOptions } from './host/serve.js';
import type { TokenChecked, TokenCheckOptions } from './host/token-file.js';
import type { DetachOptions } from './host/start.js';
import type { Report as SimReport, RunOptions as SimOptions } from './sim/run.js';

/** Reach the node of this machine. Rejects with `DLM_NO_NODE`, `DLM_NOT_PERMITTED`, `DLM_START_REFUSED`, `DLM_START_FAILED`. */
export function attach(options: AttachOptions = {}): Promise<NodeClient> {
  return attachTo(options);
}

/** Of an error that says to ask again: what the next command would say of it, where that would start no node. */
export async function inFull(error: DlmError): Promise<DlmError> {
  if (error.hint !== askAgain) return error;
  const { hintWithoutNode } = await import('./host/clustered.js');
  const hint = hintWithoutNode(placesToTry());
  return hint === undefined ? error : new DlmError(error.code, error.message, hint);
}

/** A session as a stream of lines of JSON, as docs/protocol.md describes them: what it began with, and the rest. Rejects as `attach`. */
export function openSession(options: AttachOptions = {}): Promise<{ welcome: string; connection: Duplex }> {
  return openStream(options);
}

/** A node inside this process to which nobody else can attach: alone, or a member of a cluster. It ends with `close()`. */
export async function openNode(options: OpenOptions = {}): Promise<NodeClient> {
  const { openInside } = await import('./host/open.js');
  return openInside(options, options.holder ?? ourselves());
}

/** Become the node of this machine, or of this user. Rejects with `DLM_NODE_EXISTS`, `DLM_STATE_UNUSABLE`. */
export async function serveNode(options: ServeOptions = {}): Promise<ServedNode> {
  const { serve } = await import('./host/serve.js');
  return serve(options);
}

/** What of a wish to be a member can be refused before a node is started for it, and how long that node may take, in milliseconds. Rejects as `serveNode`. */
export async function prepareJoin(cluster: ClusterOptions): Promise<{ startTimeout: number }> {
  const { checkJoin, startMillisFor } = await import('./host/cluster-options.js');
  await checkJoin(cluster, placesOf());
  return { startTimeout: await startMillisFor(cluster) };
}

/**
 * This machine is to be a member of a cluster, and cannot be now: no command starts a node of no cluster here from now on.
 * Rejects with `DLM_STATE_UNUSABLE`.
 */
export async function rememberJoin({ cluster, line }: Pick<ClusterOptions, 'cluster' | 'line'>): Promise<void> {
  const { rememberClustered } = await import('./host/state-file.js');
  await rememberClustered(placesOf(), cluster, line);
}

/**
 * Start a node in the background, on purpose and with these words for `dlm node join`, and attach to it. Rejects with
 * `DLM_NODE_EXISTS`, `DLM_START_REFUSED`, `DLM_START_FAILED`, and as the node does.
 */
export async function startDetached(options: DetachOptions = {}, words: readonly string[] = []): Promise<NodeClient> {
  const { startDetachedAt } = await import('./host/start.js');
  return startDetachedAt(options, words);
}

/**
 * Membership without locks: be one of several members of a cluster on this machine, and follow its views.
 * Rejects with `DLM_NAME_INVALID`.
 */
export async function openLocalEngine(options: LocalOptions): Promise<Engine> {
  const { localEngine } = await import('./host/engine/local.js');
  return localEngine(options);
}

/** As `openLocalEngine`, with members on several machines that share an etcd. Rejects with `DLM_NAME_INVALID`, `DLM_USAGE`, `DLM_NOT_PERMITTED`. */
export async function openEtcdEngine(options: EtcdOptions): Promise<Engine> {
  const { etcdEngine } = await import('./host/engine/etcd.js');
  return etcdEngine(options);
}

/** As `openLocalEngine`, with members on several machines, each of which runs corosync. Rejects with `DLM_NAME_INVALID`. */
export async function openCorosyncEngine(options: CorosyncOptions): Promise<Engine> {
  const { corosyncEngine } = await import('./host/engine/corosync.js');
  return corosyncEngine(options);
}

/** The nodes that corosync on this machine has in its list. Rejects with `DLM_START_FAILED`, `DLM_NOT_PERMITTED`. */
export async function corosyncNodes(): Promise<CorosyncNode[]> {
  const { nodesOfCorosync } = await import('./host/engine/corosync-settings.js');
  return nodesOfCorosync();
}

/** Where a node keeps its things: its socket, its log, its folders. */
export function nodePlaces(dir?: string): { run: string; state: string; socket: string; log: string } {
  const { run, state, socket, log } = placesOf(dir);
  return { run, state, socket, log };
}

/** What dlm.conf says, the node's own if no other is named. Rejects with `DLM_CONFIG_INVALID`. */
export async function readConfig(path: string = placesOf().config): Promise<DlmConfig> {
  const config = await import('./host/config.js');
  return config.readConfig(path);
}

/** The ways to fence that a configuration describes. */
export async function fenceMethods(config: FenceConfig, context: FenceContext = {}): Promise<FenceMethods> {
  const methods = await import('./host/fence-methods.js');
  return methods.fenceMethods(config, context);
}

/**
 * For whoever guards a resource: is this token at least as new as every one that was seen before? Then it is kept in
 * the file, and `work` is done before anybody else is let in. Rejects with `DLM_TOKEN_OLD`, `DLM_USAGE`, `DLM_STATE_UNUSABLE`.
 */
export async function checkToken<Result = void>(file: string, token: string, options: TokenCheckOptions<Result> = {}): Promise<TokenChecked<Result>> {
  const tokens = await import('./host/token-file.js');
  return tokens.checkToken(file, token, options);
}

/** What the node has done to fence others, the oldest first. */
export async function readFenceHistory(dir?: string): Promise<FenceHistoryRead> {
  const history = await import('./host/fence-history.js');
  return history.readFenceHistory(placesOf(dir));
}

/** A plain request to the node of this machine, as docs/protocol.md lists them. Rejects with `DLM_NO_NODE`, or what the node says. */
export async function askNode<Answer>(request: ControlRequest): Promise<Answer> {
  const client = await import('./host/control-client.js');
  return client.askNode<Answer>(request);
}

/** The same, where answers come one after another. */
export async function* followNode<Answer>(request: ControlRequest): AsyncGenerator<Answer> {
  const client = await import('./host/control-client.js');
  yield* client.followNode<Answer>(request);
}

/** Asks the system whether anybody still reads what this process prints; null where that cannot be asked. */
export async function outputReader(): Promise<(() => boolean) | null> {
  const reader = await import('./host/output-reader.js');
  return reader.outputReader();
}

/** Which recoveries the node has seen, the oldest first, and how each went. */
export async function readRecoveries(dir?: string): Promise<RecoveryHistory> {
  const record = await import('./host/recovery-record.js');
  return record.readRecoveries(placesOf(dir));
}

/** Did a recovery happen in the order that was asked for? Each deviation in words. */
export async function deviationsIn(recovery: RecoveryRecord): Promise<string[]> {
  const record = await import('./host/recovery-record.js');
  return record.deviationsIn(recovery);
}

/** The world of a seed, from its beginning to its end. */
export async function runSimulation(options: SimOptions): Promise<SimReport> {
  const { runWorld } = await import('./sim/run.js');
  return runWorld(options);
}

/** A recorded life of a node, lived through again: `replay`. */
export const loadReplay = () => import('./sim/replay.js');

/** The referee, who holds the law against recordings of a kernel. */
export const loadReferee = () => import('./sim/conformance/conformance.js');

export { DlmError, catalogue, errorCodes, type ErrorCode } from './base/errors.js';
export { fenceWays, type FenceWay } from './host/fence-ways.js';
export { readSecretText } from './host/trusted-file.js';
export type { DlmConfig, FenceConfig, Remark } from './host/config.js';
export type { FenceAttempt } from './host/fence-agent.js';
export type { FenceHistoryRead, FenceRecord } from './host/fence-history.js';
export type { FenceContext, FenceLevel, FenceMethods, FenceOutcome, FenceTest } from './host/fence-methods.js';
export type { Candidate, Engine, Follower, Member, View } from './host/engine/engine.js';
export type { CorosyncNode, CorosyncOptions, EtcdOptions, LocalOptions };
export { engineNames, type EngineName, type EtcdPlace } from './host/engine/engines.js';
export type { PlannedLockspace, RecoveryPlan } from './host/recovery-plan.js';
export type { RecordedStep, RecoveryHistory, RecoveryRecord } from './host/recovery-record.js';
export type { RunNews } from './host/recovery-run.js';
export type { CaseInfo, LockspaceRecovery, RecoveryStatus } from './host/recovery-status.js';
export type { RecoveryNews, RecoveryState } from './host/recovery-watch.js';
export type { TokenChecked, TokenCheckOptions };
export { wordsForDeathSignal } from './host/death-signal.js';
export { parseLockId, type LockId } from './host/lock-id.js';
export { passingCaller, type PassingCaller } from './host/passing-caller.js';
export { ancestorsOf, commandOf } from './host/process-facts.js';
export {
  ApplicationHandle,
  type ApplicationHooks,
  type ApplicationOptions,
  type ApplicationState,
  type RecoverTask,
} from './host/application-handle.js';
export { recoveryVariable } from './host/recovery-identity.js';
export type { ApplicationEvent, RecoverEvent, ResumeEvent, SuspendEvent } from './host/port.js';
export { familyEnvironment, sayRoot } from './host/family-mark.js';
export { Unanswered } from './host/deadline.js';
export { goesBack } from './host/late-grant.js';
export { LockHandle, type HandleEvents } from './host/lock-handle.js';
export type { LockHandle as Lock } from './host/lock-handle.js';
export { LockspaceClient, attachApplication } from './host/lockspace-client.js';
export type { LockspaceClient as Lockspace } from './host/lockspace-client.js';
export { NodeClient, defaultLockspace } from './host/node-client.js';
export { ProcessFamily, graceMillis } from './host/process-family.js';
export { reasonOf } from './host/system-error.js';
export { escapeText, quoteCommand } from './host/text.js';
export { checkLockspaceName } from './host/wish.js';
export type { ShellAnswer, ShellCall, ShellParty, ShellSpeaker } from './host/shell-protocol.js';
export type * from './host/types.js';
export type { AttachOptions, ClusterOptions, OpenOptions, ServedNode, ServeOptions };
export { Flag, rules, type Rule } from './lock/flags.js';
export { defaultLaw, kernelLaw, type Law } from './lock/law.js';
export { transferOf } from './lock/lvb.js';
export { compatible, modeNamed, modeNames, nameOfMode, type Mode } from './lock/mode.js';
export { checkTrace, nameOf, parseOrder, phaseNames, presets } from './node/snapshot.js';
export type { FailureCase, FencingConfig, Order, PendingSlot, Rung, Standstill, Step, StepEvent, TraceScope } from './node/snapshot.js';
export { describeDifferences as describeStoryDifferences, tellStory, type StoryReport } from './sim/scenario/story.js';
export { Tally, seedCommand } from './sim/stakes.js';
export type { SimOptions, SimReport };

/**
 * How a member of a cluster fences others: what its options and its dlm.conf say, and
 * what its engine makes possible, put together before it becomes a member.
 *
 *   --fence WAY      that way, for all nodes
 *   dlm.conf         its devices
 *   neither          `process` on the local engine; elsewhere it is refused, since the
 *                    first death would be a bad moment to find out
 *
 * Whether the way works is asked here as far as that can be known beforehand. Who is to
 * be fenced, when and by whom is decided elsewhere (cluster/fencing.ts).
 */
import { existsSync } from 'node:fs';
import { DlmError } from '../base/errors.js';
import { incarnation, nodeId } from '../base/ids.js';
import { noFencing, type FencingConfig } from '../node/snapshot.js';
import { fencedBy, readConfig, type BuiltIn, type FenceConfig, type Remark } from './config.js';
import type { Settings } from './config-settings.js';
import type { Engine } from './engine/engine.js';
import type { FenceHistory } from './fence-history.js';
import { fenceMethods, type FenceContext, type FenceMethods } from './fence-methods.js';
import type { Places } from './places.js';

export interface FencingOptions {
  /** All nodes are fenced in this way; what the configuration says if not given. */
  readonly fence?: BuiltIn;
  /** The configuration; the node's own, if there is one, if not given. */
  readonly config?: string;
}

/** What the configuration of fencing says, before it is known who this node is. */
export interface FencingPlan {
  readonly fence: FenceConfig;
  readonly settings: Settings;
  /** In a few words, for people: `process`, or which file says it. */
  readonly words: string;
  readonly warnings: readonly Remark[];
}

/** What fencing needs to know of the members. */
export interface Known {
  /** The life that is being fenced; 0: not known which. */
  lifeOf(node: number): number;
  nameOf(node: number): string | null;
  /** When, by `performance.now()`, the first view came that lacks it; null: it is a member. */
  goneSince(node: number): number | null;
}

const postJoinMillisDefault = 30_000;
/** From one attempt to the next. */
const retryMillis = 2_000;

/** Throws `DLM_CONFIG_INVALID`. */
export function planFencing({ fence, config }: FencingOptions, isLocal: boolean, places: Pick<Places, 'config'>): FencingPlan {
  const path = config ?? (existsSync(places.config) ? places.config : null);
  const read = path === null ? null : readConfig(path);
  const settings = read?.settings ?? {};
  const warnings = read?.warnings ?? [];
  const plan = (chosen: FenceConfig, words: string): FencingPlan => ({ fence: chosen, settings, words, warnings });
  if (fence !== undefined) return plan(fencedBy(fence), fence);
  if (settings.enableFencing === false) return plan(fencedBy('none'), `switched off in ${path}`);
  if (read !== null && (read.fence.devices.length > 0 || read.fence.isNobody)) return plan(read.fence, `as ${path} says`);
  if (isLocal) return plan(fencedBy('process'), 'process');
  throw new DlmError(
    'DLM_CONFIG_INVALID',
    `no way to fence a failed node is known${path === null ? '' : `: ${path} has no device`}`,
    'describe the devices in dlm.conf (docs/fencing.md), or choose with --fence; --fence none gives locks on without it',
  );
}

/** Throws `DLM_CONFIG_INVALID` if it could not work. */
export function methodsFor({ fence, settings }: FencingPlan, engine: Engine, known: Known, history: FenceHistory): FenceMethods {
  const seconds = settings.agentTimeoutSeconds;
  const { processOf, budget } = engine;
  const context: FenceContext = {
    onAttempt: (attempt) => history.attempt(attempt),
    nameOf: (node) => known.nameOf(node),
    ...(seconds === undefined ? {} : { timeoutMillis: seconds * 1000 }),
    ...(processOf === undefined ? {} : { processOf: (node) => engine.processOf!(nodeId(node), incarnation(known.lifeOf(node))) }),
    ...(budget === undefined ? {} : { leaseEnded: (node, signal) => leaseEnded(known, node, engine, signal) }),
  };
  const methods = fenceMethods(fence, context);
  const unprovided = impossible(fence, engine);
  const problems = [...unprovided, ...methods.problems()];
  if (problems.length === 0) return methods;
  // No test of the devices would find that.
  const hint = unprovided.length > 0 ? 'use another way with this engine; see: dlm node join --help' : undefined;
  throw new DlmError('DLM_CONFIG_INVALID', `failed nodes could not be fenced: ${problems.join('; ')}`, hint);
}

/** What the engine does not provide. */
function impossible({ devices }: FenceConfig, { processOf, budget }: Engine): string[] {
  const agents = new Set(devices.map(({ agent }) => agent));
  return [
    ...(agents.has('process') && processOf === undefined ? ['with this engine nodes may be on other machines, whose processes cannot be ended from here'] : []),
    ...(agents.has('lease') && budget === undefined ? ['this engine has no leases that could end'] : []),
  ];
}

/** One that was declared failed a moment ago, too, has stopped by itself when so long has passed; one whose lease had run out has already. */
async function leaseEnded(known: Known, node: number, engine: Engine, signal: AbortSignal | undefined): Promise<void> {
  const since = known.goneSince(node);
  if (since === null) throw new Error('it is a member, and its lease goes on');
  if (engine.hasRunOut?.(nodeId(node), incarnation(known.lifeOf(node))) === true) return;
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, since + engine.budget!.regrantMillis - performance.now()));
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** As the pure rooms are to know it. */
export function fencingConfig({ fence, settings }: FencingPlan, methods: FenceMethods, isLocal: boolean): FencingConfig {
  if (fence.devices.length === 0) return noFencing;
  const { postJoinDelaySeconds, enableStartupFencing = !isLocal, repeatFailedFencing = true } = settings;
  return {
    isOn: true,
    // The delays of nodes and devices are waited for where the devices are used.
    delayMillis: 0,
    postJoinMillis: postJoinDelaySeconds === undefined ? (isLocal ? 0 : postJoinMillisDefault) : postJoinDelaySeconds * 1000,
    retryMillis: repeatFailedFencing ? retryMillis : null,
    startup: enableStartupFencing ? methods.nodes.map((node) => nodeId(node)) : [],
  };
}

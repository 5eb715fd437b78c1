/**
 * One device and one node: turn it off and look whether it is, turn it on, ask how it is.
 *
 * A device is an agent, or one of the ways that are ours: `process`, `lease` and
 * `stonith_admin`. Whatever happens (an agent that is missing, a secret that cannot be
 * read) becomes an attempt with a reason; every attempt is handed to the record as soon
 * as it has ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { builtIns, type BuiltIn, type FenceDevice } from './config.js';
import { abilitiesOf, callAgent, findAgent, parametersFor, type AgentAbilities, type AgentAction, type FenceAttempt, type Verdict } from './fence-agent.js';
import { FenceParameters } from './fence-parameters.js';
import { fenceProcess, whyNotFromHere, type NodeProcess } from './fence-process.js';
import { stonithFence, stonithPath, stonithStatus, stonithTest, type StonithAnswer } from './fence-stonith.js';
import { reasonOf } from './system-error.js';

/** What the methods know of the cluster; a command that runs without one knows nothing. */
export interface FenceContext {
  /** Hear of every attempt as soon as it has ended. */
  readonly onAttempt?: (attempt: FenceAttempt) => void;
  /** How long an agent may take, unless its device says otherwise. */
  readonly timeoutMillis?: number;
  /** For `process`: which process the node is; null: not known. */
  readonly processOf?: (node: number) => NodeProcess | null;
  /** For `lease`: resolves when the node has stopped by itself at the latest; rejects, with the reason, if that cannot be known. */
  readonly leaseEnded?: (node: number, signal: AbortSignal | undefined) => Promise<void>;
  /** For `stonith_admin`: what the node is called; null: not known. */
  readonly nameOf?: (node: number) => string | null;
}

export interface TurnedOff {
  readonly device: string;
  readonly isOff: boolean;
  readonly isAssumed: boolean;
  readonly isVerified: boolean;
  readonly reason: string;
  readonly attempts: readonly FenceAttempt[];
}

const timeoutMillis = 60_000;

/** What an attempt came to, but for what is known beforehand. */
type Result = Pick<FenceAttempt, 'exit' | 'verdict' | 'reason' | 'output'>;

/** Which attempt it is. */
interface Place {
  readonly device: FenceDevice;
  readonly node: number;
  readonly level: number;
  readonly signal: AbortSignal | undefined;
}

export class DeviceUse {
  readonly #context: FenceContext;
  /** By path; of an agent that did not tell, nothing, so that it is asked again. */
  readonly #abilities = new Map<string, AgentAbilities>();

  constructor(context: FenceContext) {
    this.#context = context;
  }

  async turnOff(device: FenceDevice, node: number, level: number, signal?: AbortSignal): Promise<TurnedOff> {
    const place = { device, node, level, signal };
    await this.#delay(place);
    const attempts = [await this.#attempt(place, 'off', () => this.#doOff(place))];
    if (attempts[0]!.verdict === 'done' && (await this.#canTell(place))) {
      attempts.push(await this.#attempt(place, 'status', () => this.#doStatus(place)));
    }
    return judged(device, attempts);
  }

  async turnOn(device: FenceDevice, node: number, level: number, signal?: AbortSignal): Promise<FenceAttempt[]> {
    if (ourWay(device) !== null) return [];
    const place = { device, node, level, signal };
    return [await this.#attempt(place, 'on', () => this.#callAgent(place, 'on'))];
  }

  /** Its status if it can tell, and if not whether it answers. */
  async look(device: FenceDevice, node: number, level: number, signal?: AbortSignal): Promise<FenceAttempt> {
    const place = { device, node, level, signal };
    const action = ourWay(device) === null && !(await this.#canTell(place)) ? 'monitor' : 'status';
    return this.#attempt(place, action, () => this.#doLook(place, action));
  }

  #doOff(place: Place): Promise<Result> {
    const { device, node, signal } = place;
    switch (ourWay(device)) {
      case 'process':
        return fenceProcess(this.#processOf(node), this.#timeoutOf(place), signal).then((end) => ({ exit: null, output: '', ...end }));
      case 'lease':
        return this.#waitForLease(node, signal);
      case 'stonith_admin':
        return this.#askPacemaker(place, stonithFence);
      default:
        return this.#callAgent(place, 'off');
    }
  }

  #doStatus(place: Place): Promise<Result> {
    return ourWay(place.device) === 'stonith_admin' ? this.#askPacemaker(place, stonithStatus) : this.#callAgent(place, 'status');
  }

  async #doLook(place: Place, action: AgentAction): Promise<Result> {
    const way = ourWay(place.device);
    if (way === null) return (await this.#cannotTurnOff(place)) ?? this.#callAgent(place, action);
    if (way === 'stonith_admin') return this.#askPacemaker(place, stonithTest);
    const isAttached = way === 'process' ? this.#context.processOf !== undefined : this.#context.leaseEnded !== undefined;
    if (!isAttached) return result('assumed', 'there is nothing to ask before the node runs');
    const why = way === 'process' ? whyNotFromHere(this.#processOf(place.node)) : null;
    return why === null ? result('answers', 'it can be used') : result('failed', why);
  }

  #processOf(node: number): NodeProcess | null {
    return this.#context.processOf?.(node) ?? null;
  }

  async #waitForLease(node: number, signal: AbortSignal | undefined): Promise<Result> {
    const { leaseEnded } = this.#context;
    if (leaseEnded === undefined) return result('failed', 'this engine has no leases');
    await leaseEnded(node, signal);
    if (signal?.aborted === true) return result('cancelled', 'cancelled');
    return result('assumed', 'its lease has ended, so it must have stopped by itself');
  }

  async #askPacemaker(place: Place, ask: typeof stonithFence): Promise<Result> {
    const { device, node, signal } = place;
    const parameters = specialOf(device, node);
    const name = parameters.plain('name') ?? this.#context.nameOf?.(node) ?? null;
    if (name === null || !/^[A-Za-z0-9_][\w.-]*$/.test(name)) {
      return result('failed', `what Pacemaker calls node ${node} is not known; write: connect ${device.name} node=${node} name=NAME`);
    }
    const path = findAgent(parameters.plain('path') ?? stonithPath);
    const { end, ...rest }: StonithAnswer = await ask({ path, name, timeoutMillis: this.#timeoutOf(place), isReboot: device.turnsOnAgain, signal });
    return { exit: end.exit, ...rest };
  }

  async #callAgent(place: Place, action: AgentAction): Promise<Result> {
    const { device, node, signal } = place;
    const path = findAgent(device.agent);
    const abilities = await this.#abilitiesOf(path, signal);
    const known = parametersFor(specialOf(device, node), new FenceParameters([['node', String(node)]]), abilities);
    const parameters = await known.resolve(signal);
    const { end, ...rest } = await callAgent({ path, action, parameters, timeoutMillis: this.#timeoutOf(place), signal });
    return { exit: end.exit, ...rest };
  }

  /** Has the device a status? */
  async #canTell({ device, signal }: Place): Promise<boolean> {
    const way = ourWay(device);
    if (way !== null) return way === 'stonith_admin';
    try {
      return (await this.#abilitiesOf(findAgent(device.agent), signal))?.actions.has('status') ?? false;
    } catch {
      // What is wrong with the agent is said by the attempt that uses it.
      return false;
    }
  }

  /** An agent that has actions, and not this one, is of no use. */
  async #cannotTurnOff({ device, signal }: Place): Promise<Result | null> {
    const actions = (await this.#abilitiesOf(findAgent(device.agent), signal))?.actions;
    return actions === undefined || actions.has('off') ? null : result('failed', 'the agent cannot turn anything off');
  }

  async #abilitiesOf(path: string, signal: AbortSignal | undefined): Promise<AgentAbilities | null> {
    const known = this.#abilities.get(path) ?? (await abilitiesOf(path, signal));
    if (known !== null) this.#abilities.set(path, known);
    return known;
  }

  async #attempt({ device, node, level, signal }: Place, action: string, act: () => Promise<Result>): Promise<FenceAttempt> {
    const at = new Date().toISOString();
    const began = performance.now();
    const end = await act().catch((error: unknown) => result(signal?.aborted === true ? 'cancelled' : 'failed', reasonOf(error)));
    const millis = Math.round((performance.now() - began) * 10) / 10;
    const attempt: FenceAttempt = { at, node, level, device: device.name, agent: device.agent, action, millis, ...end };
    this.#context.onAttempt?.(attempt);
    return attempt;
  }

  async #delay({ device, node, signal }: Place): Promise<void> {
    const millis = connectedOf(device, node)?.delayMillis ?? device.delayMillis;
    if (millis > 0) await pause(millis, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }

  #timeoutOf({ device, node }: Place): number {
    return connectedOf(device, node)?.timeoutMillis ?? device.timeoutMillis ?? this.#context.timeoutMillis ?? timeoutMillis;
  }
}

/** Null: it is an agent. */
function ourWay({ agent }: FenceDevice): BuiltIn | null {
  return builtIns.find((way) => way === agent) ?? null;
}

function connectedOf({ nodes }: FenceDevice, node: number) {
  return nodes === 'every' ? undefined : nodes.get(node);
}

function specialOf(device: FenceDevice, node: number): FenceParameters {
  return device.parameters.with(connectedOf(device, node)?.parameters ?? FenceParameters.none);
}

function result(verdict: Verdict, reason: string): Result {
  return { exit: null, verdict, reason, output: '' };
}

/** It is off if whoever looked last says so; or if nobody can look, and it was said to be done. */
function judged(device: FenceDevice, attempts: readonly FenceAttempt[]): TurnedOff {
  const last = attempts.at(-1)!;
  const isVerified = last.verdict === 'is off' || (device.agent === 'process' && last.verdict === 'done');
  const isAssumed = last.verdict === 'assumed';
  const isBelieved = attempts.length === 1 && last.verdict === 'done';
  const reason = last.verdict === 'is on' ? 'it said that the node was off, and then that it is on' : last.reason;
  const words = isBelieved && !isVerified ? `${reason}, by its word alone: it has no status` : reason;
  return { device: device.name, isOff: isVerified || isAssumed || isBelieved, isAssumed, isVerified, reason: words, attempts };
}

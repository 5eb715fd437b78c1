/**
 * How a node can be fenced, and doing it: one round over its levels, from the first
 * choice to the last, until one of them has worked.
 *
 * A level is one device, or several that are used together and must all have worked.
 * Which node is to be fenced, who does it and when to try again is decided elsewhere
 * (cluster/fencing.ts); here every attempt is made, judged and recorded. What is not
 * known to have worked has not.
 *
 *   fenced     nothing of it runs any more; or so it is assumed, if `isAssumed` says it
 *   failed     nothing is known; the node may be off, or half of it
 *   cancelled  the same, because it is no longer wanted
 */
import { setTimeout as pause } from 'node:timers/promises';
import { builtIns, type FenceConfig, type FenceDevice } from './config.js';
import { findAgent, type FenceAttempt } from './fence-agent.js';
import { DeviceUse, type FenceContext } from './fence-device.js';
import { stonithPath } from './fence-stonith.js';
import { reasonOf } from './system-error.js';

export type { FenceContext } from './fence-device.js';

/** How a node would be fenced, the first choice first. */
export interface FenceLevel {
  readonly level: number;
  readonly devices: readonly { readonly device: string; readonly agent: string; readonly isForUnfencing: boolean }[];
}

export interface FenceOutcome {
  readonly node: number;
  readonly result: 'fenced' | 'failed' | 'cancelled';
  /** What has worked, as in `bmc`; null: nothing. */
  readonly by: string | null;
  /** It is off because it must be by now; nobody has looked. */
  readonly isAssumed: boolean;
  /** A device has said afterwards that the node is off, or the system that its processes have ended. */
  readonly isVerified: boolean;
  readonly reason: string;
  readonly millis: number;
  readonly attempts: readonly FenceAttempt[];
}

/** What a device says about a node, without doing anything to it. */
export interface FenceTest {
  readonly isWell: boolean;
  readonly attempts: readonly FenceAttempt[];
  /** Why it is not well; empty if it is. */
  readonly reason: string;
}

export interface FenceMethods {
  /** Empty: nobody can fence it. */
  methodsFor(node: number): readonly FenceLevel[];
  /** One round. Never rejects; an abort ends the agent that runs. */
  fence(node: number, options?: { signal?: AbortSignal }): Promise<FenceOutcome>;
  /** Ask each device for the status of the node; never turns anything off. Never rejects. */
  test(node: number, options?: { signal?: AbortSignal }): Promise<FenceTest>;
  /** Turn this node on where it is asked to do so itself, before it joins. Never rejects. */
  unfence(self: number, options?: { signal?: AbortSignal }): Promise<FenceTest>;
  /** What would be in the way of fencing, whoever it is for: an agent that is not installed, a secret that cannot be read. */
  problems(): string[];
  /** Those whom the configuration names. */
  readonly nodes: readonly number[];
  /** What goes on after an outcome (nodes that are turned on again) is ended. */
  close(): Promise<void>;
}

export function fenceMethods(config: FenceConfig, context: FenceContext): FenceMethods {
  return new Methods(config, context);
}

class Methods implements FenceMethods {
  readonly #config: FenceConfig;
  readonly #use: DeviceUse;
  readonly #closing = new AbortController();
  readonly #turningOn = new Set<Promise<unknown>>();

  constructor(config: FenceConfig, context: FenceContext) {
    this.#config = config;
    this.#use = new DeviceUse(context);
  }

  get nodes(): readonly number[] {
    const named = this.#config.devices.flatMap(({ nodes }) => (nodes === 'every' ? [] : [...nodes.keys()]));
    return [...new Set(named)].sort((one, other) => one - other);
  }

  methodsFor(node: number): readonly FenceLevel[] {
    return this.#levels(node).map((devices, index) => ({
      level: index + 1,
      devices: devices.map(({ name, agent, isForUnfencing }) => ({ device: name, agent, isForUnfencing })),
    }));
  }

  async fence(node: number, { signal }: { signal?: AbortSignal } = {}): Promise<FenceOutcome> {
    const began = performance.now();
    const attempts: FenceAttempt[] = [];
    const levels = this.#levels(node);
    const outcome = (rest: Pick<FenceOutcome, 'result' | 'by' | 'isAssumed' | 'isVerified' | 'reason'>): FenceOutcome => ({
      node,
      ...rest,
      millis: performance.now() - began,
      attempts,
    });
    const nothing = { by: null, isAssumed: false, isVerified: false };
    const reasons = levels.length === 0 ? [`no fence device is connected to node ${node}`] : [];
    await this.#delay(this.#config.nodeDelays.get(node) ?? 0, signal);
    for (const [index, devices] of levels.entries()) {
      if (signal?.aborted === true) break;
      const results = await Promise.all(devices.map((device) => this.#use.turnOff(device, node, index + 1, signal)));
      attempts.push(...results.flatMap((result) => result.attempts));
      const failed = results.filter(({ isOff }) => !isOff);
      reasons.push(...failed.map(({ device, reason }) => `${device}: ${reason}`));
      if (failed.length > 0) continue;
      this.#turnOnAgain(devices, node, index + 1);
      return outcome({
        result: 'fenced',
        by: devices.map(({ name }) => name).join(' and '),
        isAssumed: results.some(({ isAssumed }) => isAssumed),
        isVerified: results.every(({ isVerified }) => isVerified),
        reason: results.map(({ reason }) => reason).join('; '),
      });
    }
    if (signal?.aborted === true) return outcome({ ...nothing, result: 'cancelled', reason: 'it was no longer wanted' });
    return outcome({ ...nothing, result: 'failed', reason: reasons.join('; ') });
  }

  async test(node: number, { signal }: { signal?: AbortSignal } = {}): Promise<FenceTest> {
    const levels = this.#levels(node);
    if (levels.length === 0) return { isWell: false, attempts: [], reason: `no fence device is connected to node ${node}` };
    const tried = await Promise.all(
      levels.flatMap((devices, index) => devices.map((device) => this.#use.look(device, node, index + 1, signal))),
    );
    const isGood = ({ verdict }: FenceAttempt): boolean => ['is on', 'is off', 'answers', 'assumed'].includes(verdict);
    return testOf(tried, isGood);
  }

  /** All of them, one after the other: they may share a path to the same storage. */
  async unfence(self: number, { signal }: { signal?: AbortSignal } = {}): Promise<FenceTest> {
    const attempts: FenceAttempt[] = [];
    for (const [index, devices] of this.#levels(self).entries()) {
      for (const device of devices.filter(({ isForUnfencing }) => isForUnfencing)) {
        attempts.push(...(await this.#use.turnOn(device, self, index + 1, signal)));
      }
    }
    return testOf(attempts, ({ verdict }) => verdict === 'done' || verdict === 'is on');
  }

  problems(): string[] {
    return this.#config.devices.flatMap((device) => {
      const found = [() => checkAgent(device), () => device.parameters.checkSources()];
      const special = device.nodes === 'every' ? [] : [...device.nodes.values()];
      const checks = [...found, ...special.map(({ parameters }) => () => parameters.checkSources())];
      const where = this.#config.path === null ? device.name : `${this.#config.path} line ${device.line}, ${device.name}`;
      return checks.flatMap((check) => problemOf(check).map((problem) => `${where}: ${problem}`));
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#turningOn);
  }

  #levels(node: number): FenceDevice[][] {
    const levels = new Map<string, FenceDevice[]>();
    for (const device of this.#config.devices) {
      if (device.nodes !== 'every' && !device.nodes.has(node)) continue;
      levels.set(device.level, [...(levels.get(device.level) ?? []), device]);
    }
    return [...levels.values()];
  }

  async #delay(millis: number, signal: AbortSignal | undefined): Promise<void> {
    if (millis > 0) await pause(millis, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }

  /** Nobody waits for that: whether the node comes back is not a question of whether it was off. */
  #turnOnAgain(devices: readonly FenceDevice[], node: number, level: number): void {
    for (const device of devices.filter(({ turnsOnAgain }) => turnsOnAgain)) {
      const task = this.#use.turnOn(device, node, level, this.#closing.signal).finally(() => this.#turningOn.delete(task));
      this.#turningOn.add(task);
    }
  }
}

function testOf(attempts: readonly FenceAttempt[], isGood: (attempt: FenceAttempt) => boolean): FenceTest {
  const bad = attempts.filter((attempt) => !isGood(attempt));
  return { isWell: bad.length === 0, attempts, reason: bad.map(({ device, reason }) => `${device}: ${reason}`).join('; ') };
}

/** Is there what it needs? Throws `DLM_CONFIG_INVALID`. */
function checkAgent({ agent, parameters }: FenceDevice): void {
  if (agent === 'stonith_admin') findAgent(parameters.plain('path') ?? stonithPath);
  else if (!(builtIns as readonly string[]).includes(agent)) findAgent(agent);
}

function problemOf(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    return [reasonOf(error)];
  }
}

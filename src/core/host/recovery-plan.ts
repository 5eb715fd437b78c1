/**
 * What would happen if a node failed now: which steps in which order, whose locks would
 * go, to whom they would be given, which values would no longer be valid, and who may
 * decide about what it decided about.
 *
 * It is computed from what all members hold at this moment, by the law itself, on copies.
 * What changes before the failure changes the plan.
 */
import { generation, lkid, millis, nodeId } from '../base/ids.js';
import { Flag } from '../lock/flags.js';
import { grantPending } from '../lock/grant.js';
import { defaultLaw } from '../lock/law.js';
import { Lock } from '../lock/lock.js';
import { CR, IV, PW, modeNamed, type ModeOrNone } from '../lock/mode.js';
import { Resource } from '../lock/resource.js';
import { Turn } from '../lock/turn.js';
import { nameOf, steps, type Order, type Step } from '../node/snapshot.js';
import type { FenceLevel } from './fence-methods.js';
import { needCluster } from './fence-desk.js';
import type { Host } from './host.js';
import { nameOfKnown } from './known-node.js';
import type { LockInfo, Unlisted } from './types.js';
import { flagsOf } from './wish.js';

export interface PlannedStep {
  readonly step: Step;
  /** All of these must have ended before it begins. */
  readonly after: readonly Step[];
  /** Who does it. */
  readonly by: readonly number[];
  /** Why nobody does; empty if somebody does. */
  readonly words: string;
}

export interface PlannedLockspace {
  readonly lockspace: string;
  readonly order: string;
  readonly steps: readonly PlannedStep[];
  /** The locks and requests of the node, which end. */
  readonly purged: readonly LockInfo[];
  /** Requests and conversions of others, which are granted then. */
  readonly granted: readonly LockInfo[];
  /** Resources whose value is no longer valid, or lost, as text. */
  readonly notValid: readonly string[];
  /** Resources that the node decides about, and who may decide then: the first of these who asks. */
  readonly masters: readonly { readonly resource: string; readonly candidates: readonly number[] }[];
}

export interface RecoveryPlan {
  readonly node: number;
  readonly name: string;
  /** One that is no member cannot fail now: there is nothing to plan. */
  readonly isMember: boolean;
  /** How it would be fenced; empty: it is not. */
  readonly fencing: readonly FenceLevel[];
  readonly lockspaces: readonly PlannedLockspace[];
  /** Members that have not told what they hold: the plan is of the rest. */
  readonly unlisted: readonly Unlisted[];
}

/** Rejects with `DLM_USAGE`, also for a node that nobody has ever heard of. */
export async function planRecovery(host: Host, node: number): Promise<RecoveryPlan> {
  const cluster = needCluster(host);
  const member = cluster.view?.members.find((one) => one.node === node);
  if (member === undefined) return { node, name: nameOfKnown(host, cluster, node), isMember: false, fencing: [], lockspaces: [], unlisted: [] };
  const fencing = cluster.fencing.isOn ? cluster.methods.methodsFor(node) : [];
  const shared = host.node.lockspaceNames().filter((name) => (member.lockspaces.get(name) ?? 0) > 0);
  const lockspaces: PlannedLockspace[] = [];
  const missing = new Map<number, Unlisted>();
  for (const lockspace of shared) {
    const { locks, unlisted } = await host.everywhere.locks({ lockspace });
    for (const one of unlisted) missing.set(one.node, one);
    lockspaces.push(planFor(host, lockspace, node, locks));
  }
  return { node, name: member.name, isMember: true, fencing, lockspaces, unlisted: [...missing.values()] };
}

function planFor(host: Host, lockspace: string, node: number, locks: readonly LockInfo[]): PlannedLockspace {
  const { aftermath, group, recovery } = host.node.stack(lockspace)!;
  const attached = recovery.slots.filter(({ hasApplication }) => hasApplication).map((member) => member.node as number);
  const others = group.members.map((member) => member.node as number).filter((one) => one !== node);
  const purged = locks.filter((lock) => lock.node === node);
  const byResource = new Map<string, LockInfo[]>();
  for (const lock of locks) byResource.set(lock.resourceHex, [...(byResource.get(lock.resourceHex) ?? []), lock]);
  const resources = [...byResource.values()];
  const left = (some: readonly LockInfo[]): LockInfo[] => some.filter((lock) => lock.node !== node);
  return {
    lockspace,
    order: nameOf(aftermath.order),
    steps: stepsOf(aftermath.order, node, others, attached),
    purged,
    granted: resources.flatMap((some) => (some.some((lock) => lock.node === node) ? grantedAmong(left(some)) : [])),
    notValid: resources.filter((some) => losesValue(some, node)).map(([first]) => first!.resource),
    masters: resources
      .filter((some) => some[0]!.master === node && left(some).length > 0)
      .map((some) => ({ resource: some[0]!.resource, candidates: [...new Set(left(some).map((lock) => lock.node))].sort((one, two) => one - two) })),
  };
}

/** In an order in which they can happen; those that do not wait for one another go on side by side. */
function stepsOf({ before }: Order, victim: number, others: readonly number[], attached: readonly number[]): PlannedStep[] {
  const planned = [...before].map(([step, after]) => ({ step, after: steps.filter((one) => after.has(one)), ...doersOf(step, victim, others, attached) }));
  return planned.sort((one, two) => one.after.length - two.after.length);
}

/** `attached`: those with an application. Only who had one leaves something behind that one has to put in order. */
function doersOf(step: Step, victim: number, others: readonly number[], attached: readonly number[]): Pick<PlannedStep, 'by' | 'words'> {
  if (step === 'dlm') return { by: others, words: '' };
  if (step === 'fence') return { by: others.slice(0, 1), words: '' };
  if (attached.length === 0) return { by: [], words: 'no application is attached, so nothing is run' };
  const able = others.filter((node) => attached.includes(node));
  if (step !== 'app') return { by: able, words: able.length === 0 ? 'no other node has an application' : '' };
  if (!attached.includes(victim)) return { by: [], words: `node ${victim} has no application, so nothing is left to be put in order` };
  return { by: able.slice(0, 1), words: able.length === 0 ? 'no other node has an application, so it waits until one has' : '' };
}

/** The locks of one resource, the failed node's left out: who is granted what he waits for? */
function grantedAmong(locks: readonly LockInfo[]): LockInfo[] {
  const turn = new Turn(defaultLaw, { push: () => undefined });
  const resource = new Resource('', 0, { master: nodeId(1), generation: generation(0) });
  const byPlace = [...locks].sort((one, two) => (one.position ?? 0) - (two.position ?? 0));
  const made = byPlace.map((info, index) => ({ info, lock: lockOf(resource, info, index) }));
  turn.begin(millis(0));
  grantPending(turn, resource);
  return made.filter(({ info, lock }) => info.state !== 'granted' && lock.place === 'granted').map(({ info }) => info);
}

/** Values are another question, and a place at the head was taken long ago. */
const unheeded = Flag.VALBLK | Flag.IVVALBLK | Flag.HEADQUE | Flag.NOQUEUE;

function lockOf(resource: Resource, { mode, requested, state, flags }: LockInfo, index: number): Lock {
  const lock = new Lock(lkid(index + 1), resource, null, null, millis(0));
  lock.flags = flagsOf({ flags: [...flags] }) & ~unheeded;
  lock.granted = modeOf(mode);
  lock.requested = modeOf(requested);
  if (state === 'granted') resource.joinGranted(lock, millis(0));
  else resource.joinQueue(lock, state, millis(0));
  return lock;
}

const modeOf = (mode: string | null): ModeOrNone => (mode === null ? IV : modeNamed(mode)!);

/** As recovery decides it: depart.ts where the master stays, settle.ts where it has gone. */
function losesValue(locks: readonly LockInfo[], node: number): boolean {
  const hasValue = ({ flags }: LockInfo): boolean => flags.includes('VALBLK');
  if (locks[0]!.master !== node) return locks.some((lock) => lock.node === node && modeOf(lock.mode) >= PW && hasValue(lock));
  const kept = locks.filter((lock) => lock.node !== node && lock.mode !== null && hasValue(lock));
  const isLost = kept.length === 0 && locks.some((lock) => lock.node === node && hasValue(lock));
  return isLost || (kept.length > 0 && !kept.some((lock) => modeOf(lock.mode) > CR));
}

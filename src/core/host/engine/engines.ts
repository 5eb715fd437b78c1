/**
 * Which engine says who is in the cluster: the one place that knows them all.
 *
 * Asked when a node joins; from then on it is an `Engine` and nobody cares which. A
 * new one is a file beside this one, a name here, a row in `makers`, and a run of
 * test/engine/suite.ts. It is loaded only by those who choose it.
 */
import { DlmError } from '../../base/errors.js';
import { stoppingMillis } from '../engine-deadline.js';
import type { Places } from '../places.js';
import type { Engine } from './engine.js';
import type { EtcdOptions } from './etcd-options.js';

export const engineNames = ['local', 'corosync', 'etcd'] as const;

export type EngineName = (typeof engineNames)[number];

/** Where an etcd is, and how to speak to it. */
export type EtcdPlace = Omit<EtcdOptions, 'cluster' | 'mustExist' | 'log'>;

/** What an engine may need to know of the node. */
export interface EngineOptions {
  readonly cluster: string;
  /** The local engine: the folder in which clusters of this machine have theirs. */
  readonly base?: string;
  /** The etcd engine needs it. */
  readonly etcd?: EtcdPlace;
  /** Join others, and do not be the first: `DLM_START_REFUSED` if there are none. */
  readonly mustExist: boolean;
  /** Where the node keeps its things; among them the register of its protected children. */
  readonly places: Places;
  readonly log: (line: string) => void;
}

/** Those of the others that take longest. */
const joinMillisOfOthers = 30_000;

/** So long it takes at most to become a member, or to hear that it cannot be, in milliseconds. */
export async function joinMillisBy(name: EngineName, place: EtcdPlace | undefined): Promise<number> {
  if (name !== 'etcd' || place === undefined) return joinMillisOfOthers;
  const { joinMillisOf } = await import('./etcd-options.js');
  return joinMillisOf(place);
}

type Maker = (options: EngineOptions) => Promise<Engine>;

const makers: Readonly<Record<EngineName, Maker>> = { local, corosync, etcd };

/** An engine that has not joined yet. Rejects with `DLM_NAME_INVALID`, `DLM_USAGE`, `DLM_NOT_PERMITTED` or `DLM_STATE_UNUSABLE`. */
export function engineOf(name: EngineName, options: EngineOptions): Promise<Engine> {
  return makers[name](options);
}

/** Deaths are seen by the operating system, so that what the dead have left running is ended here, too. */
async function local({ cluster, base, mustExist, places, log }: EngineOptions): Promise<Engine> {
  const { clusterPlaces, prepareCluster } = await import('./cluster-places.js');
  const { LastChildren, leaveWord } = await import('./last-children.js');
  const { localEngine } = await import('./local.js');
  const home = clusterPlaces(cluster, base);
  prepareCluster(home);
  await leaveWord(home, places, log);
  const children = new LastChildren(home, log);
  return localEngine({ cluster, ...(base === undefined ? {} : { base }), mustExist, log, isOver: (process) => children.areGone(process) });
}

/** Of several machines, each of which runs corosync. It counts one node a machine, so that a command is none beside it. */
async function corosync({ cluster, mustExist, log }: EngineOptions): Promise<Engine> {
  if (mustExist) {
    throw new DlmError('DLM_USAGE', 'corosync knows one node on each machine, and not a command that is one for a while', 'join with: dlm node join --detach; commands then reach it');
  }
  const { corosyncEngine } = await import('./corosync.js');
  return corosyncEngine({ cluster, log, graceMillis: stoppingMillis });
}

/** Of several machines, by what is written at an etcd. */
async function etcd({ cluster, etcd: place, mustExist, log }: EngineOptions): Promise<Engine> {
  if (place === undefined) throw new DlmError('DLM_USAGE', 'the engine etcd needs to know where etcd is', 'name its servers with: --etcd URL[,URL…]');
  const { leastTtlMillis } = await import('./etcd-lease.js');
  const least = leastTtlMillis(stoppingMillis);
  if (place.ttlMillis < least) {
    const why = `a third of it must be enough for the commands under locks to end, which takes up to ${stoppingMillis / 1000} s`;
    throw new DlmError('DLM_USAGE', `--etcd-ttl must be at least ${least / 1000} s, and ${place.ttlMillis / 1000} s were given: ${why}`, 'give all nodes of the cluster the same, longer one, or leave it out: 20 s');
  }
  const { etcdEngine } = await import('./etcd.js');
  return etcdEngine({ ...place, cluster, mustExist, log });
}

/** The port at which a node listens on the machine's address in corosync.conf: that of the kernel's lock manager. */
const portDefault = 21_064;

/** Where a node listens that was not told where; null: at a socket in its folder. Throws `DLM_USAGE`. */
export async function addressByEngine(name: EngineName): Promise<string | null> {
  if (name === 'local') return null;
  if (name === 'corosync') {
    const { ownNodeOfCorosync } = await import('./corosync-settings.js');
    const address = ownNodeOfCorosync()?.address ?? null;
    if (address !== null) return `tcp:${address.includes(':') ? `[${address}]` : address}:${portDefault}`;
  }
  throw new DlmError('DLM_USAGE', 'the others must know how to reach this node', 'say where it listens: --listen tcp:HOST:PORT --key-file FILE');
}

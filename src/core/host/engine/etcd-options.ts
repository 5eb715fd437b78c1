/**
 * What can be chosen about a cluster at etcd, what is accepted of it, and what an
 * operator is told when etcd refuses.
 *
 * The engine asks. Nothing here speaks with etcd.
 */
import { randomUUID } from 'node:crypto';
import { DlmError } from '../../base/errors.js';
import { identify } from '../process-facts.js';
import type { Candidate } from './engine.js';
import { EtcdRefusal, type GatewayOptions } from './etcd-gateway.js';
import { isLockspaces, isName, isText, lockspacesMax } from './registrar-protocol.js';
import type { Applicant, Enrolled } from './roll.js';

export interface EtcdOptions extends GatewayOptions {
  /** 1 to 32 letters, digits, dots, dashes and underscores. */
  readonly cluster: string;
  /** Below which keys the clusters have theirs; `/dlm` if not given. */
  readonly prefix?: string;
  /** How long a member may be silent before others go on without it; the same for all. etcd counts whole seconds. */
  readonly ttlMillis: number;
  /** Join others, and do not be the first; false if not given. */
  readonly mustExist?: boolean;
  /** How long it may take to be let in, in milliseconds. */
  readonly joinMillis?: number;
  /** Where lines for the node's log go; nowhere if not given. */
  readonly log?: (line: string) => void;
}

export const prefixDefault = '/dlm';

const ttlMillisMin = 1_000;
const ttlMillisMax = 600_000;
/** Beyond two leases: one that is in the way runs out, and one of ours. */
const joinMillisBeyond = 15_000;
const addressMax = 255;
/** The longest record, in characters; etcd by itself takes no request beyond 1.5 MiB. */
const recordMax = 1 << 20;

export function joinMillisOf({ ttlMillis, joinMillis = joinMillisBeyond + 2 * ttlMillis }: Pick<EtcdOptions, 'ttlMillis' | 'joinMillis'>): number {
  return joinMillis;
}

/** Throws `DLM_NAME_INVALID` or `DLM_USAGE`. */
export function checkOptions({ cluster, prefix = prefixDefault, ttlMillis }: EtcdOptions): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$/.test(cluster)) {
    throw new DlmError(
      'DLM_NAME_INVALID',
      `${JSON.stringify(cluster)} cannot be the name of a cluster`,
      'give 1 to 32 letters, digits, dots, dashes and underscores, not beginning with a dot or a dash',
    );
  }
  if (!/^[\x21-\x7e]{1,256}$/.test(prefix) || prefix.endsWith('/')) {
    throw new DlmError('DLM_USAGE', `${JSON.stringify(prefix)} cannot be a prefix of keys`, 'write it as /dlm, without a slash at its end');
  }
  if (!(ttlMillis >= ttlMillisMin && ttlMillis <= ttlMillisMax)) {
    throw new DlmError('DLM_USAGE', `a lease cannot last ${ttlMillis} ms`, `give ${ttlMillisMin / 1_000} to ${ttlMillisMax / 1_000} seconds`);
  }
}

/** Throws `DLM_NAME_INVALID` or `DLM_STATE_UNUSABLE`. */
export function applicantOf({ node, name, incarnation, address, weight }: Candidate, lockspaces: Enrolled['lockspaces']): Applicant {
  if (!isName(name)) {
    throw new DlmError('DLM_NAME_INVALID', `${JSON.stringify(name)} cannot be the name of a node`, 'give 1 to 64 printable characters without spaces');
  }
  if (!isText(address, addressMax)) throw new DlmError('DLM_NAME_INVALID', 'the address of the node is too long for a cluster at etcd');
  const self = identify(process.pid);
  if (self === null) {
    throw new DlmError('DLM_STATE_UNUSABLE', 'the system does not tell when a process was started (/proc)', 'mount /proc: without it a life cannot be told from another');
  }
  return { node: node === 'auto' ? null : node, name, incarnation, address, weight, lockspaces, life: randomUUID(), ...self };
}

/** The lockspaces of a member, in order, if they fit into one record with `others`. Throws `DLM_TOO_MANY` or `DLM_NAME_INVALID`. */
export function roomFor(lockspaces: ReadonlyMap<string, number>, others: readonly Enrolled[]): Enrolled['lockspaces'] {
  const sorted = Array.from(lockspaces).sort(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length > lockspacesMax || JSON.stringify([others, sorted]).length > recordMax) {
    throw new DlmError('DLM_TOO_MANY', `there is no room at etcd for ${sorted.length} lockspaces of this node`, 'leave one that is not needed');
  }
  if (!isLockspaces(sorted)) throw new DlmError('DLM_NAME_INVALID', 'the name of a lockspace is too long for a cluster at etcd');
  return sorted;
}

/** What an operator can do about what etcd said. */
export function operatorsError(error: unknown): Error {
  if (!(error instanceof EtcdRefusal)) return error as Error;
  const { message } = error;
  if (error.isOfRights) {
    return new DlmError('DLM_NOT_PERMITTED', `etcd does not let us: ${message}`, 'see the user, its password and its role: it must read and write below the prefix');
  }
  if (/too large/.test(message)) return new DlmError('DLM_TOO_MANY', `etcd takes no record of that size: ${message}`, 'let nodes leave lockspaces that are not needed');
  return new DlmError('DLM_STATE_UNUSABLE', `etcd refuses: ${message}`, 'see its log');
}

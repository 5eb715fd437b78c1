/**
 * What a node holds, as people want to see it: the core's dump with its owners'
 * names put in. Everything returned is a copy.
 */
import { DlmError } from '../base/errors.js';
import { namesOfFlags } from '../lock/flags.js';
import { IV, nameOfMode, type ModeName, type ModeOrNone } from '../lock/mode.js';
import { nameOf, type LockDump, type LockspaceDump, type ResourceDump } from '../node/snapshot.js';
import type { Host } from './host.js';
import { errorOfMisfit } from './misfit.js';
import { formatLockId, formatToken } from './lock-id.js';
import { defaultLockspace } from './node-client.js';
import { bytesToText, escapeText, hexOf } from './text.js';
import type { LockFilter, LockInfo, LockspaceContent, LockspaceSummary, OwnerInfo, ResourceInfo } from './types.js';
import { nameToCore } from './wish.js';

/** Throws `DLM_LOCKSPACE_UNKNOWN`. */
function dumpOf(host: Host, lockspace: string, resource: string | null = null): LockspaceDump {
  const dump = host.node.dump(lockspace, resource);
  if (dump === null) throw unknown(host, lockspace);
  return dump;
}

/** It is not joined: was it, and had to be left? */
export function unknown({ misfits }: Host, lockspace: string): DlmError {
  const misfit = misfits.get(lockspace);
  if (misfit !== undefined) return errorOfMisfit(misfit);
  const hint = lockspace === defaultLockspace ? `nobody here has used it yet; its first lock joins it, or: dlm lockspace create ${defaultLockspace}` : undefined;
  return new DlmError('DLM_LOCKSPACE_UNKNOWN', `this node has not joined lockspace '${escapeText(lockspace)}'`, hint);
}

/** Throws `DLM_LOCKSPACE_UNKNOWN`. */
export function summary(host: Host, lockspace: string): LockspaceSummary {
  const counts = host.node.counts(lockspace);
  if (counts === null) throw unknown(host, lockspace);
  const { aftermath, lockspace: { config } } = host.node.stack(lockspace)!;
  const standstill = host.node.standstill(lockspace);
  const hasReason = standstill !== null && ['fencing', 'suspend', 'app'].includes(standstill.rung);
  return { name: lockspace, order: nameOf(aftermath.order), nodir: config.nodir, reason: hasReason ? standstill.words : '', ...counts };
}

export function summaries(host: Host): LockspaceSummary[] {
  return host.node.lockspaceNames().map((name) => summary(host, name));
}

export function content(host: Host, lockspace: string): LockspaceContent {
  const dump = dumpOf(host, lockspace);
  return { ...summary(host, lockspace), content: dump.resources.map((resource) => describe(host, dump.name, resource)) };
}

export function locks(host: Host, filter: LockFilter): LockInfo[] {
  const names = filter.lockspace === undefined ? host.node.lockspaceNames() : [filter.lockspace];
  const resource = filter.name === undefined ? null : nameToCore(filter.name);
  const all = names.flatMap((name) =>
    dumpOf(host, name, resource).resources.flatMap((found) => {
      const { granted, converting, waiting } = describe(host, name, found);
      return [...granted, ...converting, ...waiting];
    }),
  );
  return filter.orphansOnly === true ? all.filter((lock) => lock.owner.kind === 'orphan') : all;
}

function describe(host: Host, lockspace: string, resource: ResourceDump): ResourceInfo {
  const infoOf =
    (state: LockInfo['state']) =>
    (lock: LockDump, index: number): LockInfo =>
      describeLock(host, lockspace, resource, lock, state, index);
  return {
    resource: bytesToText(resource.name),
    resourceHex: hexOf(resource.name),
    master: resource.master,
    directory: resource.directory,
    valueState: resource.valueState,
    valueHex: resource.value === null ? null : Buffer.from(resource.value).toString('hex'),
    granted: resource.granted.map(infoOf('granted')),
    converting: resource.converting.map(infoOf('converting')),
    waiting: resource.waiting.map(infoOf('waiting')),
  };
}

function describeLock(
  host: Host,
  lockspace: string,
  resource: ResourceDump,
  lock: LockDump,
  state: LockInfo['state'],
  index: number,
): LockInfo {
  const { holder, holderLkid } = lock;
  const port = { node: holder ?? host.self, incarnation: holder === null ? host.incarnation : incarnationOf(host, holder) };
  return {
    id: formatLockId({ name: lockspace, port }, holderLkid ?? lock.lkid),
    lockspace,
    resource: bytesToText(resource.name),
    resourceHex: hexOf(resource.name),
    state,
    mode: modeName(lock.granted),
    requested: modeName(lock.requested),
    position: state === 'granted' || resource.master !== host.self ? null : index + 1,
    master: resource.master,
    flags: namesOfFlags(lock.flags).filter((flag) => flag !== 'CONVERT'),
    ageMillis: host.now() - lock.since,
    token: lock.granted === IV ? null : formatToken(lock.generation, lock.mastership, lock.sequence),
    node: holder ?? host.self,
    owner: describeOwner(host, lock),
  };
}

function incarnationOf({ cluster }: Host, node: number): number {
  return cluster?.view?.members.find((member) => member.node === node)?.incarnation ?? 0;
}

function describeOwner(host: Host, lock: LockDump): OwnerInfo {
  if (lock.holder !== null) return { kind: 'elsewhere', pid: null, command: `on node ${lock.holder}` };
  if (lock.isEnding) return { kind: 'ended', pid: null, command: '' };
  const owner = host.owner(lock.owner);
  if (lock.isOrphan) return { kind: 'orphan', pid: owner?.pid ?? null, command: owner?.command ?? '' };
  if (owner === null || (owner.kind === 'process' && owner.pid === process.pid)) {
    return { kind: 'node', pid: process.pid, command: 'kept by the node' };
  }
  return { kind: owner.kind, pid: owner.pid, command: owner.command };
}

function modeName(mode: ModeOrNone): ModeName | null {
  return mode === IV ? null : (nameOfMode(mode) as ModeName);
}

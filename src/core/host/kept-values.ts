/**
 * Values that the node keeps for people: locks in NL of its own process, which say nothing but that the value block is
 * still wanted. They are in nobody's way, so they do not keep a node from leaving or draining, and are given back when it goes.
 *
 * Asked when the node is to leave, also what it may still be asked for while it drains. Whether an idle node stays for a
 * value's sake, or a lockspace may be removed, is decided by all its locks.
 */
import type { Lkid } from '../base/ids.js';
import { Flag } from '../lock/flags.js';
import { NL } from '../lock/mode.js';
import type { LockInput } from '../node/input.js';
import type { Host } from './host.js';

interface KeptValue {
  readonly lockspace: string;
  readonly lkid: Lkid;
}

/** Locks that somebody would miss: all that are held and wanted here but those that keep a value. */
export function missedCount(host: Host): number {
  const { lockCount } = host.node;
  return lockCount === 0 ? 0 : lockCount - keptValues(host).length;
}

/** Their turn comes before the node closes. One that cannot be given back now ends with the node all the same. */
export function giveBackValues(host: Host): void {
  for (const { lockspace, lkid } of keptValues(host)) host.turn({ kind: 'unlock', lockspace, lkid, flags: 0, value: null });
}

/**
 * Does this ask for no lock that the node would have to wait for as well? Then it is allowed while it drains: whoever takes over an
 * orphan, and whoever looks at the value of what somebody here has locked. Without it their work could not come to its end, for
 * which the drain waits.
 */
export function asksForNothingNew(host: Host, { lockspace, name, mode, flags }: Pick<LockInput, 'lockspace' | 'name' | 'mode' | 'flags'>): boolean {
  if ((flags & Flag.ORPHAN) !== 0) return true;
  if (mode !== NL) return false;
  for (const { owner, copy, resource, granted } of host.node.stack(lockspace)?.lockspace.locks ?? []) {
    if (owner !== null && copy !== 'master' && granted > NL && resource.name === name) return true;
  }
  return false;
}

function keptValues(host: Host): KeptValue[] {
  return host.node.lockspaceNames().flatMap((lockspace) => {
    const kept: KeptValue[] = [];
    for (const { id, owner, copy, place, granted } of host.node.stack(lockspace)!.lockspace.locks) {
      if (owner === null || copy === 'master' || place !== 'granted' || granted !== NL) continue;
      if (host.owner(owner)?.pid === process.pid) kept.push({ lockspace, lkid: id });
    }
    return kept;
  });
}

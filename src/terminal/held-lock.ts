/**
 * A lock that a command leaves behind, as words and as JSON.
 */
import { DlmError, modeNamed, parseLockId, transferOf, type LockHandle, type LockInfo, type LockspaceClient, type ModeName, type NodeClient, type OwnerInfo, type PassingCaller } from '../core/index.js';
import { showCommand } from './describe.js';
import type { NamedLine } from './names.js';
import type { Waiting } from './patience.js';
import { hexOfValue } from './values.js';

/** The process that the lock shall belong to: the one named, or the one that called us. Throws `DLM_OWNER_INVALID`. */
export function ownerPid(named: number | undefined): number {
  const pid = named ?? process.ppid;
  if (pid > 0) return pid;
  throw new DlmError('DLM_OWNER_INVALID', 'the process that called dlm is not visible from here', 'name the owner with --owner-pid');
}

/** The lock as the node sees it. */
export async function infoOf(space: LockspaceClient, target: NamedLine, lock: LockHandle): Promise<LockInfo | null> {
  const locks = await space.locks(target.name);
  return locks.find((info) => info.id === lock.id) ?? null;
}

/** The locks on the resource of that lock, for `Waiting`. */
export function locksAround(client: NodeClient, id: string): Pick<Waiting, 'locks' | 'locksHere'> {
  const { lockspace } = parseLockId(id);
  const around = (all: readonly LockInfo[]): LockInfo[] => {
    const resource = all.find((lock) => lock.id === id)?.resourceHex;
    return all.filter((lock) => lock.resourceHex === resource);
  };
  return {
    locks: async () => {
      const { locks, unlisted } = await client.locksOfAll({ lockspace });
      return { locks: around(locks), unlisted };
    },
    locksHere: async () => around(await client.locks({ lockspace })),
  };
}

/**
 * Whoever gives a value means it to be written, and the law drops it without a word where the mode held does not write.
 * `to`: what is converted to; null: an unlock. Rejects with `DLM_RULE_BROKEN`, before anything is done.
 */
export async function needWriter(client: NodeClient, lock: LockHandle, to: ModeName | null): Promise<void> {
  const held = lock.mode ?? (await client.locks({ lockspace: parseLockId(lock.id).lockspace })).find(({ id }) => id === lock.id)?.mode ?? null;
  // One that is not there, or holds nothing yet, is refused with better words.
  if (held === null) return;
  const mayWrite = ['PW', 'EX'].includes(held);
  if (mayWrite && (to === null || transferOf(modeNamed(held)!, modeNamed(to)!) === 'write')) return;
  const why = mayWrite ? `a conversion from ${held} to ${to} reads it` : `the lock holds ${held}, and only PW and EX write`;
  const hint = mayWrite ? `nothing was done; leave the value out, convert to ${to}, and write it then` : 'nothing was done; convert to PW or EX first';
  throw new DlmError('DLM_RULE_BROKEN', `the value would not be written: ${why}`, hint);
}

/** `counter is held in EX for pid 4711 (bash), until that ends or: dlm unlock default:1.7.0000002a`. */
export function describeHolding(lock: LockHandle, shown: string, owner: OwnerInfo | null, isPersistent: boolean): string {
  const command = owner === null || owner.command === '' ? '' : ` (${showCommand(owner.command, 72)})`;
  const whose = owner === null || owner.pid === null ? '' : ` for pid ${owner.pid}${command}`;
  const until = isPersistent ? 'also when that has ended, until' : 'until that ends or';
  return `${shown} is held in ${lock.mode}${whose}, ${until}: dlm unlock ${lock.id}`;
}

/** The owner will soon be gone, and a script that goes on without the lock must know. */
export function describePassing(shown: string, pid: number, caller: PassingCaller): string {
  const who = caller === 'substitution' ? `the subshell of $( … ), pid ${pid}` : `${caller}, pid ${pid}`;
  return `the lock on ${shown} belongs to ${who}, which called dlm, and ends with it\nhint: if your script shall own it, add: --owner-pid $$`;
}

/** What `--json` prints of a lock. */
export function jsonOfLock(lock: LockHandle): Record<string, unknown> {
  return {
    id: lock.id,
    mode: lock.mode,
    token: lock.token,
    results: lock.results,
    value: lock.value === null ? null : hexOfValue(lock.value),
    valueState: lock.valueState,
  };
}

/**
 * Somebody who waits for a process that waits for him waits for himself: that a
 * script has the lock already which its own command asks for is worth more words
 * than its pid.
 */
import { ancestorsOf, type LockInfo } from '../core/index.js';

/** Whose wait it is: the process that called dlm, and the node whose locks name pids of this machine. */
export interface Caller {
  readonly pid: number;
  readonly node: number;
  /** Which process of a script has taken a lock that is the script's: a job in the background waits for nobody's end. Null: not known. */
  readonly takerOf?: ((id: string) => number | null) | undefined;
}

/** A line for each lock in the way that somebody above this command holds. */
export function describeAncestors(inTheWay: readonly LockInfo[], { pid, node, takerOf }: Caller): string[] {
  const held = inTheWay.filter((lock) => lock.mode !== null && lock.node === node && lock.owner.pid !== null && lock.owner.pid !== process.pid);
  if (held.length === 0) return [];
  const above = ancestorsOf(pid);
  return held.flatMap(({ id, owner }) => {
    const taker = takerOf?.(id) ?? owner.pid!;
    if (!above.includes(taker)) return [];
    if (owner.kind === 'session') return [`pid ${taker} has this very command running under that lock, so that the two wait for each other: it is enough to take the lock once`];
    if (owner.kind !== 'process') return [];
    const who = owner.pid === pid ? 'is the process that called dlm' : 'is above this command';
    return [`pid ${owner.pid} ${who}, and would wait for itself; to give its lock back first: dlm unlock ${id}`];
  });
}

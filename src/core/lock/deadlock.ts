/**
 * Is a conversion caught in a deadlock with other conversions of its resource?
 *
 * A converting lock keeps its granted mode while it waits. So a conversion that
 * cannot be granted is in a deadlock when somebody ahead of it asks for a mode
 * that its own granted mode blocks: it would wait behind them, and they for it.
 * Against those behind it (it joined at the head) both must block each other.
 * The one who asks this question is the later one, and the victim.
 *
 * Deadlocks over several resources are not looked for here.
 *
 * Kin: lock.c conversion_deadlock_detect().
 */
import type { Lock } from './lock.js';
import { compatible } from './mode.js';
import type { Resource } from './resource.js';

export function isInConversionDeadlock(resource: Resource, lock: Lock): boolean {
  let passedItself = false;
  for (const other of resource.convertQueue) {
    if (other === lock) {
      passedItself = true;
      continue;
    }
    const blocksOther = !compatible(lock.granted, other.requested);
    const blockedByOther = !compatible(other.granted, lock.requested);
    if (blocksOther && (!passedItself || blockedByOther)) return true;
  }
  return false;
}

/**
 * How soon what an input brings about can be due.
 *
 * Asked by whoever drives a node and has a timer set. If that is due no later, it is early enough, and the node need not
 * be asked for its next deadline, which would cost more than most turns do: they are about locks, and what they bring
 * about is that something idle is to be forgotten. Every world asserts that it is so.
 */
import { tossMillis } from '../lockspace/resource-table.js';
import { isLockMessage } from '../wire/concern.js';
import type { Input } from './input.js';

/** In milliseconds from now on. */
export function soonestOf(input: Input): number {
  // Whoever was sent to the wrong master may have to wait a moment before he asks again.
  if (input.kind === 'received' && input.message.kind === 'requestReply' && input.message.standing === 'notMaster') return 0;
  return concernsLocksOnly(input) ? tossMillis : 0;
}

/** Is nobody's membership, failure or recovery its concern? Most turns are of that kind. */
export function concernsLocksOnly(input: Input): boolean {
  switch (input.kind) {
    case 'lock':
    case 'convert':
    case 'unlock':
    case 'cancel':
    case 'purgeOwner':
    case 'purgeOrphans':
    case 'endOwner':
      return true;
    case 'received':
      return isLockMessage(input.message);
    default:
      return false;
  }
}

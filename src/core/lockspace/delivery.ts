/**
 * What the owner of a lock is told that is held here and mastered elsewhere. Of a lock
 * whose owner has ended, nobody is told anything.
 *
 * Kin: ast.c dlm_add_cb(); lock.c queue_cast().
 */
import type { Status } from '../base/status.js';
import type { Overlap } from '../lock/far-end.js';
import type { Lock } from '../lock/lock.js';
import { IV } from '../lock/mode.js';
import type { CancelStatus } from '../lock/operations.js';
import { Complete, Wait } from '../lock/turn.js';
import type { Answer } from '../wire/message.js';
import type { Tables } from './tables.js';

/** Tell the owner of a process copy, if there is still one. */
export function tell(tables: Tables, lock: Lock, status: Status, answer: Answer | null): void {
  if (tables.turn.wasTold(lock, status)) return;
  if (lock.owner === null) return;
  const value = answer?.value ?? null;
  const valueState = answer?.valueState ?? 'none';
  const { cookie, id, granted, results, generation, mastership, tokenSequence } = lock;
  tables.outbox.push(new Complete(cookie, id, status, granted, results, value, valueState, generation, mastership, tokenSequence));
}

export function tellWaits(tables: Tables, lock: Lock): void {
  if (lock.owner !== null) tables.outbox.push(new Wait(lock.cookie, lock.id));
}

/** The lock ends here as its owner wanted while something else was asked for it. */
export function endAsked(tables: Tables, lock: Lock, { operation, status }: Overlap): void {
  endHere(tables, lock, operation === 'unlock' ? 'EUNLOCK' : status);
}

/** The lock ends here; its master knows nothing of it, or is gone. */
export function endHere(tables: Tables, lock: Lock, status: CancelStatus | 'EUNLOCK' | 'EAGAIN'): void {
  lock.resource.leave(lock);
  lock.granted = IV;
  lock.requested = IV;
  tell(tables, lock, status, null);
  tables.forget(lock);
}

/**
 * `dlm lock NAME -- COMMAND`: the command runs while the lock is held, and the
 * lock is given back when it is gone.
 */
import { DlmError, type LockHandle, type NodeClient } from '../core/index.js';
import { Failure } from './report.js';
import { GuardedChild, graceMillis } from './run-child.js';
import type { SignalWatch } from './signals.js';
import { hexOfValue } from './values.js';

/** What a command under a lock is told of it. */
export interface Guard {
  readonly client: NodeClient;
  readonly lock: LockHandle;
  readonly lockspace: string;
  /** The resource as it was typed, and safe to print. */
  readonly typed: string;
  readonly shown: string;
  readonly wantsValue: boolean;
  /** Words for people that are not to be silenced. */
  readonly warn: (words: string) => void;
}

/** Run the command to its end and unlock. Returns its exit code; throws `DLM_LOST`. */
export async function runUnderLock(guard: Guard, command: readonly string[], signals: SignalWatch): Promise<number> {
  const { lock, client } = guard;
  const loss = lossOf(guard);
  const child = new GuardedChild(command, environment(guard));
  await protect(client, child);
  signals.listener = (signal) => child.forward(signal);
  void loss.then((words) => {
    guard.warn(`${words}; stopping the command (TERM, and KILL after ${graceMillis / 1000} s)`);
    return child.stop();
  });
  child.open();

  const exit = await child.exit();
  if (lock.mode === null) {
    const error = new DlmError('DLM_LOST', `the command has ended (exit code ${exit}); ${await loss}`);
    throw new Failure(error, { facts: { commandExit: exit } });
  }
  await lock.unlock();
  return exit;
}

/** Settles, with words for it, when the lock is lost; otherwise never. */
function lossOf({ lock, shown }: Guard): Promise<string> {
  return new Promise((resolve) => {
    const tell = (reason: DlmError): void => resolve(`${shown} is no longer held: ${reason.message}`);
    lock.on('lost', tell);
    if (lock.mode === null) tell(new DlmError('DLM_LOST', 'it ended at once'));
  });
}

/** The lock must outlive us if the command does. */
async function protect(client: NodeClient, child: GuardedChild): Promise<void> {
  try {
    await client.port.protect(child.pid);
  } catch (error) {
    child.abandon();
    await child.exit().catch(() => undefined);
    throw error;
  }
}

/** Ours, and what it may want to know of its lock. Nothing else is changed. */
function environment({ lock, lockspace, typed, wantsValue }: Guard): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DLM_LOCKSPACE: lockspace,
    DLM_RESOURCE: typed,
    DLM_MODE: lock.mode ?? '',
    DLM_LKID: lock.id,
    DLM_TOKEN: lock.token,
    ...(wantsValue ? { DLM_VALUE: lock.value === null ? '' : hexOfValue(lock.value), DLM_VALUE_STATE: lock.valueState } : {}),
  };
}

/** A command line as it could be typed again, for those who look who holds the lock. */
export function quoteCommand(command: readonly string[]): string {
  const quoted = command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return quoted.join(' ');
}

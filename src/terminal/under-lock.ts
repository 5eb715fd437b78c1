/**
 * `dlm lock NAME -- COMMAND`: the command runs while the lock is held, or all of
 * several, and they are given back when it is gone.
 */
import { DlmError, graceMillis, type NodeClient } from '../core/index.js';
import { Hooks, type HookPrograms } from './hooks.js';
import { LockBell } from './lock-bell.js';
import { environment, type Held } from './lock-environment.js';
import { interrupted } from './patience.js';
import { Failure } from './report.js';
import { GuardedChild, type ChildExit } from './run-child.js';
import type { SignalWatch } from './signals.js';

/** What a command under locks is told of them, and who hears of what happens to them. */
export interface Guard extends Held {
  readonly client: NodeClient;
  readonly hooks: HookPrograms;
  /** Words for people that are not to be silenced. */
  readonly warn: (words: string) => void;
}

/** How long the node may take to hear that the locks are given back; that we are gone tells it too. */
const farewellMillis = 2000;

/** Run the command to its end and unlock. Returns how it ended; throws `DLM_LOST`, also where the command was not begun since a lock is gone already. */
export async function runUnderLock(guard: Guard, command: readonly string[], signals: SignalWatch): Promise<ChildExit> {
  const loss = lossOf(guard);
  const child = new GuardedChild(command, { ...process.env, ...environment(guard) }, guard.locks[0]!.lock.id);
  await protect(guard.client, child);
  if (signals.first !== null) {
    await child.abandon();
    throw interrupted(guard.locks.map(({ shown }) => shown).join(' '), signals);
  }
  if (isAnyLost(guard)) {
    await child.abandon();
    throw new DlmError('DLM_LOST', `the command was not begun: ${(await loss).words}`);
  }
  signals.listener = (signal) => child.forward(signal);
  if (!child.sharesTerminal) signals.stopTogether(child);
  const hooks = new Hooks(guard.hooks, guard.warn);
  const bell = new LockBell(hooks, guard, child.pid);
  let isDone = false;
  void loss.then(({ words }) => {
    if (isDone) return;
    guard.warn(`${words}; stopping the command (TERM, and KILL after ${graceMillis / 1000} s)`);
    void child.stop();
  });
  child.open();
  bell.granted();

  const end = await child.exit();
  if (end.signal !== null) await endFamily(guard, child, signals);
  const impatience = new AbortController();
  signals.listener = () => impatience.abort();
  const isLost = isAnyLost(guard);
  if (isLost) await child.stop();
  // From now on there is no command that the loss of a lock could be told to.
  isDone = true;
  await giveBack(guard);
  await hooks.end(impatience.signal);
  if (!isLost) return end;
  const error = new DlmError('DLM_LOST', `the command has ended (exit code ${end.code}); ${(await loss).words}`);
  throw new Failure(error, { facts: { commandExit: end.code } });
}

function isAnyLost({ locks }: Guard): boolean {
  return locks.some(({ lock }) => lock.mode === null);
}

/** Settles, with words for it, when one of the locks is lost; otherwise never. */
function lossOf({ locks }: Guard): Promise<{ words: string }> {
  return new Promise((resolve) => {
    for (const { lock, shown } of locks) {
      const tell = (reason: DlmError): void => resolve({ words: `${shown} is no longer held: ${reason.message}` });
      lock.on('lost', tell);
      if (lock.mode === null) tell(new DlmError('DLM_LOST', 'it ended at once'));
    }
  });
}

/** The locks must outlive us if the command does. */
async function protect(client: NodeClient, child: GuardedChild): Promise<void> {
  try {
    await client.port.protect(child.pid);
  } catch (error) {
    await child.abandon();
    throw error;
  }
}

/**
 * The command was killed, and what it has started may be in the middle of
 * something. If we passed a signal on they have been told, and are waited for
 * until the next signal; otherwise they are stopped.
 */
async function endFamily({ warn }: Guard, child: GuardedChild, signals: SignalWatch): Promise<void> {
  if (signals.first === null) return child.stop();
  if (!child.hasFamily) return;
  warn('the command has ended, and what it has started has not; the lock is kept until then, or until another signal');
  signals.listener = () => void child.stop();
  await child.familyGone();
}

/** Should the node not answer, or the locks have ended just now: the command is done, and its exit code tells how. */
async function giveBack({ locks, warn }: Guard): Promise<void> {
  const held = locks.filter(({ lock }) => lock.mode !== null);
  const unlocked = Promise.allSettled(held.map(({ lock }) => lock.unlock()));
  const isHeard = await new Promise<boolean>((resolve) => {
    const patience = setTimeout(() => resolve(false), farewellMillis);
    void unlocked.then(() => {
      clearTimeout(patience);
      resolve(true);
    });
  });
  if (isHeard) return;
  const names = held.map(({ shown }) => shown).join(' ');
  warn(`the command has ended; nobody has answered for ${farewellMillis / 1000} s that ${names} is given back: others may have to wait until the node answers again, or is gone`);
}

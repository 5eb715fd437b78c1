/**
 * From what happens to the locks of a command to the hooks that were asked for.
 *
 * Each hook finds what the command finds, with the lock that it is about in front,
 * and DLM_COMMAND_PID. The doorbell also learns which mode is wanted
 * (DLM_BLOCKED_MODE) and, if somebody is found who waits for it, by whom
 * (DLM_BLOCKER_PID, DLM_BLOCKER_COMMAND); a lost lock, why (DLM_LOST_REASON).
 */
import type { LockInfo, ModeName, NodeClient } from '../core/index.js';
import type { Hooks } from './hooks.js';
import { environment, type GuardedLock, type Held } from './lock-environment.js';

interface Ringing extends Held {
  readonly client: NodeClient;
}

export class LockBell {
  readonly #hooks: Hooks;
  readonly #guard: Ringing;
  readonly #commandPid: number;

  /** Listens from now on. */
  constructor(hooks: Hooks, guard: Ringing, commandPid: number) {
    this.#hooks = hooks;
    this.#guard = guard;
    this.#commandPid = commandPid;
    for (const held of guard.locks) {
      if (hooks.has('on-blocked')) held.lock.on('blocking', (mode) => void this.#blocked(held, mode));
      if (hooks.has('on-lost')) held.lock.on('lost', (reason) => this.#ring('on-lost', held, { DLM_LOST_REASON: reason.message }));
    }
  }

  /** The locks are held, all of them. */
  granted(): void {
    this.#ring('on-grant', this.#guard.locks[0]!, {});
  }

  async #blocked(held: GuardedLock, mode: ModeName): Promise<void> {
    const blocker = await this.#whoWants(held, mode).catch(() => null);
    const known = blocker === null ? {} : { DLM_BLOCKER_PID: String(blocker.owner.pid ?? ''), DLM_BLOCKER_COMMAND: blocker.owner.command };
    this.#ring('on-blocked', held, { DLM_BLOCKED_MODE: mode, ...known });
  }

  /** If several wait for that mode, the last of them is the news. */
  async #whoWants({ name }: GuardedLock, mode: ModeName): Promise<LockInfo | null> {
    const locks = await this.#guard.client.locks({ lockspace: this.#guard.lockspace, name, allNodes: true });
    return locks.findLast(({ state, requested }) => state !== 'granted' && requested === mode) ?? null;
  }

  #ring(name: 'on-grant' | 'on-blocked' | 'on-lost', held: GuardedLock, more: NodeJS.ProcessEnv): void {
    const found = { ...process.env, ...environment(this.#guard, held), DLM_COMMAND_PID: String(this.#commandPid) };
    this.#hooks.ring(name, held.typed, { ...found, ...more });
  }
}

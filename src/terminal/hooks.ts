/**
 * Programs that are run when something happens to a lock: --on-grant, --on-blocked
 * (the doorbell) and --on-lost.
 *
 * They are run by `sh -c`, in a session of their own, with nothing to read; what
 * they print goes to standard error. They never keep the lock: nobody waits for
 * them before it is given back. One of a kind runs at a time; what rings meanwhile
 * is remembered once for each resource, the latest news last. That one fails is
 * said, and changes nothing.
 */
import { spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { exitOfSignal } from './signals.js';

export type HookName = 'on-grant' | 'on-blocked' | 'on-lost';

/** The program of each hook that is wanted. */
export type HookPrograms = Readonly<Partial<Record<HookName, string | undefined>>>;

/** How long a hook may go on after the lock has been given back before nobody waits for it any more. */
const farewellMillis = 5000;

export class Hooks {
  readonly #programs: HookPrograms;
  readonly #warn: (words: string) => void;
  readonly #running = new Map<HookName, Promise<void>>();
  /** What is to be run when the present one has ended, by resource. */
  readonly #next = new Map<HookName, Map<string, NodeJS.ProcessEnv>>();
  /** The lock has been given back: whatever happens to it is nobody's business any more. */
  #isOver = false;

  constructor(programs: HookPrograms, warn: (words: string) => void) {
    this.#programs = programs;
    this.#warn = warn;
  }

  has(name: HookName): boolean {
    return this.#programs[name] !== undefined;
  }

  /** Something has happened to the lock on `resource`; `env` tells it what. */
  ring(name: HookName, resource: string, env: NodeJS.ProcessEnv): void {
    const program = this.#programs[name];
    if (program === undefined || this.#isOver) return;
    const next = this.#next.get(name) ?? new Map<string, NodeJS.ProcessEnv>();
    this.#next.set(name, next);
    next.delete(resource);
    next.set(resource, env);
    if (!this.#running.has(name)) this.#running.set(name, this.#runAll(name, program, next));
  }

  /** The lock has been given back: wait a little for those that still run. They go on without us. */
  async end(impatience: AbortSignal): Promise<void> {
    this.#isOver = true;
    for (const next of this.#next.values()) next.clear();
    if (this.#running.size === 0) return;
    const done = new AbortController();
    const patience = setTimeout(farewellMillis, undefined, { signal: AbortSignal.any([impatience, done.signal]) }).catch(() => undefined);
    await Promise.race([Promise.all(this.#running.values()), patience]);
    done.abort();
  }

  async #runAll(name: HookName, program: string, next: Map<string, NodeJS.ProcessEnv>): Promise<void> {
    for (let [first] = next; first !== undefined; [first] = next) {
      const [resource, env] = first;
      next.delete(resource);
      const problem = await run(program, env);
      if (problem !== null) this.#warn(`--${name}: the program ${problem}; the lock is not affected`);
    }
    this.#running.delete(name);
  }
}

/** What went wrong, if anything did. */
function run(program: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', program], { stdio: ['ignore', 2, 2], env, detached: true });
    child.unref();
    child.once('error', (error) => resolve(`cannot be run: ${error.message}`));
    child.once('exit', (code, signal) => {
      const exit = code ?? exitOfSignal(signal!);
      resolve(exit === 0 ? null : `has ended with exit code ${exit}`);
    });
  });
}

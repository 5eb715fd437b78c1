/**
 * The hooks of an application that is made of commands: dlm app attach runs them, each in
 * a session of its own, and tells what they came to.
 *
 * A hook is a line for sh -c. It begins only when the node has written down its process:
 * should we die, the node ends it and whatever it has started, and has that done by others
 * should it die as well. What a hook leaves running in its session is part of the
 * application, and ends with it.
 *
 * It has nothing to read; what it prints goes to standard error. Of our environment it is
 * given a few variables (`kept`) and those that are named, beside what tells it what to do,
 * and the mark by which what it leaves running is known once it has ended itself.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { ProcessFamily, familyEnvironment, recoveryVariable, sayRoot, type RecoverTask, type ResumeEvent, type SuspendEvent } from '../core/index.js';
import { formatLimit } from './durations.js';
import { notFoundExit } from './executable.js';
import { exitOfSignal } from './signals.js';

/** What a hook finds of the environment of dlm app attach. */
const kept = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'DLM_DIR'];

const lookMillis = 20;

/** Waits until it is written down, then becomes the hook. */
const gate = `
  read -r dlm_go <&3 || exit ${notFoundExit}
  exec 3<&-
  ${sayRoot}
  exec /bin/sh -c "$1"
`;

export interface AppHookOptions {
  /** Names of more variables to hand on. */
  readonly handOn: readonly string[];
  /** Written down by the node before the hook begins. */
  readonly protect: (pid: number) => Promise<void>;
}

/** An event, as a hook is told of it. The identity of a recovery is in its environment and nowhere else. */
type HookEvent = SuspendEvent | ResumeEvent | RecoverTask;

export class AppHooks {
  readonly #options: AppHookOptions;
  /** All of a session that a hook has led and that is not over. */
  readonly #families = new Set<ProcessFamily>();

  constructor(options: AppHookOptions) {
    this.#options = options;
  }

  /** Rejects with what went wrong, in words. */
  async run(line: string, event: HookEvent, timeoutMillis: number | null = null): Promise<void> {
    const mark = `hook-${randomUUID()}`;
    const env = { ...this.#environment(event), ...familyEnvironment(mark, true) };
    const child = spawn('/bin/sh', ['-c', gate, 'sh', line], { stdio: ['ignore', 2, 2, 'pipe'], env, detached: true });
    const exit = exitOf(child);
    const word = child.stdio[3] as Writable;
    word.on('error', () => undefined);
    const family = ProcessFamily.of(child.pid ?? 0, mark);
    if (family !== null) this.#families.add(family);
    try {
      if (child.pid !== undefined) await this.#options.protect(child.pid);
      word.end('go\n');
    } catch (error) {
      word.end();
      throw error;
    }
    const problem = await this.#within(timeoutMillis, exit, family);
    for (const one of this.#families) if (one.isGone) this.#families.delete(one);
    if (problem !== null) throw new Error(problem);
  }

  /** Kill whoever is left. Returns when they have ended. */
  async end(): Promise<void> {
    for (const family of this.#families) {
      while (!family.isGone) {
        family.signal('SIGKILL');
        await pause(lookMillis);
      }
    }
    this.#families.clear();
  }

  async #within(timeoutMillis: number | null, exit: Promise<string | null>, family: ProcessFamily | null): Promise<string | null> {
    if (timeoutMillis === null) return exit;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      family?.signal('SIGKILL');
    }, timeoutMillis);
    const problem = await exit;
    clearTimeout(timer);
    return isLate ? `was not done after ${formatLimit(timeoutMillis)} and was killed` : problem;
  }

  #environment(event: HookEvent): NodeJS.ProcessEnv {
    const names = [...kept, ...this.#options.handOn];
    const passed = Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
    return { ...passed, ...describeEvent(event) };
  }
}

function describeEvent(event: HookEvent): NodeJS.ProcessEnv {
  const { lockspace, slot, generation } = event;
  const about = { DLM_LOCKSPACE: lockspace, DLM_EVENT: event.do, DLM_SLOT: slot === null ? '' : String(slot), DLM_GENERATION: String(generation) };
  if (event.do !== 'recover') return about;
  return {
    ...about,
    DLM_FAILED_SLOT: event.failedSlot === null ? 'all' : String(event.failedSlot),
    DLM_FAILED_NODE: event.failedNode === null ? '' : String(event.failedNode),
    [recoveryVariable]: event.identity,
  };
}

/** What went wrong, if anything did. */
function exitOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      const exit = code ?? exitOfSignal(signal!);
      resolve(exit === 0 ? null : `has ended with exit code ${exit}`);
    });
  });
}

/**
 * Run a command for as long as a lock is held, and let nothing part the two.
 *
 *   1. A gate is started: a shell that waits for a word, then becomes the command.
 *   2. The node writes down the gate's pid. From now on the lock stays until that
 *      process is gone, whatever dies first.
 *   3. The word is given. Had we died before, the gate would have found nobody to
 *      give it, and ended.
 *
 * INT, TERM, HUP and QUIT are passed on. If the lock is lost the command must
 * stop, and whatever it has started: TERM, five seconds of grace, KILL. Should we
 * die ourselves, it gets a TERM where the system can arrange that (setpriv, which
 * becomes the gate), and the node stops the rest.
 *
 * With a terminal on standard input the command stays in our process group, where
 * the terminal's own signals reach it; otherwise it leads a session of its own
 * and signals go to all of that.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { ProcessFamily, familyEnvironment, graceMillis, sayRoot, wordsForDeathSignal } from '../core/index.js';
import { notFoundExit } from './executable.js';
import { exitOfSignal, type EndSignal } from './signals.js';

/** How often it is looked whether it has gone. */
const lookAgainMillis = 50;

const gate = `
  read -r dlm_go <&3 || exit ${notFoundExit}
  exec 3<&-
  ${sayRoot}
  exec "$@"
`;

/** Signals that a terminal sends to all of its foreground group, the command included. */
const fromTerminal: readonly EndSignal[] = ['SIGINT', 'SIGQUIT'];

/** How a command has ended. */
export interface ChildExit {
  /** Its exit code, or 128 and the number of the signal that ended it. */
  readonly code: number;
  /** What ended it, if it did not end by itself: what it has started may be in the middle of something. */
  readonly signal: NodeJS.Signals | null;
}

export class GuardedChild {
  readonly #child: ChildProcess;
  /** Does the terminal signal it along with us? */
  readonly sharesTerminal: boolean;
  readonly #family: ProcessFamily | null;
  readonly #exit: Promise<ChildExit>;
  #stopped: Promise<void> | null = null;

  /** The gate is up; the command starts with `open`. `mark`: what its family is told by, and no other. */
  constructor(command: readonly string[], env: NodeJS.ProcessEnv, mark: string) {
    this.sharesTerminal = isatty(0);
    const [program, ...words] = [...wordsForDeathSignal(), '/bin/sh', '-c', gate, 'sh'];
    this.#child = spawn(program!, [...words, ...withLostNames(command, env)], {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
      env: { ...env, ...familyEnvironment(mark, !this.sharesTerminal) },
      detached: !this.sharesTerminal,
    });
    this.#family = ProcessFamily.of(this.pid, mark);
    this.#exit = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => resolve({ code: code ?? exitOfSignal(signal!), signal }));
    });
    // Awaited later; until then a failure to start is nobody's fault but ours to keep.
    this.#exit.catch(() => undefined);
    this.#word.on('error', () => undefined);
  }

  /** The pid that the command will have. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Let the command begin. */
  open(): void {
    this.#word.end('go\n');
  }

  /** Nothing was begun, and nothing will be. Returns when the gate has gone. */
  async abandon(): Promise<void> {
    this.#word.end();
    await this.#exit.catch(() => undefined);
  }

  exit(): Promise<ChildExit> {
    return this.#exit;
  }

  /** Hand on a signal that came to us. */
  forward(signal: EndSignal): void {
    if (this.sharesTerminal && fromTerminal.includes(signal)) return;
    this.#send(signal);
  }

  /** We are stopped, and it with us. */
  pause(): void {
    this.#send('SIGSTOP');
  }

  /** We go on. */
  resume(): void {
    this.#send('SIGCONT');
  }

  /** What it has started has gone too. */
  async familyGone(): Promise<void> {
    while (this.#family?.isGone === false) await setTimeout(lookAgainMillis);
  }

  get hasFamily(): boolean {
    return this.#family?.isGone === false;
  }

  /** The command and whatever it has started must stop. Returns when they have. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const family = this.#family;
    family?.signal('SIGTERM');
    const end = performance.now() + graceMillis;
    while (family?.isGone === false) {
      await setTimeout(lookAgainMillis);
      if (performance.now() > end) family.signal('SIGKILL');
    }
    await this.#exit.catch(() => undefined);
  }

  #send(signal: NodeJS.Signals): void {
    try {
      process.kill(this.sharesTerminal ? this.pid : -this.pid, signal);
    } catch {
      // It has ended.
    }
  }

  get #word(): Writable {
    return this.#child.stdio[3] as Writable;
  }
}

/** A shell drops or changes these variables; env(1) puts them back. */
function withLostNames(command: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const isLost = (name: string): boolean => !/^[A-Za-z_]\w*$/.test(name) || /^(IFS|OPTIND|PPID)$/.test(name);
  const lost = Object.keys(env).filter((name) => isLost(name) && !name.includes('='));
  const added = env.PWD === undefined ? ['-u', 'PWD'] : [];
  if ((lost.length === 0 && added.length === 0) || command[0]!.includes('=')) return [...command];
  return ['env', ...added, ...lost.map((name) => `${name}=${env[name]}`), ...command];
}

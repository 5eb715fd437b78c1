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
 * stop: TERM, five seconds of grace, KILL. Should we die ourselves, it gets a TERM
 * where the system can arrange that (setpriv).
 *
 * With a terminal on standard input the command stays in our process group, where
 * the terminal's own signals reach it; otherwise it leads a session of its own
 * and signals go to all of that.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { notFoundExit } from './executable.js';
import { treeOf } from './process-tree.js';
import { exitOfSignal, type EndSignal } from './signals.js';

/** How long a command may tidy up after its lock is lost. */
export const graceMillis = 5000;

/** How often it is looked whether it has. */
const lookAgainMillis = 50;

const gate = `
  if setpriv --pdeathsig TERM true 2>/dev/null; then set -- setpriv --pdeathsig TERM -- "$@"; fi
  read -r dlm_go <&3 || exit ${notFoundExit}
  exec 3<&-
  exec "$@"
`;

/** Signals that a terminal sends to all of its foreground group, the command included. */
const fromTerminal: readonly EndSignal[] = ['SIGINT', 'SIGQUIT'];

export class GuardedChild {
  readonly #child: ChildProcess;
  readonly #sharesTerminal: boolean;
  readonly #exit: Promise<number>;

  /** The gate is up; the command starts with `open`. */
  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#sharesTerminal = process.stdin.isTTY === true;
    this.#child = spawn('/bin/sh', ['-c', gate, 'sh', ...withLostNames(command, env)], {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
      env,
      detached: !this.#sharesTerminal,
    });
    this.#exit = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => resolve(code ?? exitOfSignal(signal!)));
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

  /** Nothing was begun, and nothing will be. */
  abandon(): void {
    this.#word.end();
  }

  /** Its exit code, or 128 and the number of the signal that ended it. */
  exit(): Promise<number> {
    return this.#exit;
  }

  /** Hand on a signal that came to us. */
  forward(signal: EndSignal): void {
    if (this.#sharesTerminal && fromTerminal.includes(signal)) return;
    trySignal(this.#sharesTerminal ? this.pid : -this.pid, signal);
  }

  /** The lock is lost: the command and whatever it started must stop. */
  async stop(): Promise<void> {
    const targets = this.#targets();
    for (const target of targets) trySignal(target, 'SIGTERM');
    const end = performance.now() + graceMillis;
    while (performance.now() < end && targets.some((target) => trySignal(target, 0))) await setTimeout(lookAgainMillis);
    for (const target of targets) trySignal(target, 'SIGKILL');
    await this.#exit.catch(() => undefined);
  }

  get #word(): Writable {
    return this.#child.stdio[3] as Writable;
  }

  /** The command's session, or the command and its descendants. */
  #targets(): number[] {
    if (this.pid === 0) return [];
    return this.#sharesTerminal ? treeOf(this.pid) : [-this.pid];
  }
}

/** Was there anybody to get it? */
function trySignal(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch {
    return false;
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

/**
 * A terminal with an interactive bash in it, on a stage of its own. script(1) makes it.
 */
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { until } from './processes.js';
import { Stage, program, type Actor } from './stage.js';

export const hasScript = spawnSync('script', ['--version']).status === 0;

/** An interactive shell at a terminal, in which `dlm` is our program. */
export class Terminal {
  readonly stage = new Stage();
  readonly #script: Actor;
  #seen = 0;

  constructor(test: TestContext, more: NodeJS.ProcessEnv = {}) {
    test.after(() => this.stage.clear());
    const env = { ...this.stage.env, TERM: 'xterm', PS1: '', LC_ALL: 'C.UTF-8', KILL_WHO: 'terminal', ...more };
    this.#script = this.stage.run(['script', '-qec', 'bash --norc --noprofile -i', '/dev/null'], {
      env,
      cwd: this.stage.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.type(`dlm() { command "${program}" "$@"; }; stty -echo; PS1='$ '\n`);
  }

  type(keys: string): void {
    this.#script.process.stdin!.write(keys);
  }

  /** Wait for something new on the screen. */
  async shows(words: string): Promise<void> {
    const at = await until(`the terminal shows ${words}; it shows: ${this.screen.slice(this.#seen)}`, () => {
      const found = this.screen.indexOf(words, this.#seen);
      return found < 0 ? null : { found };
    });
    this.#seen = at.found + words.length;
  }

  get screen(): string {
    return this.#script.said();
  }
}

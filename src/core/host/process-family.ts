/**
 * A protected command and those it has started, as one: is anybody of them left,
 * and who is to be told to stop.
 *
 * A command that leads a session stands for all of that session, also after it has
 * ended itself: the number of a session is not used again while anybody is in it.
 * One that shares the session of a terminal is told apart from the others there by
 * a variable that it was started with and that those inherit whom it starts. A
 * process that makes a session of its own leaves the family, on purpose.
 */
import { everyProcess, factsOf, isAlive, variableOf, type ProcessFacts, type ProcessId } from './process-facts.js';

/** How long a family may tidy up before it is killed. */
export const graceMillis = 5_000;

/** Every protected command is given this variable, and no two the same value. */
const variable = 'DLM_LKID';

export class ProcessFamily implements ProcessId {
  readonly pid: number;
  readonly started: number;
  readonly session: number;
  /** The value of the variable that its members have; empty if they have none. */
  readonly mark: string;

  constructor({ pid, started, session }: Omit<ProcessFacts, 'parent'>, mark: string) {
    this.pid = pid;
    this.started = started;
    this.session = session;
    this.mark = mark;
  }

  /** The family of a living process; null if there is none of that number. */
  static of(pid: number): ProcessFamily | null {
    const root = Number.isSafeInteger(pid) && pid > 0 ? factsOf(pid) : null;
    return root === null ? null : new ProcessFamily(root, variableOf(pid, variable) ?? '');
  }

  get isGone(): boolean {
    return !isAlive(this) && this.members().length === 0;
  }

  /**
   * As `isGone`, after a time in which nobody looked: the session may have been
   * over meanwhile, and its number be that of another one.
   */
  get isLongGone(): boolean {
    return !isAlive(this) && !this.members().some((pid) => this.#isMarked(pid));
  }

  /** Those that live, the root first if it does. */
  members(): number[] {
    const found = everyProcess().filter((process) => this.#includes(process));
    return found.map(({ pid }) => pid).sort((one, other) => Number(other === this.pid) - Number(one === this.pid));
  }

  /** Who could not be signalled has ended, or is not ours to signal; then it is waited for. */
  signal(signal: NodeJS.Signals, who: 'all' | 'root' | 'others' = 'all'): void {
    for (const pid of this.members()) {
      if (who !== 'all' && (who === 'root') !== (pid === this.pid)) continue;
      try {
        process.kill(pid, signal);
      } catch {
        continue;
      }
    }
  }

  #includes({ pid, started, session }: ProcessFacts): boolean {
    if (pid === this.pid) return started === this.started;
    return session === this.session && (this.session === this.pid || this.#isMarked(pid));
  }

  #isMarked(pid: number): boolean {
    return this.mark !== '' && variableOf(pid, variable) === this.mark;
  }
}

/**
 * A protected command and those it has started, as one: is anybody of them left,
 * and who is to be told to stop.
 *
 * A command that leads a session stands for all of that session, also after it has
 * ended itself: the number of a session is not used again while anybody is in it.
 * One that shares the session of a terminal is told apart from the others there by
 * a variable that it was started with and that those inherit whom it starts. A
 * process that makes a session of its own leaves the family, on purpose.
 *
 * Which variables a process has cannot be seen while it begins another program. Until
 * then it may be one of the family: it is not signalled, and the family is not gone.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { everyProcess, factsOf, isAlive, variableOf, type ProcessFacts, type ProcessId } from './process-facts.js';

/** How long a family may tidy up before it is killed. */
export const graceMillis = 5_000;

/** Every protected command is given this variable, and no two the same value. */
const variable = 'DLM_LKID';

/** How soon it is looked again which mark a process has, and how often at most. */
const lookMillis = 2;
const looksMax = 1_000;

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

  /** The family of a living process; null if there is none of that number. Of one that has just been started the mark must be said. */
  static of(pid: number, mark: string = markSeen(pid) ?? ''): ProcessFamily | null {
    const root = Number.isSafeInteger(pid) && pid > 0 ? factsOf(pid) : null;
    return root === null ? null : new ProcessFamily(root, mark);
  }

  /** The same when it can be seen which mark the process has. */
  static async whenSeen(pid: number): Promise<ProcessFamily | null> {
    let mark = markSeen(pid);
    for (let looks = 1; looks < looksMax && mark === undefined; looks += 1) {
      await pause(lookMillis);
      mark = markSeen(pid);
    }
    return ProcessFamily.of(pid, mark ?? '');
  }

  get isGone(): boolean {
    return !isAlive(this) && !everyProcess().some((process) => this.#includes(process) !== 'no');
  }

  /**
   * As `isGone`, after a time in which nobody looked: the session may have been
   * over meanwhile, and its number be that of another one.
   */
  get isLongGone(): boolean {
    return !isAlive(this) && !everyProcess().some((process) => this.#includes(process) !== 'no' && this.#isMarked(process.pid) !== 'no');
  }

  /** Those that live, the root first if it does. */
  members(): number[] {
    const found = everyProcess().filter((process) => this.#includes(process) === 'yes');
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

  #includes({ pid, started, session }: ProcessFacts): Belongs {
    if (pid === this.pid) return started === this.started ? 'yes' : 'no';
    if (session !== this.session) return 'no';
    return this.session === this.pid ? 'yes' : this.#isMarked(pid);
  }

  #isMarked(pid: number): Belongs {
    if (this.mark === '') return 'no';
    const mark = variableOf(pid, variable);
    return mark === 'not known' ? 'perhaps' : mark === this.mark ? 'yes' : 'no';
  }
}

type Belongs = 'yes' | 'no' | 'perhaps';

/** Empty: none. Undefined: that cannot be seen now. */
function markSeen(pid: number): string | undefined {
  const mark = variableOf(pid, variable);
  return mark === 'not known' ? undefined : (mark ?? '');
}

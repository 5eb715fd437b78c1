/**
 * A protected command and those it has started, as one: is anybody of them left,
 * and who is to be told to stop.
 *
 * A command that leads a session stands for all of that session, also after it has
 * ended itself: the number of a session is not used again while anybody is in it.
 * One that shares the session of a terminal is told apart from the others there by
 * the mark that those inherit whom it starts (family-mark.ts). A process that makes a
 * session of its own leaves the family, on purpose; a command under a lock of its own
 * that is given one does not, nor does what it starts there.
 *
 * Those who run within under such a lock have a guard there who tells them to stop when he
 * is told himself, so they are not told twice. They are killed with the others.
 *
 * Which variables a process has cannot be seen while it begins another program. Until
 * then it may be one of the family: it is not signalled, and the family is not gone.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { familyWordsOf, isWordOf } from './family-mark.js';
import { everyProcess, factsOf, isAlive, type ProcessFacts, type ProcessId } from './process-facts.js';

/** How long a family may tidy up before it is killed. */
export const graceMillis = 5_000;

/** How soon it is looked again which mark a process has, and how often at most. */
const lookMillis = 2;
const looksMax = 1_000;

export class ProcessFamily implements ProcessId {
  readonly pid: number;
  readonly started: number;
  readonly session: number;
  /** What is said of its members in their environment; empty if they have no mark. */
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
    return !isAlive(this) && !everyProcess().some((process) => this.#includes(process) !== 'no' && this.#isMarked(process) !== 'no');
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
      if (signal !== 'SIGKILL' && this.#isGuardedWithin(pid)) continue;
      try {
        process.kill(pid, signal);
      } catch {
        continue;
      }
    }
  }

  #includes(process: ProcessFacts): Belongs {
    const { pid, started, session } = process;
    if (pid === this.pid) return started === this.started ? 'yes' : 'no';
    return session === this.session && session === this.pid ? 'yes' : this.#isMarked(process);
  }

  #isMarked({ pid, started, session }: ProcessFacts): Belongs {
    // Nobody of the family is older than its root. Those without a session are the system's own.
    if (this.mark === '' || started < this.started || (session === 0 && this.session !== 0)) return 'no';
    const words = familyWordsOf(pid);
    if (words === 'not known') return 'perhaps';
    const isHere = session === this.session || session === words.at(-1)?.session;
    return isHere && words.some((word) => isWordOf(word, this)) ? 'yes' : 'no';
  }

  #isGuardedWithin(pid: number): boolean {
    if (pid === this.pid) return false;
    const words = familyWordsOf(pid);
    return words !== 'not known' && words.slice(0, -1).some((word) => isWordOf(word, this));
  }
}

type Belongs = 'yes' | 'no' | 'perhaps';

/** Empty: it has none of its own. Undefined: that cannot be seen now. */
function markSeen(pid: number): string | undefined {
  const words = familyWordsOf(pid);
  if (words === 'not known') return undefined;
  const last = words.at(-1);
  return last !== undefined && isWordOf(last, { mark: last.mark, pid }) ? last.mark : '';
}

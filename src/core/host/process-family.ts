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
 * then it may be one of the family: it is not signalled, and the family is not gone. So
 * may one whose environment is never shown to us (sudo), if who has started it has ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { familyWordsOf, isWordOf } from './family-mark.js';
import { everyProcess, factsOf, isAlive, isHidden, startOf, type ProcessFacts, type ProcessId } from './process-facts.js';

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

  constructor({ pid, started, session }: Omit<ProcessFacts, 'parent' | 'group'>, mark: string) {
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
    for (let looks = 1; looks < looksMax && mark === undefined && factsOf(pid) !== null; looks += 1) {
      await pause(lookMillis);
      mark = markSeen(pid);
    }
    return ProcessFamily.of(pid, mark ?? '');
  }

  get isGone(): boolean {
    return !this.#hasAny((process) => this.#includes(process) !== 'no');
  }

  /**
   * As `isGone`, after a time in which nobody looked: the session may have been
   * over meanwhile, and its number be that of another one.
   */
  get isLongGone(): boolean {
    return !this.#hasAny((process) => this.#includes(process) !== 'no' && this.#isMarked(process) !== 'no');
  }

  /** Those that live, the root first if it does. */
  members(): number[] {
    return Array.from(this.#living(), ({ pid }) => pid);
  }

  /** Who could not be signalled has ended, or is not ours to signal; then it is waited for. `mayTell`: asked before anybody is told to stop. */
  signal(signal: NodeJS.Signals, who: 'all' | 'root' | 'others' = 'all', mayTell: (process: ProcessId) => boolean = () => true): void {
    // At once when it is found: a moment later it may have ended, and somebody whom it has started be in its place.
    for (const process of this.#living()) {
      const { pid } = process;
      if (who !== 'all' && (who === 'root') !== (pid === this.pid)) continue;
      if (signal === 'SIGKILL') send(who === 'all' && this.#isInGroup(process) ? -this.pid : pid, signal);
      else if (!this.#isGuardedWithin(process) && mayTell(process)) send(pid, signal);
    }
  }

  *#living(): Generator<ProcessFacts> {
    const root = factsOf(this.pid);
    if (root?.started === this.started) yield root;
    for (const process of everyProcess()) {
      if (process.pid !== this.pid && this.#includes(process) === 'yes') yield process;
    }
  }

  /** Is there one of whom that can be so? Those who are hidden from us may be of the family. */
  #hasAny(isOne: (process: ProcessFacts) => boolean): boolean {
    if (isAlive(this) || isHidden(this.pid) || (this.#leadsSession && isHidden(-this.pid))) return true;
    const all = everyProcess();
    for (;;) {
      const { done, value } = all.next();
      if (done === true) return !value;
      if (isOne(value)) return true;
    }
  }

  get #leadsSession(): boolean {
    return this.session === this.pid;
  }

  #includes(process: ProcessFacts): Belongs {
    const { pid, started, session } = process;
    if (pid === this.pid) return started === this.started ? 'yes' : 'no';
    return this.#leadsSession && session === this.session && !this.#isSucceeded ? 'yes' : this.#isMarked(process);
  }

  /** Has the number been taken by another process since, which it can be only when the session is over, too? */
  get #isSucceeded(): boolean {
    const start = startOf(this.pid);
    return start !== null && start !== this.started;
  }

  /** Is it in the process group of the root, whose number nobody else can have while it is there? All of that are killed at once, and none can start another one meanwhile. */
  #isInGroup({ group, session }: ProcessFacts): boolean {
    return this.#leadsSession && session === this.session && group === this.pid;
  }

  #isMarked(process: ProcessFacts): Belongs {
    const { pid, started, session } = process;
    // Nobody of the family is older than its root. Those without a session are the system's own.
    if (this.mark === '' || started < this.started || (session === 0 && this.session !== 0)) return 'no';
    const words = familyWordsOf(pid);
    if (words === 'not known') return 'perhaps';
    if (words === 'not shown') return this.#isStartedWithin(process);
    const isHere = session === this.session || session === words.at(-1)?.session;
    return isHere && words.some((word) => isWordOf(word, this)) ? 'yes' : 'no';
  }

  /** One whose environment is kept from us is what the one is who has started it. If he has ended, it may be one of those that we look for. */
  #isStartedWithin({ parent, session }: ProcessFacts): Belongs {
    if (session !== this.session) return 'no';
    const above = parent === 1 ? null : factsOf(parent);
    return above?.session === session ? this.#includes(above) : 'perhaps';
  }

  /** Whoever has outlived the command of its last word may have no guard any more. */
  #isGuardedWithin({ pid, started }: ProcessFacts): boolean {
    if (pid === this.pid) return false;
    const words = familyWordsOf(pid);
    if (typeof words === 'string' || !words.slice(0, -1).some((word) => isWordOf(word, this))) return false;
    const command = startOf(words.at(-1)!.root ?? 0);
    return command !== null && command <= started;
  }
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended, or is somebody else's.
  }
}

type Belongs = 'yes' | 'no' | 'perhaps';

/** Empty: it has none of its own. Undefined: that cannot be seen now. */
function markSeen(pid: number): string | undefined {
  const words = familyWordsOf(pid);
  if (words === 'not known') return undefined;
  if (words === 'not shown') return '';
  const last = words.at(-1);
  return last !== undefined && isWordOf(last, { mark: last.mark, pid }) ? last.mark : '';
}

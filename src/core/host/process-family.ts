/**
 * A process and those it has started, as one: is anybody of them left, and who is
 * to be told to stop.
 *
 * A process that leads a session stands for all of that session, also after it has
 * ended itself: the number of a session is not used again while anybody is in it.
 * Any other process stands for itself and for the descendants that were seen while
 * their line led back to it; those that were left behind unseen are nobody's.
 *
 * A process that makes a session of its own leaves the family, on purpose.
 */
import { everyProcess, identify, isAlive, leadsSession, startedWith, type ProcessId } from './process-facts.js';

export class ProcessFamily implements ProcessId {
  readonly pid: number;
  readonly started: number;
  /** Does it lead a session? */
  readonly leads: boolean;
  /** Members of a family without a session, and when they started. */
  readonly #seen: Map<number, number>;

  constructor({ pid, started }: ProcessId, leads: boolean) {
    this.pid = pid;
    this.started = started;
    this.leads = leads;
    this.#seen = new Map([[pid, started]]);
  }

  /** The family of a living process; null if there is none of that number. */
  static of(pid: number): ProcessFamily | null {
    const root = Number.isSafeInteger(pid) && pid > 0 ? identify(pid) : null;
    return root === null ? null : new ProcessFamily(root, leadsSession(pid));
  }

  get isGone(): boolean {
    if (isAlive(this)) return false;
    if (!this.leads && this.#seen.size === 1) return true;
    return this.members().length === 0;
  }

  /**
   * Could those left in its session be of another, which got the same number after
   * this one was over? Asked after a time in which nobody looked. They are ours if
   * they carry the variable that every member has been given.
   */
  isLeftWith(variable: string): boolean {
    return isAlive(this) || (this.leads && this.members().some((pid) => startedWith(pid, variable)));
  }

  /** Those that live, the root first if it does. */
  members(): number[] {
    const living = everyProcess();
    const found = this.leads ? living.filter(({ session }) => session === this.pid) : this.#descendants(living);
    return found.map(({ pid }) => pid).sort((one, other) => Number(other === this.pid) - Number(one === this.pid));
  }

  /** Who could not be signalled has ended, or is not ours to signal; then it is waited for. */
  signal(signal: NodeJS.Signals, to: { readonly root: boolean } = { root: true }): void {
    for (const pid of this.members()) {
      if (pid === this.pid && !to.root) continue;
      try {
        process.kill(pid, signal);
      } catch {
        continue;
      }
    }
  }

  #descendants(living: ReturnType<typeof everyProcess>): ReturnType<typeof everyProcess> {
    const found = living.filter(({ pid, started }) => this.#seen.get(pid) === started);
    const pids = new Set(found.map(({ pid }) => pid));
    for (let isGrowing = true; isGrowing; ) {
      const more = living.filter(({ pid, parent }) => pids.has(parent) && !pids.has(pid));
      for (const process of more) {
        pids.add(process.pid);
        this.#seen.set(process.pid, process.started);
      }
      found.push(...more);
      isGrowing = more.length > 0;
    }
    return found;
  }
}

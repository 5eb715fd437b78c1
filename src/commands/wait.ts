/**
 * Wait until something about the cluster is so. The node tells when to look again; nobody asks it every second.
 */
import { DlmError, Unanswered, defaultLockspace, type NodeClient } from '../core/index.js';
import { askForLock } from '../terminal/asking.js';
import { awaitedOf, type Awaited } from '../terminal/awaited.js';
import { BaseCommand } from '../terminal/base-command.js';
import { wordsOf } from '../terminal/command-line.js';
import { formatLimit } from '../terminal/durations.js';
import { durationFlag, lockspaceFlag, neededWordArg, quietWaitFlag } from '../terminal/flags.js';
import { needNames } from '../terminal/names.js';
import { answerTimeoutOf, limitsOf, reachedInTime } from '../terminal/patience.js';
import { prose } from '../terminal/prose.js';
import { Failure } from '../terminal/report.js';
import { bySignal, SignalWatch } from '../terminal/signals.js';

/** How long nobody needs to be told that we wait. */
const silenceMillis = 1000;

export default class Wait extends BaseCommand {
  static override summary = 'Wait until the cluster is quorate, a member here, a lockspace recovered, or a lock free';
  static override usage = ['wait quorate | member N [-w TIME]', 'wait recovered [LOCKSPACE] | generation G [LOCKSPACE] [-w TIME]', 'wait free NAME [-l LOCKSPACE] [-w TIME]'];
  static override description = prose`
    Ends with 0 when it is so, at once if it is so already; with 81 if it is not so in time. A lockspace is recovered
    when it can be locked and applications may go on; it is in generation G when it is so in that one or a later one. A
    lock is free when nobody holds it: it is taken in EX and given back, so whoever waited before has had it.

    After a second it says what it waits for.`;
  static override examples = [
    { description: 'In a script that starts two nodes', command: '<%= config.bin %> wait member 2 -w 30' },
    { description: 'When a failure is over', command: '<%= config.bin %> wait recovered mail --timeout 2m' },
  ];
  static override args = { what: neededWordArg('quorate, member, recovered, generation or free, and which') };
  static override strict = false;
  static override flags = {
    wait: durationFlag({ char: 'w', aliases: ['timeout'], summary: 'give up after so many seconds (0.5), or 500ms, 2m, 1h' }),
    ...lockspaceFlag,
    ...quietWaitFlag,
  };

  async run(): Promise<unknown> {
    const { raw, flags } = await this.parse(Wait);
    const words = wordsOf(raw);
    const awaited = awaitedOf(words, flags.lockspace);
    if (awaited === null) return this.#waitFree(words[1]!, flags);
    const limit = flags.wait ?? null;
    const client = await this.#reachedFor(awaited, limit);
    await this.#until(client, awaited, limit);
    return { waitedFor: words, isSo: true };
  }

  /** Whoever waits for a lock is told who has it, as by dlm lock. */
  async #waitFree(name: string, flags: { lockspace?: string | undefined; wait?: number | undefined; quiet: boolean }): Promise<unknown> {
    const [target] = needNames([name], undefined);
    const patience = { nonblock: false, ...(flags.wait === undefined ? {} : { wait: flags.wait }) };
    const wish = { shown: target!.shown, mode: 'EX' as const, patience, isQuiet: flags.quiet };
    const reach = { ...flags, lockspace: flags.lockspace ?? defaultLockspace, 'no-start': true, ...answerTimeoutOf(patience) };
    const { space } = await reachedInTime(wish, () => this.reachLockspace(reach));
    const request = { space, mode: 'EX' as const, flags: [], wantValue: false, blocking: false, ownerPid: null, patience, isQuiet: flags.quiet, note: (words: string) => this.note(words), target: target! };
    const lock = await askForLock(request, new SignalWatch());
    await lock.unlock();
    return { waitedFor: ['free', name], isSo: true };
  }

  /** That the node is silent until patience is at its end means that it is not so in time. */
  async #reachedFor({ words }: Awaited, limit: number | null): Promise<NodeClient> {
    const patience = { nonblock: false, ...(limit === null ? {} : { wait: limit }) };
    const { timeout = Infinity } = limitsOf(patience);
    const began = performance.now();
    try {
      return await this.reach({ 'no-start': true, ...answerTimeoutOf(patience) });
    } catch (error) {
      if (performance.now() - began < timeout || !(error instanceof Unanswered)) throw error;
      throw new DlmError('DLM_TIMED_OUT', `waited ${formatLimit(limit!)} for ${words}: ${error.message}`, error.hint);
    }
  }

  async #until(client: NodeClient, awaited: Awaited, limit: number | null): Promise<void> {
    const { words } = awaited;
    const signals = new SignalWatch();
    const timers: NodeJS.Timeout[] = [];
    let why: string | null = null;
    let isLate = false;
    const late = (): DlmError => new DlmError('DLM_TIMED_OUT', `waited ${formatLimit(limit!)} for ${words}: ${why ?? 'the node has not answered'}`, 'see: dlm node status');
    const ended = new Promise<never>((_, reject) => {
      const interrupted = (): Failure => new Failure(new DlmError('DLM_CANCELLED', `${signals.first} came while waiting for ${words}`, 'wait again if it still matters'), bySignal(signals.first!));
      signals.aborted.addEventListener('abort', () => reject(interrupted()));
      if (limit === null) return;
      // However short the time is, what is so already is seen.
      timers.push(setTimeout(() => (why === null ? (isLate = true) : reject(late())), limit));
      timers.push(setTimeout(() => reject(late()), answerTimeoutOf({ nonblock: false, wait: limit }).answerTimeout));
    });
    // Also while the node says nothing.
    const orEnd = <Answer>(answer: Promise<Answer>): Promise<Answer> => Promise.race([answer, ended]);
    let silence: Promise<'tell'> | null = new Promise((resolve) => timers.push(setTimeout(() => resolve('tell'), silenceMillis)));
    try {
      for (let seen = await orEnd(client.port.awaitChange(null)); ; ) {
        const status = await orEnd(client.status());
        if (awaited.isSo(status)) return;
        why = awaited.why(status);
        if (isLate) throw late();
        const change = client.port.awaitChange(seen);
        let next = await orEnd(Promise.race([change, ...(silence === null ? [] : [silence])]));
        if (next === 'tell') {
          silence = null;
          why = awaited.why(await orEnd(client.status()));
          this.note(`waiting for ${words}: ${why}`);
          next = await orEnd(change);
        }
        seen = next;
      }
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  }
}

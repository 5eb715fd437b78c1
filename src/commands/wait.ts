/**
 * Wait until something about the cluster is so. The node tells when to look again; nobody asks it every second.
 */
import { DlmError, defaultLockspace, type NodeClient } from '../core/index.js';
import { askForLock } from '../terminal/asking.js';
import { awaitedOf, type Awaited } from '../terminal/awaited.js';
import { BaseCommand } from '../terminal/base-command.js';
import { wordsOf } from '../terminal/command-line.js';
import { formatLimit } from '../terminal/durations.js';
import { durationFlag, lockspaceFlag, neededWordArg, quietWaitFlag } from '../terminal/flags.js';
import { needNames } from '../terminal/names.js';
import { prose } from '../terminal/prose.js';
import { Failure } from '../terminal/report.js';
import { exitOfSignal, SignalWatch } from '../terminal/signals.js';

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
    const client = await this.reach();
    await this.#until(client, awaited, flags.wait ?? null);
    return { waitedFor: words, isSo: true };
  }

  /** Whoever waits for a lock is told who has it, as by dlm lock. */
  async #waitFree(name: string, flags: { lockspace?: string | undefined; wait?: number | undefined; quiet: boolean }): Promise<unknown> {
    const [target] = needNames([name], undefined);
    const { space } = await this.reachLockspace({ ...flags, lockspace: flags.lockspace ?? defaultLockspace, 'no-start': true });
    const patience = { nonblock: false, ...(flags.wait === undefined ? {} : { wait: flags.wait }) };
    const request = { space, mode: 'EX' as const, flags: [], wantValue: false, blocking: false, ownerPid: null, patience, isQuiet: flags.quiet, note: (words: string) => this.note(words), target: target! };
    const lock = await askForLock(request, new SignalWatch());
    await lock.unlock();
    return { waitedFor: ['free', name], isSo: true };
  }

  async #until(client: NodeClient, awaited: Awaited, limit: number | null): Promise<void> {
    const signals = new SignalWatch();
    const stop = new Promise<'signal'>((resolve) => signals.aborted.addEventListener('abort', () => resolve('signal')));
    const timers: NodeJS.Timeout[] = [];
    const after = <Word>(millis: number, word: Word): Promise<Word> => new Promise((resolve) => timers.push(setTimeout(() => resolve(word), millis)));
    const late = limit === null ? new Promise<never>(() => undefined) : after(limit, 'late' as const);
    let silence: Promise<'tell'> | null = after(silenceMillis, 'tell' as const);
    try {
      for (let seen = await client.port.awaitChange(null); ; ) {
        const status = await client.status();
        if (awaited.isSo(status)) return;
        const change = client.port.awaitChange(seen);
        let next = await Promise.race([change, late, stop, ...(silence === null ? [] : [silence])]);
        if (next === 'tell') {
          silence = null;
          this.note(`waiting for ${awaited.words}: ${awaited.why(await client.status())}`);
          next = await Promise.race([change, late, stop]);
        }
        if (next === 'signal') throw new Failure(new DlmError('DLM_CANCELLED', `${signals.first} came while waiting for ${awaited.words}`), { exit: exitOfSignal(signals.first!) });
        if (next === 'late') throw new DlmError('DLM_TIMED_OUT', `waited ${formatLimit(limit!)} for ${awaited.words}: ${awaited.why(status)}`, 'see: dlm node status');
        seen = next;
      }
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  }
}

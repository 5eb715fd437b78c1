/**
 * Convert a lock to another mode.
 */
import { escapeText, parseLockId, type ConvertOptions } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { describeResults } from '../terminal/describe.js';
import * as options from '../terminal/flags.js';
import { jsonOfLock, locksAround, needWriter } from '../terminal/held-lock.js';
import { checkLockWords, idMeant } from '../terminal/own-lock.js';
import { answerTimeoutOf, limitsOf, reachedInTime, waitFor, type Waiting } from '../terminal/patience.js';
import { prose } from '../terminal/prose.js';
import { SignalWatch } from '../terminal/signals.js';
import { valueGiven } from '../terminal/values.js';

export default class Convert extends BaseCommand {
  static override summary = 'Convert a lock to another mode';
  static override usage = ['convert ID -m MODE [-n | -w TIME] [--value TEXT]', 'convert --name NAME -m MODE'];
  static override description = prose`
    A conversion down is granted at once. One up waits for the others who hold the resource; when it is given up, by
    -w, a signal or dlm cancel, the lock keeps the mode it had.

    A value given with --value is written if the lock holds PW or EX and does not convert from PW to EX; otherwise
    it is refused (exit code 101), and nothing is done.

    With --name in place of ID it is the lock that the calling script has on that name, as dlm lock NAME took it. A
    script that has several there is told their ids, and nothing is done.`;
  static override examples = [
    { description: 'Let readers in, but keep writers out', command: '<%= config.bin %> convert "$id" -m PR' },
    { description: 'The lock that this script has on disk0', command: '<%= config.bin %> convert --name disk0 -m EX' },
    { description: 'Publish a value and stay interested', command: '<%= config.bin %> convert "$id" -m NL --value "$(date)"' },
    { description: 'Become the writer, without waiting behind a deadlock', command: '<%= config.bin %> convert "$id" -m EX --flag CONVDEADLK' },
  ];
  static override args = { id: options.lockIdArg };
  static override flags = {
    mode: options.neededModeFlag,
    ...options.ownLockFlags,
    ...options.valueFlags,
    ...options.lockFlags,
    ...options.patienceFlags,
    ...options.conflictExitFlag,
    ...options.quietWaitFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Convert);
    checkLockWords(args.id, flags, 'convert');
    const value = valueGiven(flags);
    const { mustNotWait, timeout } = limitsOf(flags);
    const shown = args.id === undefined ? (flags.name ?? flags['name-hex'] ?? '') : `lock ${args.id}`;
    const wish = { shown: escapeText(shown), mode: flags.mode, patience: flags, isQuiet: flags.quiet };
    const client = await reachedInTime(wish, () => this.reach({ 'no-start': true, ...answerTimeoutOf(flags) }));
    const id = await idMeant(client, args.id, flags, 'convert');
    const lock = await client.lockOf(id);
    if (value !== undefined) await needWriter(client, lock, flags.mode);
    const signals = new SignalWatch();
    const call: ConvertOptions = {
      flags: mustNotWait ? [...(flags.flag ?? []), 'NOQUEUE'] : (flags.flag ?? []),
      signal: signals.aborted,
      ...(value === undefined ? {} : { value }),
      ...(timeout === undefined ? {} : { timeout }),
    };
    const { lockspace } = parseLockId(id);
    const waiting: Waiting = {
      ...locksAround(client, id),
      lockspace,
      status: () => client.status(lockspace),
      shown: `lock ${id}`,
      mode: flags.mode,
      isMine: (other) => other.id === id,
      caller: process.ppid,
      patience: flags,
      isQuiet: flags.quiet,
      note: (words) => this.note(words),
    };
    await waitFor(waiting, signals, () => lock.convert(flags.mode, call));
    this.noteAll(describeResults(lock.results, lock.mode));
    return jsonOfLock(lock);
  }
}

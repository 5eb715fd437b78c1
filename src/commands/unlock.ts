/**
 * Give a lock back.
 */
import * as Flags from '@oclif/core/flags';
import { parseLockId } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import * as options from '../terminal/flags.js';
import { needWriter } from '../terminal/held-lock.js';
import { checkLockWords, idMeant } from '../terminal/own-lock.js';
import { prose } from '../terminal/prose.js';
import { answered } from '../terminal/slow-answer.js';
import { valueGiven } from '../terminal/values.js';

export default class Unlock extends BaseCommand {
  static override summary = 'Give a lock back';
  static override usage = ['unlock ID [--value TEXT | --value-hex HEX | --invalidate]', 'unlock --name NAME'];
  static override description = prose`
    Whoever knows the id can unlock, whoever took the lock. One that has ended, or whose id is of an earlier life of
    the node, is unknown (exit code 89).

    With --name in place of ID it is the lock that the calling script has on that name, as dlm lock NAME took it. A
    script that has several there is told their ids, and nothing is done.

    If the node that decides about the lock is silent, that is said and waited for; a command that is ended meanwhile,
    say by timeout(1), has given the lock back all the same.

    A value is written if the lock holds PW or EX; in another mode it is refused (exit code 101), and nothing is done.`;
  static override examples = [
    '<%= config.bin %> unlock default:1.7.0000002a',
    { description: 'The lock that this script has on counter', command: '<%= config.bin %> unlock --name counter' },
    { description: 'Write the value with it; the lock must hold PW or EX', command: '<%= config.bin %> unlock "$id" --value "$count"' },
    { description: 'Say that the value is no longer right', command: '<%= config.bin %> unlock "$id" --invalidate' },
  ];
  static override args = { id: options.lockIdArg };
  static override flags = {
    ...options.ownLockFlags,
    ...options.valueFlags,
    invalidate: Flags.boolean({ summary: 'mark the value as not valid (IVVALBLK)', exclusive: ['value', 'value-hex'] }),
    force: Flags.boolean({ summary: 'end it also while it waits or converts (FORCEUNLOCK)' }),
    ...options.lockFlags,
    ...options.quietFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Unlock);
    checkLockWords(args.id, flags, 'unlock');
    const value = valueGiven(flags);
    const client = await this.reach();
    const id = await idMeant(client, args.id, flags, 'unlock');
    const lock = await client.lockOf(id);
    if (value !== undefined) await needWriter(client, lock, null);
    const giving = lock.unlock({
      flags: options.flagsFor(flags.flag, { IVVALBLK: flags.invalidate, FORCEUNLOCK: flags.force }),
      ...(value === undefined ? {} : { value }),
    });
    const { lockspace } = parseLockId(id);
    const about = { what: `word that lock ${id} is given back`, lockspace, status: () => client.status(lockspace), note: (words: string) => this.note(words) };
    await answered(about, giving);
    return { id, unlocked: true };
  }
}

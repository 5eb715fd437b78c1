/**
 * Take back what a lock waits for.
 */
import { DlmError, parseLockId } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { lockIdArg, ownLockFlags, quietFlag } from '../terminal/flags.js';
import { checkLockWords, idMeant } from '../terminal/own-lock.js';
import { prose } from '../terminal/prose.js';
import { answered } from '../terminal/slow-answer.js';

export default class Cancel extends BaseCommand {
  static override summary = 'Take back what a lock waits for';
  static override usage = ['cancel ID', 'cancel --name NAME'];
  static override description = prose`
    A request that waits ends, and whoever asked is told (exit code 83). A conversion that waits is taken back and
    the lock keeps the mode it had. A lock that waits for nothing stays as it is, and the exit code is 88.

    Which of them it is, the node knows that decides about the lock. If it is silent, that is said and waited for; a
    command that is ended meanwhile, say by timeout(1), has asked all the same, and it is done when that node answers.

    With --name in place of ID it is the lock that the calling script has on that name, as dlm lock NAME took it. A
    script that has several waiting there is told their ids, and nothing is done.`;
  static override examples = [
    '<%= config.bin %> cancel default:1.7.0000002a',
    { description: 'What this script has asked for in the background', command: '<%= config.bin %> cancel --name counter' },
    { description: 'A dlm lock NAME -- COMMAND that still waits there', command: '<%= config.bin %> cancel --name counter --owner-pid $!' },
  ];
  static override args = { id: lockIdArg };
  static override flags = { ...ownLockFlags, ...quietFlag };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Cancel);
    checkLockWords(args.id, flags, 'cancel');
    const client = await this.reach();
    const id = await idMeant(client, args.id, flags, 'cancel');
    const lock = await client.lockOf(id);
    const { lockspace } = parseLockId(id);
    const about = { what: `word that what lock ${id} waits for is taken back`, lockspace, status: () => client.status(lockspace), note: (words: string) => this.note(words) };
    if (await answered(about, lock.cancel())) return { id, cancelled: true };
    throw new DlmError('DLM_NOTHING_TO_CANCEL', `lock ${id} waits for nothing`);
  }
}

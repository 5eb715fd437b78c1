/**
 * What does each lockspace wait for?
 */
import { askNode, type RecoveryStatus } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { prose } from '../../terminal/prose.js';
import { statusLines } from '../../terminal/recovery-words.js';
import { Failure, isDlmError } from '../../terminal/report.js';

const noAnswerExit = 1;
const waitingExit = 2;

export default class RecoverStatus extends BaseCommand {
  static override summary = 'Show what each lockspace waits for, for whom, and why';
  static override usage = 'recover status';
  static override description = prose`
    A lockspace that cannot be locked, or whose applications are suspended, stands on a rung of this ladder: ringid (no
    view shows this node in it yet), quorum, fencing, suspend, dlm (locks are recovered), app (the data of a failed node
    is). The exit code is 0 if nothing waits, 2 if something does, and 1 if no node answers.`;
  static override examples = [
    '<%= config.bin %> recover status',
    { description: 'Only the exit code', command: '<%= config.bin %> recover status > /dev/null 2>&1' },
  ];

  async run(): Promise<unknown> {
    await this.parse(RecoverStatus);
    const status = await this.#ask();
    for (const line of statusLines(status)) this.print(line);
    if (status.isWaiting) process.exitCode = waitingExit;
    return status;
  }

  async #ask(): Promise<RecoveryStatus> {
    try {
      return await askNode<RecoveryStatus>({ method: 'GET', path: '/v1/recovery' });
    } catch (error) {
      if (isDlmError(error)) throw new Failure(error, { exit: noAnswerExit });
      throw error;
    }
  }
}

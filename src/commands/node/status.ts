/**
 * How the node of this machine is.
 */
import type { NodeStatus } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { describeStatus } from '../../terminal/describe-status.js';
import { prose } from '../../terminal/prose.js';
import { Failure, isDlmError } from '../../terminal/report.js';

const noAnswerExit = 1;
const notQuorateExit = 2;

export default class NodeStatusCommand extends BaseCommand {
  static override summary = 'Show how the node of this machine is';
  static override usage = 'node status';
  static override description = prose`
    The exit code tells: 0 healthy, 2 running but not quorate (nothing is granted), 1 no answer. It never starts a
    node. One that was told to leave and waits for the last locks to end says that it drains, and for how many ("leaving"
    with --json); its code is that of a healthy one.`;
  static override examples = [
    '<%= config.bin %> node status',
    { description: 'Only the exit code', command: '<%= config.bin %> node status > /dev/null 2>&1' },
  ];

  async run(): Promise<unknown> {
    await this.parse(NodeStatusCommand);
    const status = await this.#ask();
    for (const line of describeStatus(status)) this.print(line);
    if (!status.quorate) process.exitCode = notQuorateExit;
    return status;
  }

  async #ask(): Promise<NodeStatus> {
    try {
      const client = await this.reach();
      return await client.status();
    } catch (error) {
      if (isDlmError(error)) throw new Failure(error, { exit: noAnswerExit });
      throw error;
    }
  }
}

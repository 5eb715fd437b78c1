/**
 * Take back what a lock waits for.
 */
import { DlmError } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { lockIdArg, quietFlag } from '../terminal/flags.js';
import { prose } from '../terminal/prose.js';

export default class Cancel extends BaseCommand {
  static override summary = 'Take back what a lock waits for';
  static override usage = 'cancel ID';
  static override description = prose`
    A request that waits ends, and whoever asked is told (exit code 83). A conversion that waits is taken back and
    the lock keeps the mode it had. A lock that waits for nothing stays as it is, and the exit code is 88.`;
  static override examples = ['<%= config.bin %> cancel default:1.7.0000002a'];
  static override args = { id: lockIdArg };
  static override flags = { ...quietFlag };

  async run(): Promise<unknown> {
    const { args } = await this.parse(Cancel);
    const client = await this.reach();
    const lock = await client.lockOf(args.id);
    if (await lock.cancel()) return { id: args.id, cancelled: true };
    throw new DlmError('DLM_NOTHING_TO_CANCEL', `lock ${args.id} waits for nothing`);
  }
}

/**
 * Leave a lockspace.
 */
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../terminal/base-command.js';
import { describeLocks } from '../../terminal/describe.js';
import * as options from '../../terminal/flags.js';
import { lockspaceName } from '../../terminal/names.js';
import { prose } from '../../terminal/prose.js';
import { Failure, isDlmError } from '../../terminal/report.js';

export default class LockspaceRemove extends BaseCommand {
  static override summary = 'Leave a lockspace; it is gone when the last node has left';
  static override usage = 'lockspace remove NAME [--force]';
  static override description = prose`
    Refused while there are locks in it, orphans included, and the holders are named. With --force their locks end:
    whoever holds one is told that it is lost, and commands under them are stopped.`;
  static override examples = ['<%= config.bin %> lockspace remove mail', '<%= config.bin %> lockspace remove mail --force'];
  static override args = { name: options.neededWordArg('the lockspace') };
  static override flags = {
    force: Flags.boolean({ summary: 'end the locks that are in it' }),
    ...options.quietFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LockspaceRemove);
    const lockspace = lockspaceName(args.name);
    const client = await this.reach();
    try {
      await client.removeLockspace(lockspace, { force: flags.force });
    } catch (error) {
      if (!isDlmError(error, 'DLM_LOCKSPACE_IN_USE')) throw error;
      const holders = await client.locks({ lockspace });
      throw new Failure(error, { details: describeLocks(holders, 'resource'), facts: { holders } });
    }
    return { name: lockspace, removed: true };
  }
}

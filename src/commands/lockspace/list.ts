/**
 * The lockspaces that this node has joined.
 */
import { BaseCommand } from '../../terminal/base-command.js';
import { quietFlag } from '../../terminal/flags.js';
import { lockspacesTable } from '../../terminal/tables.js';

export default class LockspaceList extends BaseCommand {
  static override summary = 'List the lockspaces that this node has joined';
  static override usage = 'lockspace list';
  static override examples = ['<%= config.bin %> lockspace list'];
  static override flags = { ...quietFlag };

  async run(): Promise<unknown> {
    await this.parse(LockspaceList);
    const client = await this.reach();
    const lockspaces = await client.lockspaces();
    if (lockspaces.length > 0) this.print(lockspacesTable(lockspaces));
    else this.note('this node has joined no lockspace');
    return lockspaces;
  }
}

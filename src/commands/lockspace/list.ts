/**
 * The lockspaces that this node has joined.
 */
import { BaseCommand } from '../../terminal/base-command.js';
import { quietFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { lockspacesTable } from '../../terminal/tables.js';

export default class LockspaceList extends BaseCommand {
  static override summary = 'List the lockspaces that this node has joined';
  static override usage = 'lockspace list';
  static override description = prose`
    VALUE BYTES is the length of a value block. A resource is counted while somebody holds or wants a lock on it; an
    orphan is a lock that has outlived its owner.`;
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

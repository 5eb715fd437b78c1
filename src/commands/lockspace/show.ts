/**
 * A lockspace, resource by resource.
 */
import { BaseCommand } from '../../terminal/base-command.js';
import * as options from '../../terminal/flags.js';
import { contentOf } from '../../terminal/content.js';
import { prose } from '../../terminal/prose.js';
import { lockspaceView } from '../../terminal/resource-view.js';

export default class LockspaceShow extends BaseCommand {
  static override summary = 'Show a lockspace resource by resource: value, granted, converting, waiting';
  static override usage = ['lockspace show [NAME]', 'lockspace show NAME RESOURCE'];
  static override description = prose`
    Every lock is a line: its id in this lockspace (8 hex digits), the mode held, behind > the mode asked for, how
    long it has been so, and whose it is. In a cluster the nodes that share the lockspace are shown with their slots,
    and how far a recovery is; and of each resource the node that decides about it (master) and the one that knows
    which that is (directory). The queues of a resource are with its master; of one that another node decides about only
    the locks of this node are shown, and who has the rest.`;
  static override examples = ['<%= config.bin %> lockspace show', '<%= config.bin %> lockspace show mail', '<%= config.bin %> lockspace show default counter'];
  static override args = {
    name: options.wordArg('the lockspace; default if not given'),
    resource: options.wordArg('only this resource'),
  };

  async run(): Promise<unknown> {
    const { args } = await this.parse(LockspaceShow);
    const client = await this.reach();
    const content = await contentOf(client, args.name, args.resource);
    for (const line of lockspaceView(content, client.port.node)) this.print(line);
    return content;
  }
}

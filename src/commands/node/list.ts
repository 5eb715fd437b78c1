/**
 * The members of the cluster, as the node of this machine knows them.
 */
import { BaseCommand } from '../../terminal/base-command.js';
import { describeOtherKeys, membershipOf, membersTable } from '../../terminal/members.js';
import { prose } from '../../terminal/prose.js';

export default class NodeList extends BaseCommand {
  static override summary = 'List the members of the cluster';
  static override usage = 'node list';
  static override description = prose`
    As the node here knows them: number, name, how it is linked with them, and the lockspaces they have joined. A node
    that is alone lists itself.`;
  static override examples = ['<%= config.bin %> node list', '<%= config.bin %> node list --json'];

  async run(): Promise<unknown> {
    await this.parse(NodeList);
    const client = await this.reach();
    const present = membershipOf(await client.status());
    this.print(membersTable(present.members));
    this.noteAll(describeOtherKeys(present.members));
    return present;
  }
}

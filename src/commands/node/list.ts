/**
 * The members of the cluster, as the node of this machine knows them.
 */
import { escapeText, type MemberInfo } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { prose } from '../../terminal/prose.js';
import { table } from '../../terminal/tables.js';

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
    const { cluster, node, lockspaces, incarnation } = await client.status();
    const alone: MemberInfo = { node, name: '', address: '', incarnation, lockspaces: lockspaces.map(({ name }) => name), link: 'self' };
    const members = cluster?.members ?? [alone];
    const rows = members.map(({ node: number, name, link, address, lockspaces: joined }) => [
      String(number),
      escapeText(name),
      link,
      escapeText(address),
      joined.map(escapeText).join(' '),
    ]);
    this.print(table(['NODE', 'NAME', 'LINK', 'ADDRESS', 'LOCKSPACES'], rows));
    return { cluster: cluster?.name ?? null, view: cluster?.view ?? null, members };
  }
}

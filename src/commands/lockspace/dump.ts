/**
 * Everything this node knows, as JSON.
 */
import { BaseCommand } from '../../terminal/base-command.js';
import * as options from '../../terminal/flags.js';
import { contentOf } from '../../terminal/content.js';
import { prose } from '../../terminal/prose.js';

export default class LockspaceDump extends BaseCommand {
  static override summary = 'Print everything the node knows of its lockspaces, as JSON';
  static override usage = 'lockspace dump [NAME]';
  static override description = prose`
    One document on standard output, also without --json: the node's status, and of each lockspace every resource
    with its value and its three queues.`;
  static override examples = [
    { description: 'Keep what was to be seen', command: '<%= config.bin %> lockspace dump > dump.json' },
    '<%= config.bin %> lockspace dump mail',
  ];
  static override args = { name: options.wordArg('the lockspace; all of them if not given') };

  async run(): Promise<unknown> {
    const { args } = await this.parse(LockspaceDump);
    const client = await this.reach();
    const status = await client.status();
    const names = args.name === undefined ? status.lockspaces.map(({ name }) => name) : [args.name];
    const lockspaces = [];
    for (const name of names) lockspaces.push(await contentOf(client, name));
    const dump = { status, lockspaces };
    this.print(JSON.stringify(dump, null, 2));
    return dump;
  }
}

/**
 * The locks of this node.
 */
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../terminal/base-command.js';
import * as options from '../terminal/flags.js';
import { takeName } from '../terminal/names.js';
import { prose } from '../terminal/prose.js';
import { locksTable } from '../terminal/tables.js';

export default class Locks extends BaseCommand {
  static override summary = 'List locks: who holds, who converts, who waits';
  static override usage = 'locks [NAME] [-l LOCKSPACE] [--all-nodes] [--waiting]';
  static override description = prose`
    All lockspaces are listed unless -l names one. MODE shows what is held and, behind >, what is asked for: PR>EX
    holds PR and converts to EX. PLACE is the place in its queue, conversions first. AGE is how long the lock has
    been in that state. In a cluster the list is what the node here holds and decides about, unless --all-nodes asks
    everybody.`;
  static override examples = [
    '<%= config.bin %> locks',
    { description: 'Who keeps me from the counter?', command: '<%= config.bin %> locks counter' },
    { description: 'For a script', command: `<%= config.bin %> locks --json | jq -r '.[] | select(.state == "waiting") | .id'` },
  ];
  static override args = { name: options.nameArg };
  static override flags = {
    ...options.lockspaceFlag,
    ...options.nameHexFlag,
    'all-nodes': Flags.boolean({ char: 'a', summary: 'of all members of the cluster, not only of the node here' }),
    waiting: Flags.boolean({ summary: 'only those that wait or convert' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Locks);
    const target = takeName(args.name === undefined ? [] : [args.name], flags['name-hex']);
    const client = await this.reach();
    const all = await client.locks({
      ...(flags.lockspace === undefined ? {} : { lockspace: flags.lockspace }),
      ...(flags['all-nodes'] ? { allNodes: true } : {}),
      ...(target === null ? {} : { name: target.name }),
    });
    const locks = flags.waiting ? all.filter((lock) => lock.state !== 'granted') : all;
    if (locks.length > 0) this.print(locksTable(locks));
    else this.note(`there are no locks${target === null ? '' : ` on ${target.shown}`}`);
    return locks;
  }
}

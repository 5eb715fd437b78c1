/**
 * Locks that outlived their owners.
 */
import type { NodeClient } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import * as options from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { locksTable } from '../../terminal/tables.js';

export default class OrphansList extends BaseCommand {
  static override summary = 'List locks that outlived their owners';
  static override usage = 'orphans list [-l LOCKSPACE]';
  static override description = prose`
    A lock taken with --persistent is not freed when its owner ends: it stays, as an orphan, and goes on keeping
    others out. PID and COMMAND show whose it was. Adopt it, or purge it. In a cluster these are the orphans that this
    node's own people have left, and only here they are adopted and purged; dlm locks --all-nodes lists those of all.`;
  static override examples = ['<%= config.bin %> orphans list'];
  static override flags = { ...options.onlyLockspaceFlag, ...options.quietFlag };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(OrphansList);
    const client = await this.reach();
    const orphans = await client.locks({
      orphansOnly: true,
      ...(flags.lockspace === undefined ? {} : { lockspace: flags.lockspace }),
    });
    if (orphans.length > 0) this.print(locksTable(orphans));
    else this.note(await this.#nothing(client));
    return orphans;
  }

  async #nothing(client: NodeClient): Promise<string> {
    if ((await client.status()).cluster === null) return 'there are no orphans';
    return 'this node has no orphans; those of other nodes, which are adopted and purged there, are among: dlm locks --all-nodes';
  }
}

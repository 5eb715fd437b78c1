/**
 * End locks that outlived their owners.
 */
import { defaultLockspace } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { counted } from '../../terminal/describe.js';
import * as options from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';

export default class OrphansPurge extends BaseCommand {
  static override summary = 'End locks that outlived their owners';
  static override usage = 'orphans purge [--pid PID]';
  static override description = prose`
    Ends the orphans of one lockspace: all of them, or those that one process has left. Whoever waits for them goes
    on. The value of a resource that an orphan held in PW or EX is no longer valid. In a cluster these are the orphans
    of this node; those of another one are purged there.`;
  static override examples = [
    '<%= config.bin %> orphans purge',
    { description: 'Only what process 4711 has left', command: '<%= config.bin %> orphans purge --pid 4711' },
  ];
  static override flags = {
    pid: options.pidFlag({ helpValue: 'PID', summary: 'only those that this process has left' }),
    ...options.lockspaceFlag,
    ...options.quietFlag,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(OrphansPurge);
    const client = await this.reach();
    const purged = await client.port.purgeOrphans(flags.lockspace ?? defaultLockspace, flags.pid ?? null);
    this.note(`${counted(purged, 'orphan')} ended`);
    return { purged };
  }
}

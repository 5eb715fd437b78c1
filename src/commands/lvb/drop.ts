/**
 * Stop keeping the value of a resource.
 */
import { DlmError } from '../../core/index.js';
import { dropAnchor } from '../../terminal/anchor.js';
import { BaseCommand } from '../../terminal/base-command.js';
import * as options from '../../terminal/flags.js';
import { needName } from '../../terminal/names.js';
import { prose } from '../../terminal/prose.js';

export default class LvbDrop extends BaseCommand {
  static override summary = 'Stop keeping the value of a resource';
  static override usage = 'lvb drop NAME';
  static override description = prose`
    Takes back the lock in NL with which the node keeps a value that dlm lvb set has written. The value is forgotten
    with the last lock on the resource; while others hold one, it stays.`;
  static override examples = ['<%= config.bin %> lvb drop counter'];
  static override args = { name: options.nameArg };
  static override flags = { ...options.lockspaceFlag, ...options.nameHexFlag, ...options.quietFlag };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(LvbDrop);
    const target = needName(args.name === undefined ? [] : [args.name], flags['name-hex']);
    const client = await this.reach();
    if (await dropAnchor(client, flags.lockspace ?? 'default', target.name)) return { resource: target.shown, dropped: true };
    throw new DlmError('DLM_NO_VALUE', `no value of ${target.shown} is kept by the node`, 'see who holds a lock on it with: dlm locks');
  }
}

/**
 * Take over a lock that outlived its owner.
 */
import { DlmError } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import * as options from '../../terminal/flags.js';
import { locksEverywhere } from '../../terminal/describe.js';
import { describeHolding, infoOf, jsonOfLock, ownerPid } from '../../terminal/held-lock.js';
import { needName } from '../../terminal/names.js';
import { prose } from '../../terminal/prose.js';
import { isDlmError } from '../../terminal/report.js';

export default class OrphansAdopt extends BaseCommand {
  static override summary = 'Take over a lock that outlived its owner, and print its id';
  static override usage = 'orphans adopt NAME -m MODE [--owner-pid PID]';
  static override description = prose`
    The orphan keeps its id and its mode, and nobody comes in between. It belongs to the process that called dlm, or
    to --owner-pid, and is still persistent: it will outlive this owner too, unless it is unlocked.`;
  static override examples = ['id=$(<%= config.bin %> orphans adopt counter -m EX)'];
  static override args = { name: options.nameArg };
  static override flags = {
    mode: options.neededModeFlag,
    ...options.ownerFlag,
    ...options.lockspaceFlag,
    ...options.nameHexFlag,
    ...options.quietFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(OrphansAdopt);
    const target = needName(args.name === undefined ? [] : [args.name], flags['name-hex']);
    const pid = ownerPid(flags['owner-pid']);
    const { client, space } = await this.reachLockspace({ ...flags, 'no-start': true });
    const lock = await space.lock(target.name, { mode: flags.mode, flags: ['ORPHAN', 'PERSISTENT'], owner: { pid } }).catch(async (error: unknown) => {
      if (!isDlmError(error, 'DLM_LOCK_UNKNOWN', 'DLM_ORPHAN_UNKNOWN')) throw error;
      if ((await client.status(space.name)).cluster === null) throw new DlmError('DLM_ORPHAN_UNKNOWN', `there is no orphan in ${flags.mode} on ${target.shown}`);
      throw new DlmError('DLM_ORPHAN_UNKNOWN', `this node has no orphan in ${flags.mode} on ${target.shown}`, `one of another node is adopted there; see: ${locksEverywhere(target.shown, space.name)}`);
    });
    const owner = (await infoOf(space, target, lock))?.owner ?? null;
    this.print(lock.id);
    this.note(describeHolding(lock, target.shown, owner, true));
    return { ...jsonOfLock(lock), resource: target.shown, owner };
  }
}

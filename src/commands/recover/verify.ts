/**
 * Did recoveries happen in the order that was asked for?
 */
import { DlmError, deviationsIn } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { chosenRecoveries, recoveryFlags } from '../../terminal/chosen-recovery.js';
import { counted } from '../../terminal/describe.js';
import { wordArg } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { Failure } from '../../terminal/report.js';

export default class RecoverVerify extends BaseCommand {
  static override summary = 'Hold what happened in recoveries against the order that was asked for';
  static override usage = 'recover verify [GENERATION] [--lockspace NAME]';
  static override description = prose`
    Every record that is kept is checked, or those of one generation: did each step begin only when all that it waits
    for had ended, on every member and about every failed node, and did all end? The check knows nothing of how
    recovery works. Each deviation is a line, and the exit code is 112 if there is one.`;
  static override examples = ['<%= config.bin %> recover verify', '<%= config.bin %> recover verify --lockspace mail'];
  static override args = { generation: wordArg('only this generation') };
  static override flags = recoveryFlags;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(RecoverVerify);
    const records = await chosenRecoveries({ generation: args.generation, lockspace: flags.lockspace });
    const checked = await Promise.all(records.map(async ({ lockspace, generation, ...record }) => ({ lockspace, generation, deviations: await deviationsIn({ lockspace, generation, ...record }) })));
    const bad = checked.filter(({ deviations }) => deviations.length > 0);
    if (bad.length > 0) {
      const details = bad.flatMap(({ lockspace, generation, deviations }) => deviations.map((words) => `${lockspace}, generation ${generation}: ${words}`));
      throw new Failure(new DlmError('DLM_OUT_OF_ORDER', `${counted(bad.length, 'recovery').replace('recoverys', 'recoveries')} of ${checked.length} did not happen in order`), { details, facts: { checked } });
    }
    this.print(checked.length === 0 ? 'no recovery is kept here' : `${checked.length === 1 ? 'the recovery' : `all ${checked.length} recoveries`} that ${checked.length === 1 ? 'was' : 'were'} asked about happened in order`);
    return { checked };
  }
}

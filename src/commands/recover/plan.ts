/**
 * What would happen if a node failed now?
 */
import { askNode, type RecoveryPlan } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { describeUnlisted } from '../../terminal/describe.js';
import { neededNodeFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { planLines } from '../../terminal/recovery-words.js';

export default class RecoverPlan extends BaseCommand {
  static override summary = 'Show what would happen if a node failed now, without doing any of it';
  static override usage = 'recover plan --node N';
  static override description = prose`
    For each lockspace that this node shares with it: the steps, who does them and what each waits for; the locks of the
    node, which would end; those of others that would be granted then; the values that would no longer be valid; and
    who may decide about what it decides about now. It is computed from what all members hold at this moment;
    one that does not answer is named on standard error, and with --json in "unlisted".`;
  static override examples = ['<%= config.bin %> recover plan --node 2'];
  static override flags = { node: neededNodeFlag };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(RecoverPlan);
    const plan = await askNode<RecoveryPlan>({ method: 'GET', path: `/v1/recovery/plan/${flags.node}` });
    for (const line of planLines(plan)) this.print(line);
    this.noteAll(describeUnlisted(plan.unlisted));
    return plan;
  }
}

/**
 * An operator's word that a failed node is off.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError, askNode, type CaseInfo } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { confirm, yesFlag } from '../../terminal/confirm.js';
import { nodeMax, neededWordArg, quietFlag } from '../../terminal/flags.js';
import { parseWhole } from '../../terminal/numbers.js';
import { whoAsks } from '../../terminal/operator.js';
import { prose } from '../../terminal/prose.js';

export default class FenceAck extends BaseCommand {
  static override summary = 'Say that a failed node is off, so that the others go on';
  static override usage = 'fence ack NODE --reason WORDS [--yes]';
  static override description = prose`
    For a node that has failed and cannot be fenced: you have pulled its plug, or seen that it is off. Its locks are
    given to others then. If it is not off, two nodes may write the same data. It is refused for a member, and kept
    with your name, your reason and what had been tried (dlm fence history).`;
  static override examples = ['<%= config.bin %> fence ack 2 --reason "pulled both plugs" --yes'];
  static override args = { node: neededWordArg('the number of the node') };
  static override flags = {
    reason: Flags.string({ helpValue: 'WORDS', summary: 'how you know that it is off', required: true }),
    ...yesFlag,
    ...quietFlag,
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(FenceAck);
    const node = parseWhole(args.node, 1, nodeMax);
    if (flags.reason.trim() === '') throw new DlmError('DLM_USAGE', '--reason says nothing', 'say how you know that the node is off');
    await confirm(`the locks of node ${node} are given to others; if it is not off, data may be destroyed`, flags.yes);
    const answer = await askNode<{ cases: readonly CaseInfo[] }>({ method: 'POST', path: `/v1/fence/${node}/ack`, body: { by: whoAsks(), reason: flags.reason } });
    this.note(`node ${node} counts as fenced`);
    return { node, ...answer };
  }
}

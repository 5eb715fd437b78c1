/**
 * Fence a node by hand.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError, askNode, escapeText, type FenceLevel, type FenceOutcome } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { confirm, yesFlag } from '../../terminal/confirm.js';
import { fenceTestTable } from '../../terminal/fence-tests.js';
import { nodeMax, neededWordArg } from '../../terminal/flags.js';
import { parseWhole } from '../../terminal/numbers.js';
import { prose } from '../../terminal/prose.js';
import { Failure } from '../../terminal/report.js';
import { table } from '../../terminal/tables.js';

export default class FenceNode extends BaseCommand {
  static override summary = 'Fence a node now, whatever it is';
  static override usage = 'fence node NODE [--yes] [--dry-run]';
  static override description = prose`
    The node of this machine uses its devices for it, from the first choice on, until one has worked and that was seen.
    It may be a member: then it fails. If it had failed already, the others go on as soon as it is off. With --dry-run
    the devices are shown, in their order, and nothing is done.`;
  static override examples = ['<%= config.bin %> fence node 2 --yes', '<%= config.bin %> fence node 2 --dry-run'];
  static override args = { node: neededWordArg('the number of the node') };
  static override flags = {
    ...yesFlag,
    'dry-run': Flags.boolean({ summary: 'show the devices, and do nothing' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(FenceNode);
    const node = parseWhole(args.node, 1, nodeMax);
    if (flags['dry-run']) return this.#show(node);
    await confirm(`node ${node} is fenced, and whatever runs there is ended`, flags.yes);
    const outcome = await askNode<FenceOutcome>({ method: 'POST', path: `/v1/fence/${node}`, answerTimeout: Infinity });
    if (outcome.attempts.length > 0) this.print(fenceTestTable([{ ...outcome, isWell: outcome.result === 'fenced' }]));
    if (outcome.result === 'fenced') return outcome;
    throw new Failure(new DlmError('DLM_WAITING', `node ${node} could not be fenced: ${escapeText(outcome.reason)}`, 'see what its devices say with: dlm fence test'), { facts: { outcome } });
  }

  async #show(node: number): Promise<unknown> {
    const found = await askNode<{ node: number; levels: readonly FenceLevel[] }>({ method: 'GET', path: `/v1/fence/${node}` });
    const rows = found.levels.flatMap(({ level, devices }) => devices.map(({ device, agent }) => [String(level), escapeText(device), escapeText(agent)]));
    this.print(rows.length === 0 ? `no fence device is connected to node ${node}` : table(['LEVEL', 'DEVICE', 'AGENT'], rows));
    return found;
  }
}

/**
 * Would fencing work? Asked of every device, without fencing anybody.
 */
import * as Flags from '@oclif/core/flags';
import { DlmError, fenceMethods, readConfig, type DlmConfig } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { describeRemark, describeTrouble, fenceTestTable, type TestedNode } from '../../terminal/fence-tests.js';
import { nodeMax, wordArg } from '../../terminal/flags.js';
import { parseWhole } from '../../terminal/numbers.js';
import { endOf } from '../../terminal/own-end.js';
import { prose } from '../../terminal/prose.js';
import { exitOfSignal, SignalWatch, type EndSignal } from '../../terminal/signals.js';

const notWellExit = 1;

interface Tested {
  readonly problems: readonly string[];
  readonly nodes: readonly TestedNode[];
  /** It was interrupted. */
  readonly ended: EndSignal | null;
}

export default class FenceTestCommand extends BaseCommand {
  static override summary = 'See whether a node could be fenced, without fencing it';
  static override usage = 'fence test NODE | --all [--config FILE]';
  static override description = prose`
    Each device that is connected to the node is asked for its status, or if it has none whether it answers. Nothing is
    turned off or on, and no node need run here. The configuration is checked as a whole: its lines, who may read it,
    the agents, and where secrets are. Whether a node is on or off does not matter; that its device says so does.

    The exit code is 0 if all is well, and 1 if a device does not answer, an agent is missing, or nothing is connected
    to the node.`;
  static override examples = [
    '<%= config.bin %> fence test 2',
    { description: 'Before the file is put in its place', command: '<%= config.bin %> fence test --all --config ./dlm.conf' },
  ];
  static override args = {
    node: wordArg('the number of a node'),
  };
  static override flags = {
    all: Flags.boolean({ summary: 'every node that the configuration names' }),
    config: Flags.string({ helpValue: 'FILE', summary: "the configuration [default: the node's, /etc/dlm/dlm.conf]" }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(FenceTestCommand);
    if ((args.node === undefined) !== (flags.all === true)) throw new DlmError('DLM_USAGE', 'which node is to be tested?', 'give the number of one, or --all');
    const only = args.node === undefined ? undefined : parseWhole(args.node, 1, nodeMax);
    const config = await readConfig(flags.config);
    this.noteAll(config.warnings.map((warning) => describeRemark(config.path, warning)));
    const { problems, nodes, ended } = await this.#test(config, only);

    if (nodes.length > 0) this.print(fenceTestTable(nodes));
    for (const words of [...problems, ...nodes.flatMap(describeTrouble)]) this.warnPeople(words);
    const isWell = problems.length === 0 && nodes.every((node) => node.isWell);
    if (ended !== null) process.exitCode = exitOfSignal(ended);
    else if (!isWell) process.exitCode = notWellExit;
    endOf(ended);
    return { config: config.path, warnings: config.warnings, problems, isWell, nodes };
  }

  /** One after the other: a device may not like to be asked twice at a time. */
  async #test({ path, fence, settings }: DlmConfig, only: number | undefined): Promise<Tested> {
    const seconds = settings.agentTimeoutSeconds;
    const methods = await fenceMethods(fence, seconds === undefined ? {} : { timeoutMillis: seconds * 1000 });
    const wanted = only === undefined ? methods.nodes : [only];
    if (wanted.length === 0) {
      throw new DlmError('DLM_CONFIG_INVALID', `${path} connects no node to a device`, fence.devices.length === 0 ? undefined : 'what it says is for all nodes: give the number of one');
    }
    const nodes: TestedNode[] = [];
    const signals = new SignalWatch();
    for (const node of wanted) nodes.push({ node, ...(await methods.test(node, { signal: signals.aborted })) });
    signals.stop();
    return { problems: only === undefined ? methods.problems() : [], nodes, ended: signals.first };
  }
}

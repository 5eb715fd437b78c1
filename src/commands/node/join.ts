/**
 * Run a node on this machine, in front of us or in the background.
 */
import { Flags } from '@oclif/core';
import { DlmError, attach, serveNode, startDetached, type NodeClient } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { describeLocks } from '../../terminal/describe.js';
import { quietFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { isDlmError } from '../../terminal/report.js';
import { SignalWatch } from '../../terminal/signals.js';
import { NodeStop } from '../../terminal/stop-node.js';

export default class NodeJoin extends BaseCommand {
  static override summary = 'Run a node on this machine';
  static override usage = ['node join', 'node join --detach'];
  static override description = prose`
    In the foreground until INT or TERM. If locks are held then, the node takes no new ones and stops when the last
    has ended; a second signal ends them and stops it at once. With --detach it runs in the background.

    Most people never need this: the first command that takes a lock starts a node in the background, and that one
    stops by itself when nobody has needed it for a while.`;
  static override examples = [
    '<%= config.bin %> node join',
    { description: 'In the background, until dlm node leave', command: '<%= config.bin %> node join --detach' },
  ];
  static override flags = {
    detach: Flags.boolean({ char: 'd', summary: 'run in the background, and return when the node answers' }),
    'as-background': Flags.boolean({ hidden: true, summary: 'be the node in the background', exclusive: ['detach'] }),
    ...quietFlag,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(NodeJoin);
    if (flags.detach) return this.#detach();
    return this.#serve(flags['as-background']);
  }

  async #detach(): Promise<unknown> {
    await refuseSecond();
    const client = await startDetached();
    try {
      return await this.#tell(client, 'in the background');
    } finally {
      await client.close();
    }
  }

  async #serve(isBackground: boolean): Promise<void> {
    const served = await serveNode(isBackground ? { start: 'automatic' } : { start: 'joined', idleMillis: null });
    const status = await this.#tell(served.client, 'until INT or TERM');
    if (this.jsonEnabled()) process.stdout.write(`${JSON.stringify(status)}\n`);
    const stop = new NodeStop(served, (holders) => {
      this.warnPeople(['locks are held; the node stops when they have ended, or at a second signal', ...describeLocks(holders, 'resource')].join('\n  '));
    });
    const signals = new SignalWatch();
    signals.listener = () => void stop.ask();
    this.note(`node ${status.node} has left: ${await served.left}`);
    signals.stop();
  }

  async #tell(client: NodeClient, how: string): Promise<{ node: number; pid: number; incarnation: number; socket: string | null }> {
    const { node, pid, incarnation, socket } = await client.status();
    this.note(`node ${node} runs ${how}, pid ${pid}, listening on ${socket ?? 'nothing'}`);
    return { node, pid, incarnation, socket };
  }
}

/** Throws `DLM_NODE_EXISTS` if a node answers already. */
async function refuseSecond(): Promise<void> {
  try {
    const client = await attach({ start: false });
    const { pid } = await client.status();
    await client.close();
    throw new DlmError('DLM_NODE_EXISTS', `a node is running already, pid ${pid}`);
  } catch (error) {
    if (!isDlmError(error, 'DLM_NO_NODE')) throw error;
  }
}

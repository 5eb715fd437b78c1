/**
 * Run a node on this machine, in front of us or in the background.
 */
import * as Flags from '@oclif/core/flags';
import { escapeText, serveNode, startDetached, type ServeOptions } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { quietFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { speakerFor } from '../../terminal/shell-verbs.js';
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
    'until-left': Flags.boolean({ hidden: true, summary: 'do not stop when nobody needs it', dependsOn: ['as-background'] }),
    ...quietFlag,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(NodeJoin);
    if (flags.detach) return this.#detach();
    const start = flags['as-background'] && !flags['until-left'] ? 'automatic' : 'joined';
    return this.#serve({ start, ...(flags.quiet ? { log: () => undefined } : {}) });
  }

  async #detach(): Promise<unknown> {
    const client = await startDetached();
    const { node, pid, incarnation, socket } = await client.status();
    await client.close();
    this.note(`node ${node} runs in the background until dlm node leave, pid ${pid}, listening on ${escapeText(socket ?? 'nothing')}`);
    return { node, pid, incarnation, socket };
  }

  /** The node's log goes to standard error, here and in the background. */
  async #serve(options: ServeOptions): Promise<void> {
    const served = await serveNode({ shells: speakerFor, ...options });
    const { node, pid, incarnation, socket } = await served.client.status();
    this.note(`node ${node} runs until INT or TERM, pid ${pid}`);
    if (this.jsonEnabled()) process.stdout.write(`${JSON.stringify({ node, pid, incarnation, socket })}\n`);

    const signals = new SignalWatch();
    const stop = new NodeStop(served, (words) => this.warnPeople(words));
    signals.listener = () => void stop.ask();
    await served.left;
    signals.stop();
  }
}

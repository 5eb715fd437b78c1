/**
 * Run a node on this machine, in front of us or in the background.
 */
import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { DlmError, catalogue, escapeText, prepareJoin, serveNode, startDetached, type ServeOptions } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { clusterFlags, clusterOptions, clusterWords } from '../../terminal/cluster-flags.js';
import { quietFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { speakerFor } from '../../terminal/shell-verbs.js';
import { Failure, report } from '../../terminal/report.js';
import { bySignal, endedBy, SignalWatch, type EndSignal } from '../../terminal/signals.js';
import { NodeStop } from '../../terminal/stop-node.js';

export default class NodeJoin extends BaseCommand {
  static override summary = 'Run a node on this machine';
  static override usage = ['node join', 'node join --detach', 'node join --cluster NAME [--detach]'];
  static override description = prose`
    In the foreground until INT or TERM. If locks are held then, the node takes no new ones and stops when the last
    has ended; a second signal ends them and stops it at once. With an application attached it stays as it is: end that
    first, or send a second signal within 10 s, which kills it, and the node counts as failed. With --detach it runs in
    the background.

    With --cluster it is a member of a cluster, and its locks are those of all members. Where a node has been one, a
    node without --cluster would grant what the others hold: it is refused, unless you say --alone.

    Most people never need this: the first command that takes a lock starts a node in the background, and that one
    stops by itself when nobody has needed it for a while.`;
  static override examples = [
    '<%= config.bin %> node join',
    { description: 'In the background, until dlm node leave', command: '<%= config.bin %> node join --detach' },
    { description: 'One of several on this machine', command: 'DLM_DIR=/var/tmp/two <%= config.bin %> node join --cluster web --detach' },
  ];
  static override flags = {
    alone: Flags.boolean({ summary: 'on purpose a node of no cluster, where this machine has been part of one', exclusive: ['cluster'] }),
    ...clusterFlags,
    record: Flags.string({ helpValue: 'FILE', summary: 'write down everything that happens to the node, for dlm sim replay' }),
    detach: Flags.boolean({ char: 'd', summary: 'run in the background, and return when the node answers' }),
    'as-background': Flags.boolean({ hidden: true, summary: 'be the node in the background', exclusive: ['detach'] }),
    'until-left': Flags.boolean({ hidden: true, summary: 'do not stop when nobody needs it', dependsOn: ['as-background'] }),
    ...quietFlag,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(NodeJoin);
    const record = flags.record === undefined ? {} : { record: resolve(flags.record) };
    const cluster = await clusterOptions(flags);
    if (flags.detach) {
      const words = Object.entries(record).map(([name, path]) => `--${name}=${path}`);
      return this.#detach([...clusterWords(flags), ...words, ...(flags.alone ? ['--alone'] : [])], { mayBeAlone: flags.alone || cluster !== null, ...(cluster === null ? {} : await prepareJoin(cluster)) });
    }
    const start = flags['as-background'] && !flags['until-left'] ? 'automatic' : 'joined';
    return this.#serve({ start, isAlone: flags.alone, ...(cluster === null ? {} : { cluster }), ...record, ...(flags.quiet ? { log: () => undefined } : {}) });
  }

  async #detach(words: readonly string[], options: Parameters<typeof startDetached>[0]): Promise<unknown> {
    const signals = new SignalWatch();
    signals.listener = (signal) => this.#leaveBehind(signal);
    const client = await startDetached(options, words);
    signals.stop();
    const { node, pid, incarnation, socket } = await client.status();
    await client.close();
    this.note(`node ${node} runs in the background until dlm node leave, pid ${pid}, listening on ${escapeText(socket ?? 'nothing')}`);
    return { node, pid, incarnation, socket };
  }

  /** Whoever waited for the node is gone, and it is not. */
  #leaveBehind(signal: EndSignal): never {
    const error = new DlmError('DLM_CANCELLED', `${signal} came; a node that was started by then goes on in the background`, 'see: dlm node status; to end it: dlm node leave');
    process.exit(report(new Failure(error, bySignal(signal)), this.jsonEnabled()));
  }

  /** The node's log goes to standard error, here and in the background. */
  async #serve(options: ServeOptions): Promise<void> {
    // What it cannot write down it must not act upon: it ends where it stands, and others see to what it leaves. So does one that is wrong about itself.
    process.once('uncaughtException', (error) => process.exit(report(error, false)));
    let signals: SignalWatch | null = null;
    // Before that nobody counts it as a member, and a signal ends it as it ends any program.
    const callOff = (): AbortSignal => (signals = new SignalWatch()).aborted;
    const served = await serveNode({ shells: speakerFor, callOff, ...options }).catch((error: unknown) => {
      throw endedBy(signals?.first ?? null, error);
    });
    const { node, pid, incarnation, socket } = await served.client.status();
    this.note(`node ${node} runs until INT or TERM, pid ${pid}`);
    if (this.jsonEnabled()) process.stdout.write(`${JSON.stringify({ node, pid, incarnation, socket })}\n`);

    signals ??= new SignalWatch();
    const stop = new NodeStop(served, (words) => this.warnPeople(words));
    const asked: Promise<void>[] = [];
    const ask = (): void => void asked.push(stop.ask());
    signals.listener = ask;
    if (signals.first !== null) ask();
    await served.left;
    signals.stop();
    // The others wait for the end of this process, whatever still goes on in it.
    if (served.hasFailed) process.exit(catalogue.DLM_NODE_FAILED.exit);
    // There may be something to be said of what the node kept.
    await Promise.all(asked);
  }
}

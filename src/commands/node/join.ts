/**
 * Run a node on this machine, in front of us or in the background.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { DlmError, escapeText, serveNode, startDetached, type ClusterOptions, type ServeOptions } from '../../core/index.js';
import { BaseCommand } from '../../terminal/base-command.js';
import { nodeFlag, quietFlag, weightFlag } from '../../terminal/flags.js';
import { prose } from '../../terminal/prose.js';
import { speakerFor } from '../../terminal/shell-verbs.js';
import { SignalWatch } from '../../terminal/signals.js';
import { NodeStop } from '../../terminal/stop-node.js';

export default class NodeJoin extends BaseCommand {
  static override summary = 'Run a node on this machine';
  static override usage = ['node join', 'node join --detach', 'node join --cluster NAME [--detach]'];
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
    cluster: Flags.string({ char: 'C', helpValue: 'NAME', summary: 'be a member of this cluster of nodes on this machine' }),
    node: nodeFlag({ helpValue: 'N', summary: 'the number of the node; the lowest free one if not given', dependsOn: ['cluster'] }),
    name: Flags.string({ helpValue: 'NAME', summary: 'how people call the node', dependsOn: ['cluster'] }),
    listen: Flags.string({
      helpValue: 'ADDRESS',
      summary: 'where the others reach it, as tcp:HOST:PORT; a socket in its folder if not given',
      dependsOn: ['cluster'],
    }),
    'key-file': Flags.string({ helpValue: 'FILE', summary: 'the key of the cluster, for links that leave this machine', dependsOn: ['cluster'] }),
    insecure: Flags.boolean({ summary: 'let links leave this machine unencrypted', dependsOn: ['cluster'] }),
    weight: weightFlag({ helpValue: 'N', summary: 'its share of the directory', dependsOn: ['cluster'] }),
    'cluster-dir': Flags.string({ helpValue: 'FOLDER', summary: 'where clusters of this machine have their folders', dependsOn: ['cluster'] }),
    detach: Flags.boolean({ char: 'd', summary: 'run in the background, and return when the node answers' }),
    'as-background': Flags.boolean({ hidden: true, summary: 'be the node in the background', exclusive: ['detach'] }),
    'until-left': Flags.boolean({ hidden: true, summary: 'do not stop when nobody needs it', dependsOn: ['as-background'] }),
    ...quietFlag,
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(NodeJoin);
    if (flags.detach) return this.#detach(clusterWords(flags));
    const start = flags['as-background'] && !flags['until-left'] ? 'automatic' : 'joined';
    const cluster = flags.cluster === undefined ? {} : { cluster: clusterOptions(flags.cluster, flags) };
    return this.#serve({ start, ...cluster, ...(flags.quiet ? { log: () => undefined } : {}) });
  }

  async #detach(words: readonly string[]): Promise<unknown> {
    const client = await startDetached({}, words);
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

interface ClusterFlags {
  readonly cluster?: string | undefined;
  readonly node?: number | undefined;
  readonly name?: string | undefined;
  readonly listen?: string | undefined;
  readonly 'key-file'?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly weight?: number | undefined;
  readonly 'cluster-dir'?: string | undefined;
}

/** The same options, for a node in the background; it has another current folder. */
function clusterWords(flags: ClusterFlags): string[] {
  const words = (name: keyof ClusterFlags, value: string | number | undefined): string[] => (value === undefined ? [] : [`--${name}=${value}`]);
  const path = (name: 'key-file' | 'cluster-dir'): string[] => words(name, flags[name] === undefined ? undefined : resolve(flags[name]));
  return [
    ...(['cluster', 'node', 'name', 'listen', 'weight'] as const).flatMap((name) => words(name, flags[name])),
    ...path('key-file'),
    ...path('cluster-dir'),
    ...(flags.insecure === true ? ['--insecure'] : []),
  ];
}

function clusterOptions(cluster: string, flags: ClusterFlags): ClusterOptions {
  return {
    cluster,
    ...(flags.node === undefined ? {} : { node: flags.node }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.listen === undefined ? {} : { listen: flags.listen }),
    ...(flags['key-file'] === undefined ? {} : { keys: [readKey(flags['key-file'])] }),
    ...(flags.insecure === true ? { insecure: true } : {}),
    ...(flags.weight === undefined ? {} : { weight: flags.weight }),
    ...(flags['cluster-dir'] === undefined ? {} : { base: flags['cluster-dir'] }),
  };
}

/** The key is all that is in the file but for white space around it. */
function readKey(path: string): Uint8Array {
  try {
    return Buffer.from(readFileSync(path, 'utf8').trim(), 'utf8');
  } catch (error) {
    throw new DlmError('DLM_USAGE', `cannot read the key of the cluster: ${(error as Error).message}`, 'make one with: head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE');
  }
}

/**
 * Three nodes of one cluster on this machine, as real processes, each with a folder of
 * its own, and the scripts that use them. All of it is gone afterwards.
 *
 * A node is a process in the background, as `dlm node join --detach` starts it. It can
 * be killed, stopped, and started again; what it is and holds is asked of itself.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { attach, type LockInfo, type NodeClient, type NodeStatus } from '../../src/core/index.js';
import { noteIn } from '../../src/core/host/kernel-lock.js';
import { isRunning, signalAll, until, wasStartedWith } from '../kill/processes.js';
import { program, Stage, type Actor } from '../kill/stage.js';

const scripts = fileURLToPath(new URL('.', import.meta.url));

export const everybody = [1, 2, 3] as const;

export class Fleet extends Stage {
  /** The cluster is formed of these, one after another. `words`: more for dlm node join. */
  static async of(nodes: readonly number[] = everybody, words: (node: number) => readonly string[] = () => []): Promise<Fleet> {
    const fleet = new Fleet();
    mkdirSync(fleet.clusters, { mode: 0o700 });
    fleet.tell('count', '0 nobody\n');
    for (const node of nodes) await fleet.join(node, ...words(node));
    if (nodes.length > 0) await fleet.until(nodes, 'all see all', ({ members }) => members.length === nodes.length);
    return fleet;
  }

  get clusters(): string {
    return `${this.folder}/clusters`;
  }

  place(node: number): string {
    return `${this.folder}/n${node}`;
  }

  /** Where the scripts beside this file are, with a slash at the end. */
  get scriptsAt(): string {
    return scripts;
  }

  /** What somebody has in his environment who uses this node. */
  envOf(node: number): NodeJS.ProcessEnv {
    return { ...this.env, DLM_DIR: this.place(node), FLEET_SCRIPTS: scripts, FLEET_NODE: String(node) };
  }

  /** Have it join; fails with what it said if it cannot. */
  async join(node: number, ...words: string[]): Promise<void> {
    const joining = this.at(node, 'node', 'join', '--cluster', 'demo', '--cluster-dir', this.clusters, '--node', String(node), '--name', `n${node}`, '--detach', ...words);
    const exit = await joining.exit;
    if (exit !== 0) throw new Error(`node ${node} did not join: ${joining.said()}`);
  }

  /** Run dlm for somebody who uses this node. */
  at(node: number, ...words: string[]): Actor {
    return this.run([program, ...words], { env: this.envOf(node) });
  }

  /** One of the scripts beside this file. */
  scriptAt(node: number, name: string, ...words: string[]): Actor {
    return this.run(['sh', `${scripts}${name}`, ...words], { env: this.envOf(node) });
  }

  /** What a command says that ends by itself, and must end well. */
  async sayAt(node: number, ...words: string[]): Promise<string> {
    const actor = this.at(node, ...words);
    const exit = await actor.exit;
    if (exit !== 0) throw new Error(`dlm ${words.join(' ')} ended with ${exit}: ${actor.said()}`);
    return actor.said();
  }

  /** The process of a node, or 0. */
  pidAt(node: number): number {
    const pid = Number(this.read(`n${node}/node.lock`).trim());
    return pid > 0 && isRunning(pid) && wasStartedWith(pid, `DLM_DIR=${this.place(node)}`) ? pid : 0;
  }

  /** Kill it with -9, and wait until its process is gone. */
  async kill(node: number): Promise<void> {
    const pid = this.pidAt(node);
    signalAll([pid], 'SIGKILL');
    await until(`node ${node} is gone`, () => !isRunning(pid));
  }

  /** The node whose process holds the kernel's lock of the cluster. */
  registrar(): number {
    const pid = Number(noteIn(`${this.clusters}/demo/registrar.lock`));
    return everybody.find((node) => this.pidAt(node) === pid) ?? 0;
  }

  log(node: number): string {
    try {
      return readFileSync(`${this.place(node)}/node.log`, 'utf8');
    } catch {
      return '';
    }
  }

  /** Ask a node something; null if it does not answer. */
  async ask<Answer>(node: number, question: (client: NodeClient) => Promise<Answer>): Promise<Answer | null> {
    const client = await attach({ dir: this.place(node) }).catch(() => null);
    if (client === null) return null;
    try {
      return await question(client);
    } catch {
      return null;
    } finally {
      await client.close();
    }
  }

  statusOf(node: number): Promise<NodeStatus | null> {
    return this.ask(node, (client) => client.status());
  }

  /** What this node's own people hold and want; `name`: of one resource. */
  async locksOf(node: number, name?: string): Promise<LockInfo[]> {
    const all = (await this.ask(node, (client) => client.locks())) ?? [];
    return all.filter((lock) => lock.node === node && (name === undefined || lock.resource === name));
  }

  /** The node that decides about a resource, as one of them sees it; null if it does not know. */
  async masterOf(name: string, asked: number): Promise<number | null> {
    const shown = await this.ask(asked, (client) => client.port.content('default'));
    return shown?.content.find(({ resource }) => resource === name)?.master ?? null;
  }

  /** Wait until it is so on each of these nodes. */
  async until(nodes: readonly number[], what: string, isSo: (status: NodeStatus) => boolean): Promise<void> {
    for (const node of nodes) {
      await until(`${what}, on node ${node}`, async () => {
        const status = await this.statusOf(node);
        return status !== null && isSo(status);
      });
    }
  }

  /** A file that scripts or nodes are given. */
  file(name: string, text: string): string {
    const path = `${this.folder}/${name}`;
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  override async clear(): Promise<void> {
    const pids = everybody.map((node) => this.pidAt(node)).filter((pid) => pid > 0);
    await until('all nodes are gone', () => {
      signalAll(pids, 'SIGKILL');
      return !pids.some(isRunning);
    });
    await super.clear();
  }
}

/** Does every lockspace of the node lock? */
export const isRunningWith =
  (...members: number[]) =>
  (status: NodeStatus): boolean =>
    status.members.join() === members.join() && status.lockspaces.every(({ standing, members: joined }) => standing === 'running' && joined.every((node) => members.includes(node)));

export interface Count {
  readonly number: number;
  /** Everybody who wrote a number, by what they and their successors have noted. */
  readonly writers: ReadonlySet<string>;
}

/** What has become of the number. Who was killed between writing and noting it was seen by the next, or wrote last. */
export function countOf(fleet: Fleet): Count {
  const [number = '', last = ''] = fleet.read('count').trim().split(' ');
  const seen = fleet.read('seen').trim().split('\n').map((line) => line.split(' ')[1]!);
  const ended = fleet.read('ledger').split('\n').filter((line) => line.endsWith(' end')).map((line) => line.split(' ')[0]!);
  const writers = new Set([...seen, ...ended, last]);
  writers.delete('nobody');
  return { number: Number(number), writers };
}

/**
 * Real shells with the functions of `dlm shellenv`, and a node of their own to
 * speak with; and a look at that node from outside.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { attach, type LockInfo, type NodeClient } from '../../src/core/index.js';
import { exitOf, signalAll, startedWith, until } from '../kill/processes.js';
import { Desk } from '../terminal/shell.js';

/** A shell, and how to start it without anybody's own settings. */
export interface Shell {
  readonly name: 'bash' | 'zsh';
  readonly options: readonly string[];
}

const all: readonly Shell[] = [
  { name: 'bash', options: ['--norc', '--noprofile'] },
  { name: 'zsh', options: ['-f'] },
];

/** Those that are installed. */
export const shells = all.filter(({ name }) => spawnSync(name, ['-c', 'exit 0']).status === 0);

/** A script that runs. */
export interface Running {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Its exit code, or 128 and the number of the signal that ended it. */
  readonly exit: Promise<number>;
  readonly out: () => string;
  readonly err: () => string;
}

export class ShellDesk extends Desk {
  #client: NodeClient | null = null;

  /** Start the node. */
  async open(): Promise<void> {
    const { exit, err } = await this.dlm('node', 'join', '--detach');
    if (exit !== 0) throw new Error(err);
  }

  /** The node, from outside. */
  async client(): Promise<NodeClient> {
    this.#client ??= await attach({ dir: this.dir });
    return this.#client;
  }

  async forgetClient(): Promise<void> {
    await this.#client?.close();
    this.#client = null;
  }

  /** Start a script that begins with a session. It leads a process group of its own. */
  start({ name, options }: Shell, script: string, more: readonly string[] = []): Running {
    const begin = `eval "$(dlm shellenv ${name})" || exit\n`;
    const child = spawn(name, [...options, ...more, '-c', begin + script], { cwd: this.work, env: this.env, detached: true });
    return running(child);
  }

  /** The same, to its end. */
  async end(shell: Shell, script: string): Promise<{ exit: number; out: string; err: string }> {
    const { exit, out, err } = this.start(shell, script);
    return { exit: await exit, out: out(), err: err() };
  }

  async locks(name: string): Promise<LockInfo[]> {
    return (await this.client()).locks({ name });
  }

  /** Returns when somebody waits for that name. */
  async waiter(name: string): Promise<void> {
    await until(`somebody waits for ${name}`, async () => (await this.locks(name)).some(({ state }) => state !== 'granted'));
  }

  /** Returns when nobody waits for that name any more. */
  async noWaiter(name: string): Promise<void> {
    await until(`nobody waits for ${name}`, async () => (await this.locks(name)).every(({ state }) => state === 'granted'));
  }

  /** Returns when nobody has a lock on that name; how long it took, in milliseconds. */
  async free(name: string): Promise<number> {
    const begin = performance.now();
    await until(`${name} is free`, async () => (await this.locks(name)).length === 0);
    return performance.now() - begin;
  }

  /** End what a test has left running, be it because it failed; the node stays. */
  async endScripts(): Promise<void> {
    await this.#end((pid) => pid !== this.#nodePid);
  }

  /** All of it, a node that does not answer any more included. */
  override async clear(): Promise<void> {
    await this.#end(() => true);
    await this.forgetClient();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #nodePid(): number {
    const note = join(this.dir, 'node.lock');
    return existsSync(note) ? Number(readFileSync(note, 'utf8')) : 0;
  }

  async #end(isMeant: (pid: number) => boolean): Promise<void> {
    await until('everybody has gone', () => {
      const left = startedWith(`DLM_DIR=${this.dir}`).filter(isMeant);
      signalAll(left, 'SIGKILL');
      return left.length === 0;
    });
  }
}

export function running(child: ChildProcess): Running {
  let out = '';
  let err = '';
  child.stdin?.on('error', () => undefined);
  child.stdout?.on('data', (text: Buffer) => (out += text.toString('utf8')));
  child.stderr?.on('data', (text: Buffer) => (err += text.toString('utf8')));
  return { pid: child.pid!, process: child, exit: exitOf(child), out: () => out, err: () => err };
}

/** Returns when the script has said so. */
export async function says(script: Running, words: string): Promise<void> {
  await until(`it says ${words}; it said ${script.out()}${script.err()}`, () => script.out().includes(words));
}

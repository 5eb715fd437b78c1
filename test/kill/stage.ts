/**
 * A place for one story: a folder with a node of its own, the scripts that play in
 * it, and the ledger they write. All of it is gone afterwards.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { attach, type LockInfo } from '../../src/core/index.js';
import { readLedger, type Ledger } from './ledger.js';
import { boundMillis, exitOf, isRunning, signalAll, startedWith, until, wasStartedWith } from './processes.js';

export const program = fileURLToPath(new URL('../../bin/dlm', import.meta.url));
const place = fileURLToPath(new URL('../../.tmp', import.meta.url));
const scripts = fileURLToPath(new URL('.', import.meta.url));

/** A process that we have started. */
export interface Actor {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Its exit code, or 128 and the number of the signal. That it does not end is told some time after it was asked for. */
  readonly exit: Promise<number>;
  /** What it has said so far, on standard output and standard error. */
  said(): string;
}

export class Stage {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;

  constructor() {
    mkdirSync(place, { recursive: true });
    // Short and relative, because the path of a socket must be short.
    this.folder = mkdtempSync(`${place}/k-`);
    mkdirSync(this.dir);
    this.env = { ...process.env, KILL_STAGE: this.folder, DLM: program, DLM_DIR: this.dir, SCRIPTS: scripts };
  }

  /** The folder of the node. */
  get dir(): string {
    return `${this.folder}/n`;
  }

  /** Where the scripts are, with a slash at the end. */
  get scripts(): string {
    return scripts;
  }

  /** One of the scripts beside this file. `who`: a word by which all it starts can be found. */
  script(who: string, name: string, ...words: string[]): Actor {
    return this.run(['sh', `${scripts}${name}`, ...words], { env: { ...this.env, KILL_WHO: who } });
  }

  dlm(...words: string[]): Actor {
    return this.run([program, ...words]);
  }

  run(words: readonly string[], options: SpawnOptions = {}): Actor {
    const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env: this.env, ...options });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = exitOf(child);
    return {
      pid: child.pid!,
      process: child,
      get exit() {
        const exit = Promise.race([ended, tooLong(() => `${words.join(' ')} did not end; it said: ${said}`)]);
        exit.catch(() => undefined);
        return exit;
      },
      said: () => said,
    };
  }

  /** The exit code of a command that ends by itself. */
  async exitOf(...words: string[]): Promise<number> {
    return this.dlm(...words).exit;
  }

  /** What a command that ends by itself has said. */
  async outputOf(...words: string[]): Promise<string> {
    const actor = this.dlm(...words);
    await actor.exit;
    return actor.said();
  }

  /** A file that a script waits for. */
  tell(name: string, text = ''): void {
    writeFileSync(`${this.folder}/${name}`, text);
  }

  has(name: string): boolean {
    return existsSync(`${this.folder}/${name}`);
  }

  read(name: string): string {
    return this.has(name) ? readFileSync(`${this.folder}/${name}`, 'utf8') : '';
  }

  /** The pid that a script has written down under this name; waits until there is one. */
  pidOf(name: string): Promise<number> {
    return until(`${name} has begun`, () => Number(this.read(`pid-${name}`).trim()) || null);
  }

  get ledger(): Ledger {
    return readLedger(this.read('ledger'));
  }

  /** Everything held and waited for; nothing where no node is. */
  async locks(): Promise<LockInfo[]> {
    const client = await attach({ dir: relative(process.cwd(), this.dir) }).catch(() => null);
    if (client === null) return [];
    try {
      return await client.locks();
    } catch {
      return [];
    } finally {
      await client.close();
    }
  }

  /** The node's process, or 0. One that a dead node has left its number to is not taken for it. */
  get nodePid(): number {
    const pid = Number(this.read('n/node.lock').trim());
    return pid > 0 && isRunning(pid) && wasStartedWith(pid, `DLM_DIR=${this.dir}`) ? pid : 0;
  }

  /** Processes of this stage that still run, the node not counted; `who`: only that one's. */
  left(who?: string): number[] {
    const all = startedWith(`KILL_STAGE=${this.folder}`);
    return who === undefined ? all : startedWith(`KILL_WHO=${who}`).filter((pid) => all.includes(pid));
  }

  /** End whatever still runs, and tidy up. */
  async clear(): Promise<void> {
    const mine = (): number[] => [...this.left(), ...(this.nodePid === 0 ? [] : [this.nodePid])];
    await until('everybody has gone', () => {
      signalAll(mine(), 'SIGKILL');
      return mine().length === 0;
    });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Fails when nothing can come of it any more. */
async function tooLong(what: () => string): Promise<never> {
  await pause(2 * boundMillis, null, { ref: false });
  throw new Error(`in ${(2 * boundMillis) / 1000} s ${what()}`);
}

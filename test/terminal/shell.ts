/**
 * The command as a user runs it: bin/dlm with a node of its own, in a folder of
 * its own inside the checkout.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));
export const bin = join(checkout, 'bin');

export interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** One user's machine: a folder for the node, another to work in. */
export class Desk {
  readonly folder: string;
  /** Where the node keeps its things. */
  readonly dir: string;
  /** Where the user works. */
  readonly work: string;

  constructor() {
    mkdirSync(join(checkout, '.tmp'), { recursive: true });
    this.folder = mkdtempSync(join(checkout, '.tmp', 'desk-'));
    this.dir = join(this.folder, 'node');
    this.work = join(this.folder, 'work');
    mkdirSync(this.work);
  }

  get env(): NodeJS.ProcessEnv {
    const { PATH = '/usr/bin:/bin', LANG = 'C.UTF-8' } = process.env;
    return { PATH: `${bin}:${PATH}`, LANG, HOME: this.work, DLM_DIR: this.dir, NODE_DISABLE_COMPILE_CACHE: '1' };
  }

  /** Run a program to its end. */
  run(program: string, args: readonly string[], input = ''): Promise<Ended> {
    const child = spawn(program, args, { cwd: this.work, env: this.env, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    let out = '';
    let err = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString('utf8')));
    child.stderr.on('data', (text: Buffer) => (err += text.toString('utf8')));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ exit: code ?? (signal === null ? -1 : -2), out, err }));
    });
  }

  dlm(...args: string[]): Promise<Ended> {
    return this.run('dlm', args);
  }

  shell(script: string): Promise<Ended> {
    return this.run('bash', ['-c', script]);
  }

  /** Stop the node, if there is one, and those in folders of the user's, and clear away. */
  async clear(): Promise<void> {
    const others = readdirSync(this.work).filter((name) => existsSync(join(this.work, name, 'control.sock')));
    const places = [this.dir, ...others.map((name) => join(this.work, name))];
    for (const place of places) await this.run('env', [`DLM_DIR=${place}`, 'dlm', 'node', 'leave', '--force', '-q']);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Copies of the program as it would lie somewhere else, in which things may be
 * broken, and runs of the commands in them.
 *
 * A copy has its own bin/ and dist/ and shares the libraries. One without bundles is
 * the program as the compiler made it; what the bundles do is held against that.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** How long a run may take before something is wrong with it. */
const patienceMillis = 60_000;

export interface Ended {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

interface Circumstances {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What is run; the copy's own bin/dlm if not given. */
  readonly program?: string;
}

export class ProgramCopy {
  readonly root: string;
  /** Where its node keeps its things. */
  readonly node: string;

  constructor(has: { readonly bundles: boolean }, node?: string) {
    mkdirSync(join(checkout, '.tmp'), { recursive: true });
    this.root = mkdtempSync(join(checkout, '.tmp/l-'));
    this.node = node ?? join(this.root, 'n');
    const bundles = join(checkout, 'dist/bundle');
    for (const part of ['bin', 'dist', 'package.json', 'oclif.manifest.json']) {
      cpSync(join(checkout, part), join(this.root, part), { recursive: true, filter: (path) => has.bundles || path !== bundles });
    }
    symlinkSync(join(checkout, 'node_modules'), join(this.root, 'node_modules'));
  }

  get dlm(): string {
    return join(this.root, 'bin/dlm');
  }

  run(line: readonly string[], { env, cwd, program }: Circumstances = {}): Promise<Ended> {
    const child = spawn(program ?? this.dlm, line, {
      cwd: cwd ?? this.root,
      env: { PATH: process.env.PATH, DLM_DIR: this.node, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patienceMillis,
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString('utf8')));
    child.stderr.on('data', (text: Buffer) => (err += text.toString('utf8')));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exit) => resolve({ exit, out, err }));
    });
  }

  async clear(): Promise<void> {
    await this.run(['node', 'leave', '--force']);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/**
 * Hosts that are folders, with a real agent for each: a shell script that behaves as it
 * is told, and turns its folder off.
 */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig, type FenceConfig } from '../../src/core/host/config.js';
import { scratch } from '../host/scratch.js';

const script = fileURLToPath(new URL('./odd-agent.sh', import.meta.url));

export class Hosts {
  readonly folder: string;
  readonly agent: string;

  constructor(test: Pick<TestContext, 'after'>) {
    this.folder = resolve(scratch(test));
    this.agent = this.agentNamed('agent');
  }

  /** The agent under another name; what it is called says what it can. */
  agentNamed(name: string): string {
    const path = join(this.folder, `${name}.sh`);
    copyFileSync(script, path);
    chmodSync(path, 0o755);
    return path;
  }

  /** A host that is on; returns its folder. */
  host(name: string): string {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'on'), '');
    return folder;
  }

  isOn(name: string): boolean {
    return existsSync(join(this.folder, name, 'on'));
  }

  /** What the agent was asked to do with it, in order. */
  calls(name: string): string[] {
    return this.lines(name, 'calls');
  }

  lines(name: string, file: string): string[] {
    const path = join(this.folder, name, file);
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }

  /** A configuration: AGENT and FOLDER stand for what is here. */
  config(text: string): FenceConfig {
    const { config, errors } = parseConfig(text.replaceAll('AGENT', this.agent).replaceAll('FOLDER', this.folder), 'dlm.conf');
    assert.deepEqual(errors, []);
    return config.fence;
  }

  /** Resolves when the file is there. */
  async appearance(name: string, file: string): Promise<string> {
    const folder = join(this.folder, name);
    const path = join(folder, file);
    if (!existsSync(path)) {
      await new Promise<void>((appeared) => {
        const watcher = watch(folder, () => {
          if (!existsSync(path)) return;
          watcher.close();
          appeared();
        });
        if (existsSync(path)) watcher.emit('change');
      });
    }
    return readFileSync(path, 'utf8').trim();
  }
}

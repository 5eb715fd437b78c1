/**
 * What runs on the hosts while they are broken: a command under a lock that leaves a
 * trace of being alive, one that waits for the same lock, and the journaled store of
 * examples/journal.
 *
 * All write the time of the machine, which all hosts share, so that what one did can be
 * put before or after what another did.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRunning, until } from '../kill/processes.js';
import type { Machine, Machines } from './machines.js';

export const journal = fileURLToPath(new URL('../../examples/journal/journal', import.meta.url));

/** A hundred times a second: the time, over what was there. */
const pulse = "const fs=require('fs'),f=fs.openSync(process.argv[1],'w');setInterval(()=>fs.writeSync(f,String(Date.now()),0),10)";
const stamp = "require('fs').writeFileSync(process.argv[1],String(Date.now()))";

/** A command that holds `name` in `jobs` and shows that it lives. */
export class Holder {
  readonly #file: string;
  readonly child: ChildProcess;

  static async on(machine: Machine, name: string): Promise<Holder> {
    const holder = new Holder(machine, name);
    await until(`h${machine.node} holds ${name}`, () => existsSync(holder.#file) && readFileSync(holder.#file, 'utf8') !== '');
    return holder;
  }

  private constructor(machine: Machine, name: string) {
    this.#file = join(machine.host.folder, `pulse-${name}`);
    rmSync(this.#file, { force: true });
    this.child = machine.spawnDlm(['lock', '-q', '-l', 'jobs', name, '--', process.execPath, '-e', pulse, this.#file]);
  }

  /** When it was last alive. */
  get lastAt(): number {
    return Number(readFileSync(this.#file, 'utf8'));
  }
}

/** A command that wants `name` in `jobs`, and writes down when it got it. */
export class Waiter {
  readonly #file: string;

  constructor(machine: Machine, name: string) {
    this.#file = join(machine.host.folder, `granted-${name}`);
    rmSync(this.#file, { force: true });
    machine.spawnDlm(['lock', '-q', '-l', 'jobs', name, '--', process.execPath, '-e', stamp, this.#file]);
  }

  get isGranted(): boolean {
    return existsSync(this.#file) && readFileSync(this.#file, 'utf8') !== '';
  }

  async granted(): Promise<number> {
    await until('the lock is granted to the next one', () => this.isGranted);
    return Number(readFileSync(this.#file, 'utf8'));
  }
}

/** The journaled store, attached on machines. */
export class Store {
  readonly folder: string;
  readonly #applications = new Map<number, ChildProcess>();

  constructor(machines: Machines) {
    this.folder = join(machines.hosts.folder, 'store');
    mkdirSync(this.folder, { recursive: true });
  }

  /** One that is attached already stays so. */
  attach(machine: Machine): void {
    const present = this.#applications.get(machine.node);
    if (present !== undefined && isRunning(present.pid!)) return;
    const words = ['sh', '-c', 'exec "$0" "$@" >> app.log 2>&1', journal, 'attach', this.folder, 'store', `h${machine.node}`, '--order', 'gfs'];
    this.#applications.set(machine.node, machine.spawn(words));
  }

  get committed(): number {
    return existsSync(join(this.folder, 'committed')) ? readFileSync(join(this.folder, 'committed'), 'utf8').split('\n').length - 1 : 0;
  }

  /** Wait until records are committed again. */
  async works(): Promise<void> {
    const before = this.committed;
    await until('records are committed', () => this.committed > before);
  }

  /** What it says of the store: nothing lost, nothing twice. A commit that is under way is no loss. */
  async verify(machine: Machine): Promise<{ isWell: boolean; words: string }> {
    const child = machine.spawn(['flock', join(this.folder, 'token.lock'), journal, 'verify', this.folder], 'pipe');
    let words = '';
    for (const stream of [child.stdout, child.stderr]) stream!.on('data', (text: Buffer) => (words += text.toString()));
    return new Promise((resolve) => child.once('close', (status) => resolve({ isWell: status === 0, words: words.trim() })));
  }
}

/**
 * A cluster as a site runs one: hosts with a node of `dlm` on each, an engine, and a board
 * management controller for each host that turns it off as a whole. Everything is real but
 * the hosts, which are network namespaces.
 *
 *     bridge ── 10.77.0.250: a controller for each host (and etcd, where that is the engine)
 *       ├── h1: corosync, dlm node, commands, applications
 *       ├── h2 …
 *
 * Stories (runs-*.ts) break it and look; here is only how it stands and how to reach it.
 */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRunning, until } from '../kill/processes.js';
import { bmcPassword, startBmcs, type Bmc } from './bmc.js';
import { Hosts, type Host } from './hosts.js';
import { needs } from './install.js';

export const dlm = fileURLToPath(new URL('../../bin/dlm', import.meta.url));
const bmcPort = 6_230;
const nodePort = 21_064;

interface Standing {
  readonly quorate: boolean;
  readonly members: readonly number[];
}

/** What a command has said, and how it has ended. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MachinesOptions {
  readonly count: number;
  readonly engine: 'corosync' | 'etcd';
  /** For `node join`, after what is the same for all. */
  readonly words?: readonly string[];
  /** Lines of dlm.conf; nothing about fencing is said if there are none. */
  readonly config?: (machine: Machine) => string;
}

/** What must be done when a part of a run is over, in whatever way; the last first. */
export class Endings {
  readonly #acts: (() => unknown)[] = [];

  after(act: () => unknown): void {
    this.#acts.push(act);
  }

  async end(): Promise<void> {
    for (const act of this.#acts.splice(0).reverse()) await act();
  }
}

export class Machines {
  readonly hosts: Hosts;
  readonly all: readonly Machine[];
  readonly engine: MachinesOptions['engine'];
  readonly #options: MachinesOptions;

  /** Hosts with nothing on them. A run that is interrupted leaves nothing behind either. */
  constructor(endings: Endings, options: MachinesOptions) {
    this.engine = options.engine;
    this.#options = options;
    const nodes = Array.from({ length: options.count }, (_, at) => at + 1);
    this.hosts = new Hosts(endings, { nodes, tokenMillis });
    // There may be several clusters, all of which end.
    const leave = (): void => {
      this.hosts.close();
      setImmediate(() => process.exit(130));
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, leave);
    endings.after(() => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeListener(signal, leave);
    });
    this.all = this.hosts.all.map((host) => new Machine(host));
  }

  machine(node: number): Machine {
    return this.all[node - 1]!;
  }

  others(...nodes: readonly number[]): readonly Machine[] {
    return this.all.filter((machine) => !nodes.includes(machine.node));
  }

  /** Controllers for all, corosync where it is the engine, and a node everywhere; returns when all see all. */
  async start(): Promise<void> {
    const { folder } = this.hosts;
    const { config } = this.#options;
    if (config !== undefined) {
      needs('fence-agents');
      await this.#startBmcs();
      writeFileSync(join(folder, 'dlm.conf'), this.all.map((machine) => config(machine)).join('\n\n') + settings, { mode: 0o600 });
    }
    writeFileSync(join(folder, 'key'), 'a key of these hosts, and of no others\n', { mode: 0o600 });
    chmodSync(folder, 0o755);
    if (this.engine === 'corosync') await this.hosts.startCorosync();
    for (const machine of this.all) this.startNode(machine);
    await this.areOne();
  }

  startNode(machine: Machine): void {
    const { folder } = this.hosts;
    const engine = ['--engine', this.engine, '--node', String(machine.node), '--name', `h${machine.node}`];
    const config = this.#options.config === undefined ? [] : ['--config', join(folder, 'dlm.conf')];
    const links = ['--listen', `tcp:${machine.host.address}:${nodePort}`, '--key-file', join(folder, 'key')];
    machine.startNode(['node', 'join', '--cluster', 'real', ...engine, ...links, ...config, ...(this.#options.words ?? [])]);
  }

  /**
   * Whatever was done to them: links, daemons and nodes are well again, and all see all. It may take several rounds: who
   * comes back before its former life has been fenced is turned off once more.
   */
  async mend(): Promise<void> {
    for (const { host } of this.all) host.heal();
    await until('all hosts are well again', async () => {
      for (const machine of this.all) {
        if (this.engine === 'corosync') machine.mendCorosync();
        machine.goOn();
        if (machine.hasEnded) this.startNode(machine);
      }
      const standings = await Promise.all(this.all.map((machine) => machine.get<Standing>('/v1/status')));
      return standings.every((standing) => standing?.quorate === true && standing.members.length === this.all.length);
    }, 120_000);
  }

  async areOne(): Promise<void> {
    for (const machine of this.all) await machine.sees(this.all.map(({ node }) => node));
  }

  async #startBmcs(): Promise<void> {
    const bmcs = await startBmcs(
      this.hosts.folder,
      this.all.map(({ host, node }) => ({
        name: `h${node}`,
        address: this.hosts.serverAddress,
        port: bmcPort + node,
        inside: this.hosts.serverWords,
        ...powerOf(host),
      })),
    );
    this.all.forEach((machine, at) => (machine.bmc = bmcs[at]!));
  }
}

/**
 * All processes of the host are its power; one that does nothing is there when it has been turned on. A file in its folder makes the controller slow (in seconds), or a liar: it
 * does nothing, and says that the host is off.
 */
function powerOf({ namespace, folder }: Host): { isOn: string; off: string; on: string } {
  const [slow, lie, lied] = ['slow', 'lie', 'lied'].map((name) => `'${join(folder, name)}'`);
  const kill = `ip netns pids ${namespace} | xargs -r kill -9`;
  return {
    isOn: `[ ! -e ${lied} ] && [ -n "$(ip netns pids ${namespace})" ]`,
    off: `if [ -e ${lie} ]; then touch ${lied}; elif [ -e ${slow} ]; then (sleep "$(cat ${slow})"; ${kill}) > /dev/null 2>&1 & else ${kill}; fi`,
    on: `setsid ip netns exec ${namespace} sleep 1000 < /dev/null > /dev/null 2>&1 &`,
  };
}

/** Corosync goes so long without its token; shorter ones break rings of a busy machine that are well. */
const tokenMillis = 500;

/** Machines that come and go all the time need no delay after each joining, and are not all here from the start. */
const settings = '\n\nenable_startup_fencing=0\npost_join_delay=0\n';

/** The device of this machine, as dlm.conf has it. */
export function deviceOf({ bmc, node }: Machine): string {
  return `device bmc${node} fence_ipmilan ${bmc!.parameters} passwd=${bmcPassword}\nconnect bmc${node} node=${node}`;
}

export class Machine {
  bmc: Bmc | null = null;
  process: ChildProcess | null = null;
  readonly dir: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(readonly host: Host) {
    this.dir = join(host.folder, 'd');
    mkdirSync(this.dir, { mode: 0o700 });
    const { PATH, HOME } = process.env;
    this.#env = { PATH, HOME, DLM_DIR: this.dir, LANG: 'C.UTF-8', DLM: dlm, JOURNAL_PAUSE: '0.1' };
  }

  get node(): number {
    return this.host.node;
  }

  get logFile(): string {
    return join(this.host.folder, 'node.log');
  }

  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  startNode(words: readonly string[]): void {
    const log = openSync(this.logFile, 'a');
    this.process = this.host.spawn(['nice', '-n', '-10', process.execPath, dlm, ...words], { env: this.#env, stdio: ['ignore', log, log], cwd: this.host.folder });
    closeSync(log);
  }

  /** The node alone, as the kernel would kill it for want of memory. */
  async killNode(): Promise<void> {
    const pid = this.process?.pid;
    if (pid === undefined) return;
    if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    await until(`the node of h${this.node} has ended`, () => !isRunning(pid));
  }

  mendCorosync(): void {
    if (this.host.corosync === null || !isRunning(this.host.corosync.pid!)) this.host.startCorosync();
    else this.host.corosync.kill('SIGCONT');
  }

  freeze(): void {
    process.kill(this.process!.pid!, 'SIGSTOP');
  }

  goOn(): void {
    if (this.process !== null && isRunning(this.process.pid!)) process.kill(this.process.pid!, 'SIGCONT');
  }

  /** A program of ours on this host, that goes on in the background. */
  spawn(command: readonly string[], output: 'pipe' | 'ignore' | number = 'ignore'): ChildProcess {
    return this.host.spawn(command, { env: this.#env, cwd: this.host.folder, stdio: ['ignore', output, output] });
  }

  spawnDlm(words: readonly string[], output: 'pipe' | 'ignore' | number = 'ignore'): ChildProcess {
    return this.spawn([process.execPath, dlm, ...words], output);
  }

  /** What the controller does from now on. */
  controller(does: 'as it is told' | 'nothing, and lies' | { readonly afterSeconds: number }): void {
    for (const name of ['slow', 'lie', 'lied']) rmSync(join(this.host.folder, name), { force: true });
    if (does === 'nothing, and lies') writeFileSync(join(this.host.folder, 'lie'), '');
    else if (does !== 'as it is told') writeFileSync(join(this.host.folder, 'slow'), String(does.afterSeconds));
  }

  /** Ask the node here over its socket, which costs less than a command; null if it does not answer. */
  get<Found>(path: string): Promise<Found | null> {
    return new Promise((resolve) => {
      const asked = request({ socketPath: join(this.dir, 'control.sock'), path, timeout: 2_000 }, (response) => {
        let text = '';
        response.on('data', (bytes: Buffer) => (text += bytes.toString()));
        response.on('end', () => resolve(response.statusCode === 200 ? (JSON.parse(text) as Found) : null));
        response.on('error', () => resolve(null));
      });
      asked.on('timeout', () => asked.destroy());
      asked.on('error', () => resolve(null));
      asked.end();
    });
  }

  /** Run a command of dlm on this host to its end. */
  dlm(...words: readonly string[]): Promise<Ran> {
    const child = this.spawnDlm(words, 'pipe');
    let stdout = '';
    let stderr = '';
    child.stdout!.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr!.on('data', (text: Buffer) => (stderr += text.toString()));
    return new Promise((resolve) => child.once('close', (status) => resolve({ status, stdout, stderr })));
  }

  get hasEnded(): boolean {
    return this.process === null || !isRunning(this.process.pid!);
  }

  /** Wait until the node here is quorate and these are its members. */
  async sees(nodes: readonly number[]): Promise<void> {
    const wanted = nodes.join();
    let last = '';
    await until(`h${this.node} sees ${wanted}`, async () => {
      if (this.hasEnded) throw new Error(`the node of h${this.node} has ended`);
      const found = await this.get<Standing>('/v1/status');
      last = found === null ? 'no answer' : `${found.quorate ? '' : 'not quorate: '}${found.members.join()}`;
      return found?.quorate === true && last === wanted;
    }).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; it sees ${last}\n${this.log().slice(-3_000)}`);
    });
  }
}

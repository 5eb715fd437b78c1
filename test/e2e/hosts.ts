/**
 * Several hosts on one machine, for tests that need a cluster on real corosync: each a
 * network namespace with its own /run, all on one bridge that is in a namespace too, so
 * that the machine's network is never touched. Corosync can be started and killed on
 * each, a link cut and healed, a host powered off, a program run.
 *
 *     h1 eth0 ─ p1 ╮
 *     h2 eth0 ─ p2 ┼ br0, in a namespace of its own
 *     h3 eth0 ─ p3 ╯
 *
 * Needs root. Everything is gone after the test, also after one that failed; what a
 * killed test run has left behind, the next one removes.
 */
import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, until } from '../kill/processes.js';
import { scriptWords } from '../script.js';
import { needs } from './install.js';

export interface HostsOptions {
  /** The node number of each host in corosync.conf; 1, 2 and 3 if not given. */
  readonly nodes?: readonly number[];
  /** Both halves of a cluster of two stay quorate. */
  readonly isTwoNode?: boolean;
  /**
   * How long corosync goes without its token before it looks for a new ring, for which it then takes 1.2 times as
   * long; 200 if not given. On a busy machine a short one breaks rings that are well.
   */
  readonly tokenMillis?: number;
}

/** What a test that runs on hosts must be able to call when it ends. */
interface Ending {
  after(act: () => void): void;
}

const prefix = 'dlmt';
const namespaces = (): string[] => ip('netns', 'list').split('\n').map((line) => line.split(' ')[0]!).filter((name) => name.startsWith(prefix));

export class Hosts {
  readonly all: readonly Host[];
  readonly folder: string;
  readonly #bridge: string;
  #isClosed = false;

  /** Hosts that are connected, with nothing running on them. */
  constructor(ending: Ending, options: HostsOptions = {}) {
    needs('iproute2', 'corosync', 'libcpg4', 'libquorum5', 'libcmap4', 'libvotequorum8');
    sweep();
    this.folder = mkdtempSync(join(tmpdir(), 'dlmt-'));
    const run = `${prefix}${process.pid}x${this.folder.slice(-6)}`;
    this.#bridge = `${run}-sw`;
    ending.after(() => this.close());
    ip('netns', 'add', this.#bridge);
    ip('-n', this.#bridge, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', this.#bridge, 'link', 'set', 'br0', 'up');
    ip('-n', this.#bridge, 'link', 'set', 'lo', 'up');
    ip('-n', this.#bridge, 'addr', 'add', `${addressOf(serverPlace)}/24`, 'dev', 'br0');
    const { nodes = [1, 2, 3] } = options;
    const config = configOf(nodes, options);
    this.all = nodes.map((node, at) => new Host(node, at + 1, `${run}-h${at + 1}`, this.#bridge, join(this.folder, `h${at + 1}`), config));
  }

  /** The host of this node number. */
  host(node: number): Host {
    return this.all.find((host) => host.node === node)!;
  }

  /** Start corosync on all of them; returns when every one is quorate and sees all. */
  async startCorosync(): Promise<void> {
    for (const host of this.all) host.startCorosync();
    await this.areOne();
  }

  /** All links are well and corosync runs everywhere, whatever was done to them; returns when they are one again. */
  async mend(): Promise<void> {
    for (const host of this.all) {
      host.heal();
      if (host.corosync === null || !isRunning(host.corosync.pid!)) host.startCorosync();
      else host.corosync.kill('SIGCONT');
    }
    await this.areOne();
  }

  async areOne(): Promise<void> {
    for (const host of this.all) await host.becomes('quorate with all', (status) => status.isQuorate && status.nodes.length === this.all.length);
  }

  /** The address of whoever is started in the namespace of the bridge, which all hosts reach as long as their link is well. */
  get serverAddress(): string {
    return addressOf(serverPlace);
  }

  /** Start somebody there with these words before its own. */
  get serverWords(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#bridge];
  }

  /** Nothing is left. For a run that is interrupted; a test that ends calls it by itself. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const host of this.all ?? []) host.end();
    for (const pid of pidsIn(this.#bridge)) killNow(pid);
    try {
      ip('netns', 'del', this.#bridge);
    } catch {
      // It was never made.
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What corosync on a host says. */
export interface CorosyncStatus {
  readonly isQuorate: boolean;
  readonly nodes: readonly number[];
  /** Of the ring it is in. */
  readonly ring: string;
}

export class Host {
  corosync: ChildProcess | null = null;
  /** Of every process whose shared memory may be left behind. */
  readonly #pids = new Set<number>();

  constructor(
    readonly node: number,
    readonly at: number,
    readonly namespace: string,
    readonly bridge: string,
    readonly folder: string,
    config: string,
  ) {
    for (const name of ['run', 'state']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'corosync.conf'), `${config}\nsystem {\n  state_dir: ${join(folder, 'state')}\n  move_to_root_cgroup: no\n  allow_knet_handle_fallback: yes\n}\n`);
    ip('netns', 'add', namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', bridge, 'link', 'add', `p${at}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('-n', bridge, 'link', 'set', `p${at}`, 'master', 'br0', 'up');
    ip('-n', namespace, 'addr', 'add', `${addressOf(at)}/24`, 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  }

  get address(): string {
    return addressOf(this.at);
  }

  /** The words that run a program on this host, as one process from the start. */
  words(...command: readonly string[]): [string, ...string[]] {
    const enter = 'mount --bind "$0" /run && exec "$@"';
    return ['ip', 'netns', 'exec', this.namespace, 'sh', '-c', enter, join(this.folder, 'run'), ...command];
  }

  /** Run a program on this host. Whoever is left when the test ends is killed. */
  spawn(command: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program, ...words] = this.words(...command);
    const child = spawn(program, words, options);
    if (child.pid !== undefined) this.#pids.add(child.pid);
    return child;
  }

  /** Run a program of this project's tests on this host, with a channel for messages; before others, or a busy machine looks like a frozen host. */
  fork(script: string): ChildProcess {
    return this.spawn(['nice', '-n', '-10', process.execPath, ...scriptWords(script)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  }

  startCorosync(): void {
    const log = openSync(join(this.folder, 'corosync.log'), 'a');
    this.corosync = this.spawn(['corosync', '-f', '-c', join(this.folder, 'corosync.conf')], { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** As a crash of the daemon: the host and all else on it go on. */
  async killCorosync(): Promise<void> {
    const pid = this.corosync!.pid!;
    process.kill(pid, 'SIGKILL');
    await until('corosync has ended', () => !isRunning(pid));
  }

  status(): CorosyncStatus {
    const [program, ...words] = this.words('corosync-quorumtool', '-s');
    let text = '';
    try {
      text = execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch (error) {
      text = String((error as { stdout?: string }).stdout ?? '');
    }
    const nodes = [...text.matchAll(/^ *(0x)?([0-9a-f]+) +\d+ /gm)].map(([, hex, digits]) => parseInt(digits!, hex === undefined ? 10 : 16));
    return { isQuorate: /^Quorate: +Yes/m.test(text), nodes, ring: /^Ring ID: +(\S+)/m.exec(text)?.[1] ?? '' };
  }

  /** Wait until corosync here says so. */
  async becomes(what: string, isSo: (status: CorosyncStatus) => boolean): Promise<void> {
    await until(`corosync on ${this.namespace} is ${what}`, () => isSo(this.status()));
  }

  /** Nothing gets in or out any more. */
  cut(): void {
    ip('-n', this.bridge, 'link', 'set', `p${this.at}`, 'down');
  }

  heal(): void {
    ip('-n', this.bridge, 'link', 'set', `p${this.at}`, 'up');
  }

  /** Everybody on this host. */
  pids(): number[] {
    return pidsIn(this.namespace);
  }

  /** Whoever runs here now may be ended by others than us, and leave shared memory behind. */
  noteAll(): void {
    for (const pid of this.pids()) this.#pids.add(pid);
  }

  /** All processes of the host end at once; returns when they have. */
  async powerOff(): Promise<void> {
    const pids = this.#killAll();
    await until('the host is off', () => !pids.some(isRunning));
  }

  /** The host is gone, with all that it left behind. */
  end(): void {
    const pids = this.#killAll();
    for (const pid of [...pids, ...this.#pids]) removeSharedMemory(pid);
    ip('netns', 'del', this.namespace);
  }

  /** In rounds, for those who are being started while others are killed: some daemons replace their children at once. */
  #killAll(): number[] {
    const killed = new Set<number>();
    for (let round = 0, pids = this.pids(); pids.length > 0 && round < roundsMax; round += 1, pids = this.pids()) {
      for (const pid of pids) {
        killed.add(pid);
        this.#pids.add(pid);
        killNow(pid);
      }
    }
    return [...killed];
  }
}

/** So often everybody on a host is killed; each time takes some milliseconds. */
const roundsMax = 500;

const addressOf = (at: number): string => `10.77.0.${at}`;
/** No host has it. */
const serverPlace = 250;

/** Everybody in a network namespace; nobody, if there is none. */
function pidsIn(namespace: string): number[] {
  try {
    return ip('netns', 'pids', namespace).split('\n').filter((line) => line !== '').map(Number);
  } catch {
    return [];
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

function ip(...words: readonly string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** An opening brace must end its line. */
function configOf(nodes: readonly number[], { isTwoNode = false, tokenMillis = 200 }: HostsOptions): string {
  const entries = nodes.map((node, at) => `  node {\n    ring0_addr: ${addressOf(at + 1)}\n    name: h${at + 1}\n    nodeid: ${node}\n  }`);
  return [
    'totem {\n  version: 2\n  cluster_name: test\n  transport: knet\n  crypto_cipher: none\n  crypto_hash: none',
    `  token: ${tokenMillis}\n  consensus: ${1.2 * tokenMillis}\n  token_coefficient: 0\n}`,
    `nodelist {\n${entries.join('\n')}\n}`,
    `quorum {\n  provider: corosync_votequorum${isTwoNode ? '\n  two_node: 1' : ''}\n}`,
    'logging {\n  to_stderr: yes\n  to_syslog: no\n  to_logfile: no\n  timestamp: hires\n}',
  ].join('\n');
}

/** A killed corosync, or a client of one, leaves its queues in shared memory; their names carry the pids of both. */
function removeSharedMemory(pid: number): void {
  for (const name of readdirSync('/dev/shm')) {
    if (name.startsWith('qb-') && name.split('-').includes(String(pid))) rmSync(join('/dev/shm', name), { recursive: true, force: true });
  }
}

/** What test runs that were killed have left. */
function sweep(): void {
  for (const name of namespaces()) {
    const owner = Number(/^dlmt(\d+)x/.exec(name)?.[1]);
    if (isRunning(owner)) continue;
    for (const pid of pidsIn(name)) {
      killNow(pid);
      removeSharedMemory(pid);
    }
    ip('netns', 'del', name);
  }
}

/** What corosync on this host has logged, for a test that failed. */
export function corosyncLog(host: Host): string {
  return readFileSync(join(host.folder, 'corosync.log'), 'utf8');
}

/**
 * Real etcd servers on loopback ports, in a folder of their own: started, stopped,
 * killed, started again, and gone after the test.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { freePorts } from '../host/free-ports.js';
import { scratch } from '../host/scratch.js';
import { until } from '../kill/processes.js';
import { needs } from './install.js';

/** A test, or a file of them, at whose end something ends. */
export interface Until {
  after(end: () => Promise<unknown> | void): void;
}

interface Server {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
  child: ChildProcess | null;
}

export interface ServersOptions {
  readonly count?: number;
  /** Further arguments of each. */
  readonly words?: readonly string[];
  readonly scheme?: 'http' | 'https';
  /** Where they run, if not on loopback: an address, and the words that run a program where it is. */
  readonly site?: Site;
}

interface Site {
  readonly address: string;
  readonly words: readonly string[];
}

export class EtcdServers {
  readonly #folder: string;
  readonly #servers: readonly Server[];
  readonly #words: readonly string[];
  readonly #inside: readonly string[];

  /** Returns when they have a leader; over TLS, when they have been started. */
  static async start(test: Until, { count = 1, words = [], scheme = 'http', site }: ServersOptions = {}): Promise<EtcdServers> {
    needs('etcd-server', 'etcd-client', ...(site === undefined ? [] : ['curl']));
    const ports = await freePorts(2 * count);
    const servers = new EtcdServers(test, ports, words, scheme, site);
    for (let at = 0; at < count; at += 1) servers.revive(at);
    if (scheme === 'http') await servers.leader();
    return servers;
  }

  private constructor(test: Until, ports: readonly number[], words: readonly string[], scheme: string, site: Site | undefined) {
    const { address = '127.0.0.1' } = site ?? {};
    this.#inside = site?.words ?? [];
    this.#folder = scratch(test);
    this.#words = words;
    this.#servers = Array.from({ length: ports.length / 2 }, (_, at) => ({
      name: `e${at}`,
      client: `${scheme}://${address}:${ports[2 * at]!}`,
      peer: `http://${address}:${ports[2 * at + 1]!}`,
      child: null,
    }));
    test.after(() => Promise.all(this.#servers.map((_, at) => this.kill(at))));
  }

  get endpoints(): readonly string[] {
    return this.#servers.map(({ client }) => client);
  }

  get places(): readonly number[] {
    return this.#servers.map((_, at) => at);
  }

  /** Start it, with what it has on its disk. */
  revive(at: number): void {
    const { name, client, peer } = this.#servers[at]!;
    const cluster = this.#servers.map((one) => `${one.name}=${one.peer}`).join();
    const words = [
      ...['--name', name, '--data-dir', `${this.#folder}/${name}`, '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', cluster],
    ];
    const [program = 'etcd', ...line] = [...this.#inside, 'etcd', ...words, ...this.#words];
    this.#servers[at]!.child = spawn(program, line, { stdio: 'ignore', env: { PATH: process.env['PATH'] } });
  }

  async kill(at: number): Promise<void> {
    const { child } = this.#servers[at]!;
    this.#servers[at]!.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  stop(at: number): void {
    this.#servers[at]!.child!.kill('SIGSTOP');
  }

  goOn(at: number): void {
    this.#servers[at]!.child!.kill('SIGCONT');
  }

  /** Which of those that run leads? */
  leader(): Promise<number> {
    return until('etcd has a leader', async () => {
      for (const { client, child } of this.#servers) {
        if (child === null) continue;
        const { header, leader } = await this.#ask<{ header: { member_id: string }; leader?: string }>(client, '/v3/maintenance/status', {});
        const at = leader === header.member_id ? this.#servers.findIndex((one) => one.client === client) : -1;
        // It may be one that does not yet know better.
        if (at >= 0 && (await this.isQuorate(at))) return { at };
      }
      return null;
    }).then(({ at }) => at);
  }

  /** Does a majority stand behind it? */
  async isQuorate(at: number): Promise<boolean> {
    return this.#ask(this.#servers[at]!.client, '/v3/kv/range', { key: 'YQ==' }).then(() => true, () => false);
  }

  /** What one of them is told by hand. */
  tell(path: string, body: object, at = 0): Promise<object> {
    return this.#ask(this.#servers[at]!.client, path, body);
  }

  #ask<Found extends object>(origin: string, path: string, body: object): Promise<Found> {
    return this.#inside.length === 0 ? ask(origin, path, body) : askInside(this.#inside, origin, path, body);
  }
}

/** As `ask`, from where they run. */
async function askInside<Found extends object>(inside: readonly string[], origin: string, path: string, body: object): Promise<Found> {
  const [program = 'curl', ...line] = [...inside, 'curl', '-sf', '-m', '2', '-d', JSON.stringify(body), origin + path];
  try {
    const { stdout } = await promisify(execFile)(program, line);
    return JSON.parse(stdout) as Found;
  } catch (error) {
    if (path !== '/v3/maintenance/status') throw error;
    return { header: { member_id: '' } } as unknown as Found;
  }
}

async function ask<Found extends object>(origin: string, path: string, body: object): Promise<Found> {
  try {
    const response = await fetch(origin + path, { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(2_000) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Found;
  } catch (error) {
    if (path !== '/v3/maintenance/status') throw error;
    return { header: { member_id: '' } } as unknown as Found;
  }
}

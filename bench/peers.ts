/**
 * The servers we are held against, each of its own and on the loopback interface: started
 * here, with nothing on the disk that outlives the run. Whoever is not installed is left
 * out, with a word why.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const patienceMillis = 20_000;

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** Or why there is none. */
export type Found = Server | string;

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const isInstalled = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

export async function startRedis(): Promise<Found> {
  if (!isInstalled('redis-server')) return 'redis-server is not installed';
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
  return started(child, port, () => undefined);
}

export async function startPostgres(): Promise<Found> {
  if (!isInstalled('initdb') || !isInstalled('postgres')) return 'PostgreSQL (initdb, postgres) is not installed';
  const who = userOfPostgres();
  if (typeof who === 'string') return who;
  const dir = mkdtempSync(join(tmpdir(), 'bench-postgres-'));
  const forget = (): void => rmSync(dir, { recursive: true, force: true });
  if (who.uid !== undefined) {
    chmodSync(dir, 0o700);
    chownSync(dir, who.uid, who.gid);
  }
  const made = spawnSync('initdb', ['-D', join(dir, 'data'), '-U', 'bench', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'], { ...who, cwd: dir, encoding: 'utf8' });
  if (made.status !== 0) {
    forget();
    return `initdb has failed: ${(made.stderr ?? '').trim().split('\n').at(-1)}`;
  }
  const port = await freePort();
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${dir}`, '-c', 'fsync=off', '-c', 'max_connections=50'];
  const child = spawn('postgres', ['-D', join(dir, 'data'), '-p', String(port), ...settings], { ...who, cwd: dir, stdio: 'ignore' });
  const isReady = (): Promise<boolean> => Promise.resolve(spawnSync('pg_isready', ['-h', '127.0.0.1', '-p', String(port)]).status === 0);
  return started(child, port, forget, isReady);
}

/** It refuses to be run by root. */
function userOfPostgres(): { uid: number; gid: number } | { uid?: undefined } | string {
  if (process.getuid!() !== 0) return {};
  const idOf = (option: string): number => Number(spawnSync('id', [option, 'postgres'], { encoding: 'utf8' }).stdout.trim() || NaN);
  const [uid, gid] = [idOf('-u'), idOf('-g')];
  return Number.isNaN(uid) ? 'PostgreSQL does not run as root, and there is no user postgres' : { uid, gid };
}

/** Wait until it answers, and may be asked. */
async function started(child: ChildProcess, port: number, forget: () => void, isReady = (): Promise<boolean> => answers(port)): Promise<Found> {
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGINT');
      await once(child, 'exit');
    }
    forget();
  };
  const end = performance.now() + patienceMillis;
  while (performance.now() < end && child.exitCode === null) {
    if (await isReady()) return { port, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop();
  return `${child.spawnfile} does not answer`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

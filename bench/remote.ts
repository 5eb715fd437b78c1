/**
 * Locks whose master is a node in another process, over TCP on the loopback interface.
 *
 *   64 at once          pairs of lock and unlock, both acknowledged, on names that nobody else
 *                       wants; beside ioredis SET NX PX and del on a redis-server. On both
 *                       sides 64 loops in this process share one connection
 *   one at a time       the time of a pair; beside the two ping-pongs of a bare socket that it
 *                       cannot do without
 *   16 for one lock     hand-offs from one of them to the next; beside advisory locks of
 *                       PostgreSQL (fight.ts)
 *
 * All take turns, round after round (contest.ts). Redis and PostgreSQL are started for the
 * run, and left out if they are not installed.
 */
import { Redis } from 'ioredis';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, extname, join, resolve } from 'node:path';
import { serveNode, type LockspaceClient, type NodeClient } from '../src/core/index.js';
import { compare, inTurn, middle, timed, type Work } from './contest.js';
import type { Order } from './far-node.js';
import { fight } from './fight.js';
import { freePort, startPostgres, startRedis, type Server } from './peers.js';
import { thousands, type Part, type Row } from './table.js';

const names = Array.from({ length: 1024 }, (_, index) => `bench/${index}`.padEnd(32, '.'));
/** What a request has on the wire, or an answer. */
const pingBytes = 100;

/** The names one after another, whoever asks. */
function nextName(): () => string {
  let next = 0;
  return () => names[next++ % names.length]!;
}

function pairOf(space: LockspaceClient): Work {
  const name = nextName();
  return async () => {
    const lock = await space.lock(name());
    await lock.unlock();
  };
}

async function manyAtOnce(space: LockspaceClient, redis: Server | null, refresh: () => Promise<void>, say: (line: string) => void): Promise<Row> {
  const client = redis === null ? null : new Redis(redis.port, '127.0.0.1');
  const name = nextName();
  const speeds = await inTurn({
    ours: () => refresh().then(() => timed(64, pairOf(space))),
    ...(client === null ? {} : {
      redis: () => timed(64, async () => {
        const key = name();
        await client.set(key, 'token', 'PX', 30_000, 'NX');
        await client.del(key);
      }),
    }),
  });
  client?.disconnect();
  const ours = speeds.get('ours')!;
  const row = { what: 'remote master, 64 outstanding, pairs', ours: thousands(middle(ours, 'rate')) };
  const theirs = speeds.get('redis');
  if (theirs === undefined) return { ...row, peer: 'redis: left out' };
  const { ratio, spread } = compare(ours, theirs, 'rate');
  say(`${row.what}: ${spread}`);
  return { ...row, peer: `ioredis ${thousands(middle(theirs, 'rate'))}`, ratio, wanted: { figure: ratio, atLeast: 3, unit: 'x' } };
}

/** Sends a ping, and resolves when all of it has come back. */
function pingerOf(socket: Socket): () => Promise<void> {
  const ping = Buffer.alloc(pingBytes);
  let left = 0;
  let done = (): void => undefined;
  socket.on('data', (chunk) => {
    left -= chunk.length;
    if (left === 0) done();
  });
  return () => new Promise((resolve) => {
    left = ping.length;
    done = resolve;
    socket.write(ping);
  });
}

async function oneAtATime(space: LockspaceClient, echoPort: number, refresh: () => Promise<void>, say: (line: string) => void): Promise<Row> {
  const socket = connect({ port: echoPort, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const ping = pingerOf(socket);
  const speeds = await inTurn({
    ours: () => refresh().then(() => timed(1, pairOf(space))),
    bare: () => timed(1, async () => {
      await ping();
      await ping();
    }),
  });
  socket.destroy();
  const [ours, bare] = [speeds.get('ours')!, speeds.get('bare')!];
  const { ratio, spread } = compare(ours, bare, 'p50');
  const what = 'remote master, 1 outstanding, p50 of a pair';
  say(`${what}: ${spread}`);
  const peer = `2 bare ping-pongs ${middle(bare, 'p50').toFixed(1)} us`;
  return { what, ours: `${middle(ours, 'p50').toFixed(1)} us`, peer, ratio, wanted: { figure: ratio, atMost: 1.5, unit: 'x' } };
}

async function ask(child: ChildProcess, order: Order): Promise<number> {
  child.send(order);
  const [answer] = (await once(child, 'message')) as [number];
  return answer;
}

/** The recovery after joining forgets masters of what nobody holds: wait for it. */
async function untilBothAreIn(client: NodeClient): Promise<void> {
  for (;;) {
    const [space] = await client.lockspaces();
    if (space?.standing === 'running' && space.members.length === 2) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Is the other node master of all names? What is measured otherwise is not what is asked for. */
async function mustBeElsewhere(space: LockspaceClient): Promise<void> {
  const locks = await Promise.all(names.map((name) => space.lock(name)));
  const { content } = await space.content();
  if (content.some(({ master }) => master !== 1)) throw new Error('this node is master itself');
  for (const lock of locks) await lock.unlock();
}

export const measure: Part = async (say) => {
  mkdirSync('.tmp', { recursive: true });
  const dir = mkdtempSync(join(resolve('.tmp'), 'bench-remote-'));
  // Beside what runs here, be it compiled or not.
  const running = process.argv[1]!;
  const child = fork(join(dirname(running), `far-node${extname(running)}`));
  const [redis, postgres] = [await startRedis(), await startPostgres()];
  for (const found of [redis, postgres]) if (typeof found === 'string') say(`left out: ${found}`);
  try {
    const base = join(dir, 'clusters');
    const echoPort = await ask(child, { verb: 'open', opening: { dir: join(dir, 'far'), base, port: await freePort() } });
    const near = await serveNode({ dir: join(dir, 'near'), cluster: { cluster: 'bench', base, node: 2, listen: `tcp:127.0.0.1:${await freePort()}` }, log: () => undefined });
    const space = await near.client.lockspace('bench');
    await untilBothAreIn(near.client);
    // Before a master forgets what has been idle for a while, and we become master ourselves.
    const refresh = async (): Promise<void> => {
      await ask(child, { verb: 'take', names });
      await mustBeElsewhere(space);
    };
    await refresh();
    const rows = [
      await manyAtOnce(space, typeof redis === 'string' ? null : redis, refresh, say),
      await oneAtATime(space, echoPort, refresh, say),
      ...(await fight({ space, name: names[0]!, refresh, pids: [process.pid, child.pid!], postgres: typeof postgres === 'string' ? null : postgres, say })),
    ];
    await near.leave({ force: true });
    child.send({ verb: 'close' } satisfies Order);
    await once(child, 'exit');
    return rows;
  } finally {
    child.kill();
    for (const found of [redis, postgres]) if (typeof found !== 'string') await found.stop();
    rmSync(dir, { recursive: true, force: true });
  }
};

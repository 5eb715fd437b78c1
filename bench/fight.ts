/**
 * Sixteen who want one lock: how often it goes from one to another in a second, beside
 * advisory locks of PostgreSQL.
 *
 * On both sides the sixteen are sixteen loops in this one process (take the lock, give it
 * back, both acknowledged, begin again), the lock is decided about in another process, over
 * TCP on the loopback interface, without TLS, and nothing is written to a disk. Both sides
 * are first come, first served. A hand-off is a grant to another than the last one.
 *
 *   ours          One node here, one node there, which is master of the name; one
 *                 connection between them for all sixteen. A hand-off costs one round
 *                 trip: `unlock` there; its answer and the next one's grant back in one
 *                 write. The request of whoever has just unlocked travels with the next
 *                 `unlock`.
 *   PostgreSQL    A session holds a lock, so there is a connection and a process of the
 *                 server for each of the sixteen, all opened here through `pg`. A hand-off
 *                 costs: the statement with `pg_advisory_unlock` to one process of the
 *                 server, which wakes that of the next one, which answers its statement
 *                 with `pg_advisory_lock`, while the first one answers too. Statements are
 *                 prepared and rows come as arrays, the quickest way that `pg` has.
 *
 * So what is compared is one design with another as a program would use them: that all
 * clients of a node share a connection is part of ours, that each has a process of the
 * server is part of theirs.
 *
 * It is done twice, since where processes run changes the outcome more than anything else:
 * all of both sides on one core, where it is the work that counts (and that is how the
 * figures were taken from which the wish was made); and wherever the system puts them, where
 * what it costs to wake another core counts as well.
 *
 * On one core somebody of either side always runs, unless others want that core too: then
 * their share is part of the figure, and not the same for two busy processes as for
 * seventeen that take turns. So hand-offs are also counted by the processor time that all
 * processes of a side have used, which is what the core would give if it were theirs alone.
 */
import pg from 'pg';
import type { LockspaceClient } from '../src/core/index.js';
import { compare, inTurn, middle, timed, type Speed } from './contest.js';
import { coreMillisOf, coresOf, keepOn } from './cores.js';
import type { Server } from './peers.js';
import { thousands, type Row } from './table.js';

const fighters = 16;
/** A session of PostgreSQL is not told that others wait for its lock; nobody here wants to hear it either. */
const wish = { blocking: false };

/** How often a lock goes from one to another, of all who get it. */
class Handoffs {
  #last = -1;
  count = 0;

  holds(worker: number): void {
    if (worker !== this.#last) this.count += 1;
    this.#last = worker;
  }
}

async function handoffsOf(pids: readonly number[], work: (worker: number, handoffs: Handoffs) => Promise<void>): Promise<Speed> {
  const handoffs = new Handoffs();
  const [start, coreStart] = [performance.now(), coreMillisOf(pids)];
  await timed(fighters, (worker) => work(worker, handoffs));
  const [millis, coreMillis] = [performance.now() - start, coreMillisOf(pids) - coreStart];
  return { rate: (handoffs.count * 1000) / millis, p50: 0, frugality: (handoffs.count * 1000) / coreMillis };
}

export interface Ring {
  readonly space: LockspaceClient;
  /** A name whose master is the other process; see to it that it stays so. */
  readonly name: string;
  readonly refresh: () => Promise<void>;
  /** The processes of our side. */
  readonly pids: readonly number[];
  readonly postgres: Server | null;
  readonly say: (line: string) => void;
}

interface Sessions {
  readonly clients: readonly pg.Client[];
  readonly pids: readonly number[];
}

async function openSessions({ port }: Server): Promise<Sessions> {
  const clients = Array.from({ length: fighters }, () => new pg.Client({ host: '127.0.0.1', port, user: 'bench', database: 'postgres' }));
  const pids: number[] = [];
  for (const client of clients) {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    pids.push(rows[0]!.pid);
  }
  return { clients, pids };
}

function statement(client: pg.Client, name: 'lock' | 'unlock'): Promise<unknown> {
  return client.query({ name, text: `select pg_advisory_${name}(1)`, rowMode: 'array' });
}

async function fightOnce({ space, name, refresh }: Ring, sessions: Sessions | null, pids: readonly number[]): Promise<Map<string, Speed[]>> {
  return inTurn({
    ours: () => refresh().then(() => handoffsOf(pids, async (worker, handoffs) => {
      const lock = await space.lock(name, wish);
      handoffs.holds(worker);
      await lock.unlock();
    })),
    ...(sessions === null ? {} : {
      postgres: () => handoffsOf(pids, async (worker, handoffs) => {
        await statement(sessions.clients[worker]!, 'lock');
        handoffs.holds(worker);
        await statement(sessions.clients[worker]!, 'unlock');
      }),
    }),
  });
}

function rowOf(speeds: Map<string, Speed[]>, figure: 'rate' | 'frugality', where: string, say: Ring['say']): Row {
  const what = `${fighters} clients, one lock, hand-offs, ${where}`;
  const [ours, theirs] = [speeds.get('ours')!, speeds.get('postgres')];
  const row = { what, ours: thousands(middle(ours, figure)) };
  if (theirs === undefined) return { ...row, peer: 'PostgreSQL: left out' };
  const { ratio, spread } = compare(ours, theirs, figure);
  say(`${what}: ${spread}`);
  return { ...row, peer: `PostgreSQL ${thousands(middle(theirs, figure))}`, ratio, wanted: { figure: ratio, atLeast: 2, unit: 'x' } };
}

export async function fight(ring: Ring): Promise<Row[]> {
  const sessions = ring.postgres === null ? null : await openSessions(ring.postgres);
  const pids = [...ring.pids, ...(sessions?.pids ?? [])];
  const cores = coresOf(process.pid);
  const rows: Row[] = [];
  try {
    if (cores === null) ring.say('left out: the fight on one core, for want of taskset');
    else {
      keepOn(pids, cores.split(/[-,]/)[0]!);
      const speeds = await fightOnce(ring, sessions, pids);
      rows.push(rowOf(speeds, 'rate', 'one core', ring.say), rowOf(speeds, 'frugality', 'a second of its time', ring.say));
      keepOn(pids, cores);
    }
    rows.push(rowOf(await fightOnce(ring, sessions, pids), 'rate', 'any core', ring.say));
  } finally {
    for (const client of sessions?.clients ?? []) await client.end();
  }
  return rows;
}

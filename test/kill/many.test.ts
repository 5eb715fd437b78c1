/**
 * Very many at once, and two things at the same moment: what a node in a process
 * of its own makes of it.
 */
import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { describe, type TestContext } from 'node:test';
import { test } from './bounded.js';
import { DlmError, attach, type LockspaceClient, type NodeClient } from '../../src/core/index.js';
import { signalAll, until } from './processes.js';
import { Stage } from './stage.js';

interface Field {
  readonly stage: Stage;
  connect(): Promise<{ client: NodeClient; space: LockspaceClient }>;
}

async function fieldFor(test: TestContext): Promise<Field> {
  const stage = new Stage();
  assert.equal(await stage.exitOf('node', 'join', '--detach', '-q'), 0);
  const clients: NodeClient[] = [];
  test.after(async () => {
    // The node goes first: a connection to a dead one closes at once, whatever the test has left.
    await stage.clear();
    for (const client of clients) await client.close();
  });
  const connect = async (): Promise<{ client: NodeClient; space: LockspaceClient }> => {
    const client = await attach({ dir: relative(process.cwd(), stage.dir) });
    clients.push(client);
    return { client, space: await client.lockspace() };
  };
  return { stage, connect };
}

const codeOf = (error: unknown): string => (error instanceof DlmError ? error.code : String(error));

describe('a thousand waiters on one lock', () => {
  const sessions = 50;
  const perSession = 20;

  test('each gets it once, alone, in the order in which they came', async (test) => {
    const { connect } = await fieldFor(test);
    const { space } = await connect();
    const holder = await space.lock('prey');
    const spaces = await Promise.all(Array.from({ length: sessions }, async () => (await connect()).space));
    const order: number[] = [];
    let inside = 0;
    const waits: Promise<void>[] = [];
    for (let place = 0; place < sessions * perSession; place += 1) {
      const one = spaces[place % sessions]!;
      waits.push(
        one.withLock('prey', {}, () => {
          inside += 1;
          assert.equal(inside, 1);
          order.push(place);
          inside -= 1;
        }),
      );
      // The node has it before the next one asks, so that the order is known.
      if (place % sessions === sessions - 1) await until('they wait', async () => (await space.locks('prey')).length === place + 2);
    }
    await holder.unlock();
    await Promise.all(waits);
    assert.equal(order.length, sessions * perSession);
    // Within one round the sessions are heard in any order.
    assert.deepEqual(order.map((place) => Math.floor(place / sessions)), order.map((_, index) => Math.floor(index / sessions)));
    assert.deepEqual(await space.locks('prey'), []);
  });

  test('and the node is killed: every one of them hears of it', async (test) => {
    const { stage, connect } = await fieldFor(test);
    const { space } = await connect();
    const holder = await space.lock('prey');
    const others = await Promise.all(Array.from({ length: 10 }, async () => (await connect()).space));
    const waits = others.flatMap((other) => Array.from({ length: 100 }, () => other.lock('prey').then(() => 'granted', codeOf)));
    await until('they wait', async () => (await space.locks('prey')).length === 1001);
    signalAll([stage.nodePid], 'SIGKILL');
    assert.deepEqual(new Set(await Promise.all(waits)), new Set(['DLM_NO_NODE']));
    await until('the holder has heard of it', () => holder.mode === null);
  });
});

describe('ten thousand locks from one session', () => {
  test('are held, counted, and end with it', async (test) => {
    const { connect } = await fieldFor(test);
    const { client, space } = await connect();
    const { client: witness } = await connect();
    const locks = await Promise.all(Array.from({ length: 10_000 }, (_, index) => space.lock(`name ${index}`)));
    assert.equal(new Set(locks.map(({ id }) => id)).size, 10_000);
    assert.equal((await witness.lockspaces())[0]?.locks, 10_000);
    await client.close();
    await until('they have ended', async () => (await witness.lockspaces())[0]?.locks === 0);
  });

  test('wanted by another: each is handed over', async (test) => {
    const { connect } = await fieldFor(test);
    const { client, space } = await connect();
    const { client: witness, space: other } = await connect();
    const names = Array.from({ length: 10_000 }, (_, index) => `name ${index}`);
    await Promise.all(names.map((name) => space.lock(name)));
    const handed = names.map((name) => other.lock(name));
    await until('they wait', async () => (await witness.lockspaces())[0]?.locks === 20_000);
    await client.close();
    assert.equal((await Promise.all(handed)).filter(({ mode }) => mode === 'EX').length, 10_000);
  });
});

describe('93: time is up in the moment of the grant', () => {
  test('there is one outcome: either the lock, held, or none, and nothing left of it', async (test) => {
    const { connect } = await fieldFor(test);
    const { space: one } = await connect();
    const { space: other } = await connect();
    const outcomes = { granted: 0, DLM_TIMED_OUT: 0 };
    for (let round = 0; round < 300; round += 1) {
      const holder = await one.lock('prey');
      const wait = other.lock('prey', { timeout: 4 + (round % 3) });
      const ending = new Promise<void>((resolve) => setTimeout(() => void holder.unlock().then(resolve), 5));
      const outcome = await wait.then((lock) => lock, codeOf);
      await ending;
      const locks = await one.locks('prey');
      if (typeof outcome === 'string') {
        assert.deepEqual([outcome, locks.length], ['DLM_TIMED_OUT', 0]);
        outcomes.DLM_TIMED_OUT += 1;
      } else {
        assert.deepEqual([outcome.mode, locks.map(({ id, state }) => [id, state])], ['EX', [[outcome.id, 'granted']]]);
        outcomes.granted += 1;
        await outcome.unlock();
      }
    }
    assert.ok(outcomes.granted > 0 && outcomes.DLM_TIMED_OUT > 0, `both came about: ${JSON.stringify(outcomes)}`);
  });

  test('on the command line too: the command ran and the code is its own, or it did not and the code is 81', async (test) => {
    const stage = new Stage();
    test.after(() => stage.clear());
    for (let round = 0; round < 8; round += 1) {
      const holder = stage.dlm('lock', 'prey', '-q', '--', 'sh', '-c', 'echo $$ > "$KILL_STAGE/pid-child"; sleep 0.6');
      await stage.pidOf('child');
      const waiter = stage.dlm('lock', 'prey', '-w', '0.2', '-q', '--', 'sh', '-c', 'echo ran; exit 7');
      const exit = await waiter.exit;
      assert.deepEqual([exit, waiter.said()], exit === 7 ? [7, 'ran\n'] : [81, '']);
      assert.equal(await holder.exit, 0);
      stage.tell('pid-child');
      assert.deepEqual(await stage.locks(), []);
    }
  });
});

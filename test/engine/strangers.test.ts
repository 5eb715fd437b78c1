/**
 * Who may speak to the registrar of a local cluster, and what becomes of those who
 * speak nonsense, claim to be somebody else, or hang up without a word.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { clusterPlaces, type ClusterPlaces } from '../../src/core/host/engine/cluster-places.js';
import { protocolVersion } from '../../src/core/host/engine/registrar-protocol.js';
import { incarnation, nodeId } from '../../src/core/base/ids.js';
import { openLocalEngine } from '../../src/core/index.js';
import { identify, pidNamespace } from '../../src/core/host/process-facts.js';
import { scratch } from '../host/scratch.js';
import { until } from '../kill/processes.js';
import { Cast, type Actor } from './cast.js';
import { localAt } from './local-kind.js';

/** A raw line to the registrar. */
class Stranger {
  readonly #socket: Socket;
  #heard = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => (this.#heard += chunk.toString()));
    socket.on('error', () => undefined);
  }

  static async at(test: TestContext, { socket: path }: ClusterPlaces): Promise<Stranger> {
    const socket = connect(path);
    test.after(() => socket.destroy());
    await once(socket, 'connect');
    return new Stranger(socket);
  }

  say(words: string | Buffer): void {
    this.#socket.write(words);
  }

  /** All it was told, once it was hung up on. */
  async untilHungUp(): Promise<string> {
    if (!this.#socket.destroyed) await once(this.#socket, 'close');
    return this.#heard;
  }

  async untilTold(words: string): Promise<void> {
    while (!this.#heard.includes(words)) await once(this.#socket, 'data');
  }

  async hangUp(): Promise<void> {
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }
}

const self = identify(process.pid)!;

function hello(changes: object = {}): string {
  const facts = { name: 's', node: null, incarnation: 99, address: '', weight: 0, lockspaces: [], life: 'a life', seen: 0 };
  return `${JSON.stringify({ say: 'hello', version: protocolVersion, ...facts, ...self, pidns: pidNamespace(), ...changes })}\n`;
}

async function clusterOfOne(test: TestContext): Promise<{ cast: Cast; a: Actor; places: ClusterPlaces }> {
  const { kind, places } = localAt(test);
  const cast = new Cast(test, kind.open(test));
  return { cast, places, a: await cast.join('a') };
}

describe('nonsense on the socket of the registrar', () => {
  const nonsense: Readonly<Record<string, string | Buffer>> = {
    'bytes of no meaning': Buffer.from([0xff, 0, 0x0a, 1, 2, 3, 0x0a]),
    'a line that never ends': 'x'.repeat(200_000),
    'JSON that is no message': '[1,2,3]\n',
    'a message nobody knows': '{"say":"hurrah"}\n',
    'an announcement before the hello': '{"say":"announce","lockspaces":[]}\n',
    'a hello without a name': hello({ name: undefined }),
    'a hello with a name that hides something': hello({ name: 'a\u001b[2J' }),
    'a hello from node 0': hello({ node: 0 }),
    'two hellos': hello() + hello(),
    'lockspaces out of order': hello({ lockspaces: [['b', 1], ['a', 1]] }),
    'a life that is not over yet, and a view that never was': hello({ seen: Number.MAX_SAFE_INTEGER }),
    'another version': hello({ version: 2 }),
    'the pid of somebody else': hello({ pid: 1 }),
    'a process that has not started yet': hello({ started: self.started + 1 }),
    'another pid namespace': hello({ pidns: '1' }),
  };

  it('is hung up on, and does the cluster no harm', async (test) => {
    const { cast, a, places } = await clusterOfOne(test);
    for (const [name, words] of Object.entries(nonsense)) {
      const stranger = await Stranger.at(test, places);
      stranger.say(words);
      assert.match(await stranger.untilHungUp(), /"say":"(refused|out)"/, name);
    }
    const silent = await Promise.all(Array.from({ length: 100 }, () => Stranger.at(test, places)));
    const halfway = await Stranger.at(test, places);
    halfway.say(hello().slice(0, 50));
    const b = await cast.join('b');
    for (const stranger of [...silent, halfway]) await stranger.hangUp();
    await b.leave();
    await a.seesMembers('a');
    assert.deepEqual(a.views.map(({ members }) => members.map(({ name }) => name).join()), ['a', 'a,b', 'a']);
    cast.check();
  });

  it('another pid namespace and another version are refused with the reason', async (test) => {
    const { places } = await clusterOfOne(test);
    const elsewhere = await Stranger.at(test, places);
    elsewhere.say(hello({ pidns: '1' }));
    assert.match(await elsewhere.untilHungUp(), /DLM_NOT_PERMITTED.*another pid namespace/);
    const newer = await Stranger.at(test, places);
    newer.say(hello({ version: 2 }));
    assert.match(await newer.untilHungUp(), /DLM_PROTOCOL.*version 1/);
  });
});

describe('a member that hangs up without a goodbye', () => {
  it('stays a member while its process lives, and is given what it has missed when it comes back', async (test) => {
    const { a, places } = await clusterOfOne(test);
    const first = await Stranger.at(test, places);
    first.say(hello());
    await first.untilTold('"say":"view"');
    await first.hangUp();
    const seen = Number(a.views[1]!.id);
    for (let join = 1; join <= 3; join += 1) {
      await a.announce({ x: join });
      await a.sees(`join ${join}`, () => a.last.members[0]!.lockspaces['x'] === join);
    }
    assert.deepEqual(a.last.members.map(({ name }) => name), ['a', 's']);

    const again = await Stranger.at(test, places);
    again.say(hello({ seen }));
    for (let missed = 1; missed <= 3; missed += 1) await again.untilTold(`"id":${seen + missed},`);
    const third = await Stranger.at(test, places);
    third.say(hello({ seen: seen + 3 }));
    await again.untilHungUp();
    third.say('{"say":"leave"}\n');
    assert.match(await third.untilHungUp(), /"left"/);
    await a.seesMembers('a');
    assert.deepEqual(a.last.leftCleanly, [2]);
  });

  it('never reads what it is told: the others are not held up', async (test) => {
    const { a, places, cast } = await clusterOfOne(test);
    const deaf = connect(places.socket);
    test.after(() => deaf.destroy());
    deaf.pause();
    deaf.write(hello());
    await a.seesMembers('a', 's');
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`lockspace-${at}`, 1]));
    for (let join = 1; join <= 200; join += 1) {
      await a.announce({ ...wide, x: join });
      await a.sees(`join ${join}`, () => a.last.members[0]!.lockspaces['x'] === join);
    }
    const b = await cast.join('b');
    await b.seesMembers('a', 'b', 's');

    let heard = '';
    deaf.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    deaf.resume();
    while (!heard.includes(`"id":${Number(b.last.id)},`)) await once(deaf, 'data');
    const ids = Array.from(heard.matchAll(/"entry":{"id":(\d+),/g), ([, id]) => Number(id));
    assert.deepEqual(ids, a.views.slice(1).map(({ id }) => Number(id)));
  });

  it('is named in the log, since nothing is waited for silently', async (test) => {
    const { places, kind } = localAt(test);
    const log: string[] = [];
    const engine = await openLocalEngine({ ...kind.open(test).options, log: (line) => log.push(line) });
    await engine.join({ node: 'auto', name: 'a', incarnation: incarnation(1), address: '', weight: 1 });
    test.after(() => engine.leave());
    const stranger = await Stranger.at(test, places);
    stranger.say(hello());
    await stranger.untilTold('"say":"view"');
    await stranger.hangUp();
    await until('it is in the log', () => log.length > 0);
    assert.deepEqual(log, [`node 2 (s) is not heard of; it counts as a member until its process ${process.pid} comes back or has ended`]);
  });
});

describe('who may enter', () => {
  it('the folder and the socket are for their owner alone', async (test) => {
    const { places } = await clusterOfOne(test);
    assert.equal(statSync(places.folder).mode & 0o777, 0o700);
    for (const path of [places.socket, places.lock, places.journal]) assert.equal(statSync(path).mode & 0o777, 0o600, path);
  });

  it('another user cannot speak to the registrar', { skip: process.getuid?.() !== 0 && 'only root can be somebody else' }, async (test) => {
    const { places } = await clusterOfOne(test);
    // All that keeps the other out is what the engine has made, not where this test has it made.
    chmodSync(dirname(places.folder), 0o755);
    chmodSync(places.folder, 0o755);
    const program = `require('net').connect(${JSON.stringify(resolve(places.socket))}).on('error', ({ code }) => process.exit(code === 'EACCES' ? 3 : 4)).on('connect', () => process.exit(5))`;
    const as = (uid: number): number | null => spawnSync(process.execPath, ['-e', program], { uid, gid: uid }).status;
    assert.equal(as(0), 5);
    assert.equal(as(65_534), 3);
  });

  it('a folder into which others may write is refused', async (test) => {
    const base = scratch(test);
    mkdirSync(`${base}/c`);
    chmodSync(`${base}/c`, 0o777);
    const engine = await openLocalEngine({ cluster: 'c', base });
    const joining = engine.join({ node: nodeId(1), name: 'a', incarnation: incarnation(1), address: '', weight: 1 });
    await assert.rejects(joining, { code: 'DLM_NOT_PERMITTED', message: /others may write/ });
  });

  it('a cluster or a node that cannot be called so is refused', async (test) => {
    for (const name of ['', '..', '-x', 'a/b', 'x'.repeat(33)]) assert.throws(() => clusterPlaces(name), { code: 'DLM_NAME_INVALID' });
    const engine = await openLocalEngine({ cluster: 'c', base: scratch(test) });
    const joining = engine.join({ node: 'auto', name: 'a b', incarnation: incarnation(1), address: '', weight: 1 });
    await assert.rejects(joining, { code: 'DLM_NAME_INVALID' });
  });
});

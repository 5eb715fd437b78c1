/**
 * The etcd engine when a member is stopped, cut off, declared failed, or too late for
 * what etcd has forgotten.
 */
import assert from 'node:assert/strict';
import { after, describe, type TestContext } from 'node:test';
import { story } from '../engine/suite.js';
import { namesIn, type Actor, type Cast } from '../engine/cast.js';
import { etcdAt, ttlMillis } from './etcd-kind.js';
import { EtcdServers } from './etcd-servers.js';
import { Proxy } from './proxy.js';

const servers = await EtcdServers.start({ after });

/** Long enough for whatever a test does meanwhile. */
const patient = { ttlMillis: 30_000 };

const tell = (name: string, play: (cast: Cast, test: TestContext) => Promise<void>, more = {}): void => story(etcdAt(servers.endpoints, more), name, play);

/** Who reaches etcd over a line of its own. */
async function farAway(cast: Cast, test: TestContext, name: string, delayMillis = 0): Promise<{ actor: Actor; line: Proxy }> {
  const line = await Proxy.to(test, servers.endpoints[0]!, delayMillis);
  const near = cast.actor(name);
  const { kind, options } = near.opening as Extract<Actor['opening'], { kind: 'etcd' }>;
  const actor = near.stage.actor({ kind, options: { ...options, endpoints: [line.origin] } }, near.wish);
  cast.actors.splice(cast.actors.indexOf(near), 1, actor);
  return { actor, line };
}

/** How long after one has heard that it is out the other hears a view without it. */
async function marginOf(survivor: Actor, victim: Actor): Promise<number> {
  const isWithout = (): number => survivor.views.findIndex((view, at) => at > 0 && !namesIn(view).split(',').includes(victim.wish.name) && victim.views.some(({ id }) => id < view.id));
  await survivor.sees(`a view without ${victim.wish.name}`, () => isWithout() >= 0);
  return survivor.heardAt[isWithout()]! - victim.lostAt;
}

describe('the etcd engine: members that are stopped or cut off', () => {
  tell('who is stopped past its lease hears that it is out on waking, and of no view after it', async (cast) => {
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    await b.stage.stop();
    await a.seesMembers('a');
    assert.deepEqual(a.last.leftCleanly, []);
    b.stage.goOn();
    await b.sees('that it is out', () => b.lost !== null);
    assert.match(b.lost!, /has not renewed our lease for \d+ ms/);
    assert.equal(namesIn(b.last), 'a,b');
  });

  tell('who is stopped for less is given all it has missed', async (cast) => {
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    await b.stage.stop();
    for (let join = 1; join <= 5; join += 1) {
      await a.announce({ x: join });
      await a.sees(`join ${join}`, () => a.last.members[0]!.lockspaces['x'] === join);
    }
    b.stage.goOn();
    await b.sees('the last of them', () => b.last.members[0]!.lockspaces['x'] === 5);
    assert.equal(b.views.length, 6);
  }, patient);

  for (const way of ['cut', 'swallow'] as const) {
    tell(`who is cut off hears that it is out before anybody hears that it is gone (${way})`, async (cast, test) => {
      const a = await cast.join('a');
      const { actor: b, line } = await farAway(cast, test, 'b');
      await b.join();
      await a.seesMembers('a', 'b');
      line[way]();
      const margin = await marginOf(a, b);
      test.diagnostic(`margin: ${Math.round(margin)} ms of ${ttlMillis / 3}`);
      assert.ok(margin > 0, `${margin} ms`);
      assert.match(b.lost!, /has not renewed our lease/);
    });
  }

  tell('whose line breaks and comes back stays a member', async (cast, test) => {
    const a = await cast.join('a');
    const { actor: b, line } = await farAway(cast, test, 'b');
    await b.join();
    line.cut();
    await a.announce({ x: 1 });
    await a.sees('x', () => a.last.members[0]!.lockspaces['x'] === 1);
    line.restore();
    await b.sees('x', () => b.last.members[0]!.lockspaces['x'] === 1);
    assert.equal(b.lost, null);
  }, patient);
});

describe('the etcd engine: the number of one that is gone and may still act', () => {
  tell('is given to nobody who asks for none, but to him who comes under its name', async (cast) => {
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    const [gone, stays] = a.node === 1 ? [a, b] : [b, a];
    await gone.announce({ x: 1 });
    await stays.sees('its lockspace', () => stays.last.members[0]!.lockspaces['x'] === 1);
    await gone.stage.stop();
    await stays.seesMembers(stays.wish.name);
    assert.equal((await cast.join('c')).node, 3);
    gone.stage.goOn();
    await gone.sees('that it is out', () => gone.lost !== null);
    assert.equal((await cast.join(gone.wish.name)).node, 1);
    assert.equal((await cast.join('d')).node, 4);
  });
});

describe('the etcd engine: answers that come late', () => {
  tell('an answer that the watch has overtaken is no step back', async (cast, test) => {
    const a = await cast.join('a');
    const { actor: b } = await farAway(cast, test, 'b', 150);
    await b.join();
    // Two renewals of b at least fall in between.
    const end = performance.now() + ttlMillis / 2;
    for (let join = 1; performance.now() < end; join += 1) {
      await a.announce({ x: join });
      await b.sees(`join ${join}`, () => b.lost !== null || b.last.members[0]!.lockspaces['x'] === join);
      assert.equal(b.lost, null);
    }
  });
});

describe('the etcd engine: declared failed', () => {
  tell('who is declared failed is out, not in good order, and hears why', async (cast) => {
    const [a, b, c] = (await cast.joinAll('a', 'b', 'c')) as [Actor, Actor, Actor];
    await a.expel(2, 'its disk is gone');
    for (const one of [a, c]) {
      await one.seesMembers('a', 'c');
      assert.deepEqual(one.last.leftCleanly, []);
    }
    await b.sees('that it is out', () => b.lost !== null);
    assert.match(b.lost!, /declared failed: its disk is gone/);
    await a.expel(2, 'once more');
    await assert.rejects(a.expel(1, 'myself'), { code: 'DLM_USAGE' });
    await assert.rejects(b.expel(1, 'from outside'), { code: 'DLM_NOT_QUORATE' });
    assert.equal(a.last.id, c.last.id);
  }, patient);
});

describe('the etcd engine: those who come to others', () => {
  tell('who was to join others is refused where nobody is', async (cast) => {
    await assert.rejects(cast.join('a'), { code: 'DLM_START_REFUSED' });
    await assert.rejects(cast.join('b'), { code: 'DLM_START_REFUSED' });
  }, { mustExist: true });
});

describe('the etcd engine: history that etcd has forgotten', () => {
  const compact = async (): Promise<void> => {
    const { header } = (await servers.tell('/v3/kv/range', { key: 'YQ==' })) as { header: { revision: string } };
    await servers.tell('/v3/kv/compaction', { revision: header.revision, physical: true });
  };
  const noise = (): Promise<object> => servers.tell('/v3/kv/put', { key: 'YQ==', value: 'YQ==' });

  tell('who missed a view that is no longer kept is out', async (cast, test) => {
    const a = await cast.join('a');
    const { actor: b, line } = await farAway(cast, test, 'b');
    await b.join();
    line.cut();
    for (const join of [1, 2, 3]) {
      await a.announce({ x: join });
      await a.sees(`join ${join}`, () => a.last.members[0]!.lockspaces['x'] === join);
    }
    await noise();
    await compact();
    line.restore();
    await b.sees('that it is out', () => b.lost !== null);
    assert.match(b.lost!, /follows one that this node was not given/);
    assert.equal(b.views.length, 1);
  }, patient);

  tell('who missed nothing but what others do at that etcd stays a member', async (cast, test) => {
    const a = await cast.join('a');
    const { actor: b, line } = await farAway(cast, test, 'b');
    await b.join();
    line.cut();
    await noise();
    await noise();
    await compact();
    line.restore();
    await a.announce({ x: 1 });
    await b.sees('x', () => b.last.members[0]!.lockspaces['x'] === 1);
    assert.equal(b.lost, null);
  }, patient);
});

/**
 * The etcd engine when servers of an etcd of three die, stop, or are too few.
 *
 * The margin is what the whole order of things rests on: a member past its deadline
 * has heard so before anybody can have heard that it is gone.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cast, type Actor } from '../engine/cast.js';
import { etcdAt } from './etcd-kind.js';
import { EtcdServers } from './etcd-servers.js';
import type { Opening } from '../engine/member.js';

/** etcd takes up to two seconds for another leader; a member must outlast that. */
const ttlMillis = 9_000;
const shortMillis = 4_000;

const openingAt = (servers: EtcdServers, more = {}): Opening => etcdAt(servers.endpoints, { ttlMillis, ...more }).open(undefined as never);

describe('the etcd engine: servers that fail', () => {
  it('the leader dies while members join and announce: all is done, nobody is out', async (test) => {
    const servers = await EtcdServers.start(test, { count: 3 });
    const cast = new Cast(test, openingAt(servers));
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    const stages = ['c', 'd', 'e'].map((name) => cast.actor(name));
    const leader = await servers.leader();
    const announced = [a.announce({ x: 1 }), b.announce({ y: 1 })];
    const joining = stages.map((actor) => actor.join());
    await servers.kill(leader);
    await Promise.all([...announced, a.announce({ x: 2 }), ...joining]);
    for (const one of cast.actors) {
      await one.sees('everybody and everything', () => one.last.members.length === 5 && one.last.members[0]!.lockspaces['x'] === 2 && one.last.members[1]!.lockspaces['y'] === 1);
      assert.equal(one.lost, null);
    }
    assert.deepEqual(cast.actors.map(({ node }) => node).sort(), [1, 2, 3, 4, 5]);
    cast.check();
  });

  it('the leader dies while a member leaves: it has left in good order', async (test) => {
    const servers = await EtcdServers.start(test, { count: 3 });
    const cast = new Cast(test, openingAt(servers));
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    const leaving = b.leave();
    await servers.kill(await servers.leader());
    await leaving;
    await a.seesMembers('a');
    assert.deepEqual(a.last.leftCleanly, [2]);
    cast.check();
  });

  it('servers go and come back one after the other, dead or stopped: every announcement gets through', async (test) => {
    const servers = await EtcdServers.start(test, { count: 3 });
    const cast = new Cast(test, openingAt(servers));
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    let join = 0;
    for (const at of servers.places) {
      for (const [down, up] of [[() => servers.kill(at), () => servers.revive(at)], [() => servers.stop(at), () => servers.goOn(at)]] as const) {
        await down();
        join += 1;
        await a.announce({ x: join });
        for (const one of [a, b]) await one.sees(`join ${join}`, () => one.last.members[0]!.lockspaces['x'] === join);
        await up();
        await servers.leader();
      }
    }
    assert.deepEqual([a.lost, b.lost], [null, null]);
    cast.check();
  });

  it('too few servers are left: members hear that they are out before anybody hears that they are gone', async (test) => {
    const servers = await EtcdServers.start(test, { count: 3 });
    const cast = new Cast(test, openingAt(servers, { ttlMillis: shortMillis }));
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    const c = cast.actor('c');
    await Promise.all([servers.kill(0), servers.kill(1)]);
    const joining = c.join();
    // The one that waits begins at once: nobody could hear of their end sooner.
    await Promise.all([a, b].map((one) => one.sees('that it is out', () => one.lost !== null)));
    servers.revive(0);
    servers.revive(1);
    await joining;
    await c.seesMembers('c');
    const margin = c.heardAt.at(-1)! - Math.max(a.lostAt, b.lostAt);
    test.diagnostic(`margin: ${Math.round(margin)} ms`);
    assert.ok(margin > 0, `${margin} ms`);
    assert.deepEqual(c.last.leftCleanly, []);
    cast.check();
  });

  it('too few servers for less than a deadline: nobody is out, and what waited is done', async (test) => {
    const servers = await EtcdServers.start(test, { count: 3 });
    const cast = new Cast(test, openingAt(servers, { ttlMillis: 30_000 }));
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    await Promise.all([servers.kill(0), servers.kill(1)]);
    await a.announce({ x: 1 });
    servers.revive(0);
    servers.revive(1);
    for (const one of [a, b]) await one.sees('x', () => one.last.members[0]!.lockspaces['x'] === 1);
    assert.deepEqual([a.lost, b.lost], [null, null]);
    cast.check();
  });

  it('an endpoint that is of another etcd counts as silent', async (test) => {
    const servers = await EtcdServers.start(test);
    const others = await EtcdServers.start(test, { words: ['--initial-cluster-token', 'another'] });
    const [first] = servers.endpoints;
    const cast = new Cast(test, etcdAt([first!, ...others.endpoints], { ttlMillis: shortMillis }).open(test));
    const a = await cast.join('a');
    await servers.kill(0);
    await a.sees('that it is out', () => a.lost !== null);
    assert.match(a.lost!, /has not renewed our lease .* this is another etcd/);
  });
});

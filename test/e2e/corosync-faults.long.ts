/**
 * What the corosync engine does when something goes wrong, on three hosts with real
 * corosync: links that are cut, daemons and hosts that are killed or stand still. After
 * each story the promises of every engine are held against all that was heard.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe } from 'node:test';
import { namesIn, type Actor, type Cast } from '../engine/cast.js';
import { story } from '../engine/suite.js';
import { corosyncOn, quick } from './corosync-kind.js';
import { Hosts } from './hosts.js';

const hosts = new Hosts({ after }, { tokenMillis: quick.tokenMillis });
const corosync = corosyncOn(hosts, quick);
const tell = (name: string, play: (cast: Cast) => Promise<void>): void => story(corosync, name, play);

before(() => hosts.startCorosync());
beforeEach(() => hosts.mend());

const isIn = (actor: Actor, quorate: boolean): boolean => actor.views.length > 0 && actor.last.isQuorate === quorate;

/** The view in which they are alone, and when it was heard of. */
async function goOnWithoutC(...others: readonly Actor[]): Promise<number> {
  for (const one of others) await one.sees('a quorate view without c', () => isIn(one, true) && namesIn(one.last) === 'a,b');
  for (const one of others) {
    const last = one.views.findLast((view) => namesIn(view) === 'a,b' && one.views[one.views.indexOf(view) - 1]?.members.length === 3)!;
    assert.deepEqual(last.leftCleanly, []);
  }
  return Math.min(...others.map((one) => one.heardAt[one.views.findIndex((view, at) => namesIn(view) === 'a,b' && namesIn(one.views[at - 1] ?? view) === 'a,b,c')]!));
}

async function comesBack(cast: Cast, ...others: readonly Actor[]): Promise<Actor> {
  const again = await cast.join('c', 3);
  for (const one of others) {
    await one.seesMembers('a', 'b', 'c');
    assert.equal(one.last.members[2]!.incarnation, again.wish.incarnation);
  }
  return again;
}

describe('the corosync engine: a host is cut off', () => {
  tell('it stops before the others go on, and is out when the link is back; it comes again as another life', async (cast) => {
    const [a, b, c] = (await cast.joinAll('a', 'b', 'c')) as [Actor, Actor, Actor];
    hosts.host(3).cut();
    await c.sees('that it has no quorum', () => isIn(c, false));
    assert.deepEqual(namesIn(c.last), 'a,b,c');
    const goneAt = await goOnWithoutC(a, b);
    assert.ok(c.heardAt.at(-1)! < goneAt, 'it had stopped');
    assert.equal(c.lost, null);
    hosts.host(3).heal();
    await c.sees('that it is out', () => c.lost !== null);
    assert.match(c.lost!, /node 3 \(c\) was cut off .* must be started again/);
    await comesBack(cast, a, b);
    assert.deepEqual([a.lost, b.lost], [null, null]);
  });

  tell('all are cut off from all: everybody stops, and all go on together when the links are back', async (cast) => {
    const all = await cast.joinAll('a', 'b', 'c');
    for (const host of hosts.all) host.cut();
    for (const one of all) await one.sees('that it has no quorum', () => isIn(one, false));
    for (const host of hosts.all) host.heal();
    for (const one of all) await one.sees('quorum', () => isIn(one, true));
    for (const one of all) {
      assert.equal(one.lost, null);
      assert.ok(one.views.every((view) => view.members.length === 3 || view.isQuorate), 'nobody was called gone');
      assert.deepEqual(one.last.members.map(({ incarnation }) => incarnation), [1, 2, 3]);
    }
  });
});

describe('the corosync engine: a host is cut off for a moment', () => {
  tell('it had stopped, and the others made a view meanwhile: all stop before they go on together', async (cast) => {
    const [a, b, c] = (await cast.joinAll('a', 'b', 'c')) as [Actor, Actor, Actor];
    hosts.host(3).cut();
    await c.sees('that it has no quorum', () => isIn(c, false));
    await a.announce({ x: 1 });
    await b.sees('the lockspace of a', () => b.last.members[0]!.lockspaces['x'] === 1);
    const between = b.last.id;
    hosts.host(3).heal();
    for (const one of [a, b, c]) await one.sees('a view after that', () => isIn(one, true) && one.last.id > between);
    for (const one of [a, b, c]) {
      assert.equal(one.lost, null);
      assert.deepEqual(one.views.slice(-3).map(({ id, isQuorate }) => [id - between, isQuorate]), [[0, true], [1, false], [one.last.id - between, true]]);
      assert.equal(namesIn(one.last), 'a,b,c');
    }
  });
});

describe('the corosync engine: something dies or stands still', () => {
  tell('corosync is killed: its node is out at once, and comes again when corosync does', async (cast) => {
    const [a, b, c] = (await cast.joinAll('a', 'b', 'c')) as [Actor, Actor, Actor];
    await hosts.host(3).killCorosync();
    await c.sees('that it is out', () => c.lost !== null);
    assert.match(c.lost!, /corosync on this host has ended/);
    assert.ok(c.lostAt < (await goOnWithoutC(a, b)), 'it had stopped');
    await hosts.mend();
    await comesBack(cast, a, b);
  });

  tell('corosync stands still: its node hears nothing of itself, and stops before the others go on', async (cast) => {
    const [a, b, c] = (await cast.joinAll('a', 'b', 'c')) as [Actor, Actor, Actor];
    hosts.host(3).corosync!.kill('SIGSTOP');
    await c.sees('that it is out', () => c.lost !== null);
    assert.match(c.lost!, /has not heard itself for 3000 ms/);
    assert.ok(c.lostAt < (await goOnWithoutC(a, b)), 'it had stopped');
    hosts.host(3).corosync!.kill('SIGCONT');
  });

  tell('a node stands still, which corosync does not see: it is out, and knows it when it wakes', async (cast) => {
    const [a, b, c] = (await cast.joinAll('a', 'b', 'c')) as [Actor, Actor, Actor];
    await c.stage.stop();
    await goOnWithoutC(a, b);
    await a.announce({ x: 1 });
    await b.sees('that', () => b.last.members[0]!.lockspaces['x'] === 1);
    const before = c.views.length;
    c.stage.goOn();
    await c.sees('that it is out', () => c.lost !== null);
    assert.match(c.lost!, /has not heard itself/);
    assert.equal(c.views.length, before, 'it is told nothing else');
    await c.stage.kill();
    await comesBack(cast, a, b);
  });

  tell('a host is powered off and on again at once: it is gone first, then there anew', async (cast) => {
    const [a, b, c] = (await cast.joinAll('a', 'b', 'c')) as [Actor, Actor, Actor];
    await hosts.host(3).powerOff();
    hosts.host(3).startCorosync();
    await hosts.mend();
    const again = await comesBack(cast, a, b);
    for (const one of [a, b]) {
      const lives = one.views.filter(({ isQuorate }) => isQuorate).map(({ members }) => members[2]?.incarnation ?? null);
      const changes = lives.filter((life, at) => life !== lives[at - 1]);
      assert.deepEqual(changes.slice(-3), [c.wish.incarnation, null, again.wish.incarnation]);
    }
  });

  tell('an operator declares a node gone that is well: it is out, and has not left in good order', async (cast) => {
    const [a, b, c] = (await cast.joinAll('a', 'b', 'c')) as [Actor, Actor, Actor];
    await a.expel(3, 'it smells of smoke');
    await c.sees('that it is out', () => c.lost !== null);
    assert.match(c.lost!, /it smells of smoke/);
    await goOnWithoutC(a, b);
    await a.expel(3, 'again');
    await assert.rejects(a.expel(1, 'oneself'), { code: 'DLM_USAGE' });
  });
});

/**
 * Two hosts whose corosync keeps quorum on both sides of a broken link (two_node: 1).
 * Quorum decides nothing there, and the engine promises only that one of them goes on
 * when they meet: until then fencing is all there is.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cast, namesIn, type Actor } from '../engine/cast.js';
import { until } from '../kill/processes.js';
import { corosyncOn, quick } from './corosync-kind.js';
import { Hosts } from './hosts.js';

const hosts = new Hosts({ after }, { nodes: [1, 2], isTwoNode: true, tokenMillis: quick.tokenMillis });
const kind = corosyncOn(hosts, quick);

before(() => hosts.startCorosync());

describe('the corosync engine: both halves of two have quorum', () => {
  it('each goes on without the other; when they meet, exactly one is out, and both parts are never mixed', async (test) => {
    const cast = new Cast(test, kind.open(test), kind.places);
    const [a, b] = (await cast.joinAll('a', 'b')) as [Actor, Actor];
    hosts.host(2).cut();
    await a.sees('a view of itself', () => namesIn(a.last) === 'a' && a.last.isQuorate);
    await b.sees('a view of itself', () => namesIn(b.last) === 'b' && b.last.isQuorate);
    const met = a.views.length + b.views.length;
    hosts.host(2).heal();
    const out = await until('one of them is out', () => [a, b].find(({ lost }) => lost !== null));
    assert.match(out.lost!, new RegExp(`node ${out.node} \\(${out.wish.name}\\) was cut off`));
    const stays = out === a ? b : a;
    await stays.announce({ x: 1 });
    await stays.sees('that', () => stays.last.members[0]!.lockspaces['x'] === 1);
    assert.equal(stays.lost, null);
    const since = [...a.views, ...b.views].slice(met).filter((view) => view.members.length > 1);
    assert.deepEqual(since, []);
  });
});

/**
 * What follows from the stream of corosync for the members of a group: held against
 * itself in one process, with real groups and an ether in the place of corosync. That
 * corosync is as the ether has it, test/e2e shows.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ether, marginMillis, stopMillis, type Player } from './ether.js';

const nodesIn = (player: Player): number[] => player.last!.members.map(({ node }) => node);

function three(hasQuorum?: (part: readonly number[]) => boolean): { ether: Ether; a: Player; b: Player; c: Player } {
  const ether = new Ether([1, 2, 3], hasQuorum);
  const [a, b, c] = [1, 2, 3].map((node) => {
    const player = ether.enter(node);
    ether.settle();
    return player;
  }) as [Player, Player, Player];
  return { ether, a, b, c };
}

describe('the group on corosync: coming and going', () => {
  it('one after another comes in, and all agree', () => {
    const { a, b, c } = three();
    assert.deepEqual(a.views.map(({ members }) => members.map(({ node }) => node)), [[1], [1, 2], [1, 2, 3]]);
    assert.deepEqual([b.last, c.last], [a.last, a.last]);
    assert.equal(c.views.length, 1);
  });

  it('without quorum nobody becomes a member', () => {
    const ether = new Ether([1, 2, 3]);
    ether.divide([[1], [2, 3]]);
    const a = ether.enter(1);
    ether.settle();
    assert.equal(a.last, null);
    assert.match(a.group.steps(ether).waitsFor, /quorum/);
    ether.divide([[1, 2, 3]]);
    ether.settle();
    assert.deepEqual(nodesIn(a), [1]);
  });

  it('who leaves is named in the view without it, who has ended is not, and both are gone at once', () => {
    const { ether, a, b, c } = three();
    b.isLeaving = true;
    ether.settle();
    assert.equal(b.hasLeft, true);
    assert.deepEqual([nodesIn(a), a.last!.leftCleanly], [[1, 3], [2]]);
    ether.end(c);
    ether.settle();
    assert.deepEqual([nodesIn(a), a.last!.leftCleanly], [[1], []]);
  });

  it('who wants to leave and ends before it is told has left', () => {
    const { ether, a, b } = three();
    b.isLeaving = true;
    ether.speak();
    ether.divide([[1, 2, 3]]);
    ether.end(b);
    ether.settle();
    assert.deepEqual([nodesIn(a), a.last!.leftCleanly], [[1, 3], [2]]);
  });

  it('a second process on a host is refused, and so is an incarnation that was there before', () => {
    const { ether, a, c } = three();
    const second = ether.enter(3);
    ether.settle();
    assert.equal(second.refusedFor, 'DLM_NODE_EXISTS');
    ether.end(c);
    const again = ether.enter(3);
    Object.assign(again, { incarnation: c.incarnation });
    ether.settle();
    assert.equal(again.refusedFor, 'DLM_STATE_UNUSABLE');
    assert.deepEqual(nodesIn(a), [1, 2]);
  });
});

describe('the group on corosync: parts', () => {
  it('a host that is lost is gone when it must have stopped, and not before', () => {
    const { ether, a, c } = three();
    ether.divide([[1, 2], [3]]);
    ether.pass(stopMillis + marginMillis - 1);
    assert.deepEqual(nodesIn(a), [1, 2, 3]);
    ether.pass(1);
    assert.deepEqual(nodesIn(a), [1, 2]);
    assert.deepEqual(nodesIn(c), [1, 2, 3]);
  });

  it('a newcomer with the number of a member that may still act waits', () => {
    const { ether, a } = three();
    ether.divide([[1, 2], [3]]);
    const c = ether.everybody.find(({ node }) => node === 3)!;
    c.isFrozen = true;
    ether.end(c);
    ether.divide([[1, 2, 3]]);
    const again = ether.enter(3);
    ether.pass(stopMillis);
    assert.deepEqual([again.last, again.refusedFor], [null, null]);
    ether.pass(marginMillis);
    assert.deepEqual(nodesIn(a), [1, 2, 3]);
    const without = a.views.at(-2)!;
    assert.deepEqual(without.members.map(({ node }) => node), [1, 2]);
  });

  it('who was cut off while the others went on is out when they meet, whatever its number', () => {
    const { ether, a, b, c } = three();
    ether.divide([[2, 3], [1]]);
    ether.pass(stopMillis + marginMillis);
    ether.divide([[1, 2, 3]]);
    ether.settle();
    assert.match(a.outFor!, /node 1 \(n1\) was cut off/);
    assert.deepEqual([b.outFor, c.outFor], [null, null]);
    assert.deepEqual(nodesIn(b), [2, 3]);
  });

  it('if nobody has made a view since, all go on, and those who had stopped are told', () => {
    const { ether, a, b, c } = three();
    const before = a.last!.id;
    ether.divide([[1], [2], [3]]);
    ether.pass(10 * stopMillis);
    ether.divide([[1, 2, 3]]);
    ether.settle();
    for (const one of [a, b, c]) {
      assert.deepEqual([one.outFor, nodesIn(one), one.last!.before], [null, [1, 2, 3], before]);
      assert.deepEqual(one.last!.leftCleanly, []);
    }
  });

  it('if only some had stopped, all are told so before they go on: nobody recovers alone', () => {
    const { ether, a, b, c } = three();
    const before = a.last!.id;
    ether.divide([[1, 2], [3]]);
    ether.pass(stopMillis / 2);
    ether.divide([[1, 2, 3]]);
    ether.settle();
    for (const one of [a, b, c]) assert.deepEqual([one.outFor, one.told.slice(-3)], [null, [before, -before - 1, one.last!.id]]);
    assert.deepEqual([a.last, b.last], [c.last, c.last]);
  });

  it('who had stopped while the others made a view is not the only one to recover in it, either', () => {
    const { ether, a, b, c } = three();
    const before = a.last!.id;
    ether.divide([[1, 2], [3]]);
    a.lockspaces = [['x', 1]];
    ether.settle();
    const between = a.last!.id;
    assert.deepEqual([nodesIn(a), c.last!.id], [[1, 2, 3], before]);
    ether.pass(stopMillis / 2);
    ether.divide([[1, 2, 3]]);
    ether.settle();
    assert.deepEqual(c.told.slice(1, 3), [-before - 1, between]);
    for (const one of [a, b, c]) assert.deepEqual([one.outFor, one.told.slice(-3)], [null, [between, -between - 1, one.last!.id]]);
  });

  it('of two halves that both had quorum exactly one goes on', () => {
    const ether = new Ether([1, 2], () => true);
    const [a, b] = [ether.enter(1), ether.enter(2)];
    ether.settle();
    ether.divide([[1], [2]]);
    ether.pass(stopMillis + marginMillis);
    assert.deepEqual([nodesIn(a), nodesIn(b)], [[1], [2]]);
    ether.divide([[1, 2]]);
    ether.settle();
    assert.deepEqual([a.outFor === null, b.outFor === null], [true, false]);
    assert.deepEqual(nodesIn(a), [1]);
  });

  it('who alone was given a view before the link broke brings it to the others, if it holds them', () => {
    const { ether, a, b, c } = three();
    a.lockspaces = [['x', 1]];
    ether.untilViewUnderWay();
    ether.divide([[1], [2], [3]], (piece) => piece.includes(1));
    ether.settle();
    assert.deepEqual([a.last!.before, b.last!.id, c.last!.id], [b.last!.id, b.last!.id, b.last!.id]);
    const ahead = a.last!.id;
    ether.divide([[1, 2, 3]]);
    ether.settle();
    for (const one of [a, b, c]) {
      assert.deepEqual([one.outFor, one.last], [null, a.last]);
      assert.ok(one.views.some(({ id }) => id === ahead));
    }
  });
});

describe('the group on corosync: silence', () => {
  it('a process that says nothing is out for all, and learns of it first of all when it wakes', () => {
    const { ether, a, b, c } = three();
    c.isFrozen = true;
    ether.pass(stopMillis + marginMillis - 100);
    assert.deepEqual(nodesIn(a), [1, 2, 3]);
    ether.pass(200);
    assert.deepEqual([nodesIn(a), nodesIn(b)], [[1, 2], [1, 2]]);
    assert.deepEqual(a.last!.leftCleanly, []);
  });

  it('the lowest may be the silent one', () => {
    const { ether, a, b, c } = three();
    a.isFrozen = true;
    ether.pass(stopMillis + marginMillis + 100);
    assert.deepEqual([nodesIn(b), nodesIn(c)], [[2, 3], [2, 3]]);
  });

  it('who is heard before the word that it is silent stays', () => {
    const { ether, a, c } = three();
    ether.now += stopMillis + marginMillis;
    for (const one of [c, a]) one.heed(one.group.hear(ether.now, c, { say: 'beat', count: 1 }));
    const late = { say: 'out', epoch: a.group.epoch, node: 3, pid: c.pid, life: c.life, heard: 0, reason: 'it was not heard' } as const;
    for (const one of [c, a]) one.heed(one.group.hear(ether.now, a, late));
    assert.equal(c.outFor, null);
  });

  it('whom an operator declares gone is out, and has not left', () => {
    const { ether, a, b, c } = three();
    const word = a.group.expulsion(c.life, 'the rack burns')!;
    for (const one of [a, b, c]) one.heed(one.group.hear(ether.now, a, word));
    ether.settle();
    assert.equal(c.outFor, 'the rack burns');
    assert.deepEqual([nodesIn(a), a.last!.leftCleanly], [[1, 2], []]);
  });
});

/** Whatever happens, in an order that a seed draws: two views never have one number, and each follows the one before. */
describe('the group on corosync: a storm', () => {
  const seeds = Array.from({ length: 100 }, (_, at) => at + 1);
  const seen = { outs: 0, divided: 0, ended: 0, crossed: 0, views: 0 };

  it('in every order of joins, ends and divisions the views agree', () => {
    for (const seed of seeds) storm(seed, seen);
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 30, `${what} happened ${count} times`);
  });
});

function storm(seed: number, seen: Record<'outs' | 'divided' | 'ended' | 'crossed' | 'views', number>): void {
  const draw = drawing(seed);
  const nodes = [1, 2, 3, 4, 5];
  const ether = new Ether(nodes);
  const all: Player[] = [];
  for (let step = 0; step < 40; step += 1) {
    const what = draw(6);
    const one = ether.everybody[draw(Math.max(1, ether.everybody.length))];
    if (what < 2) {
      const node = nodes.find((number) => ether.everybody.every((player) => player.node !== number));
      if (node !== undefined) all.push(ether.enter(node));
    } else if (what === 2 && one !== undefined) {
      ether.end(one);
      seen.ended += 1;
    } else if (what === 3 && one !== undefined) one.lockspaces = [['x', step]];
    else if (what === 4) {
      if (one !== undefined) one.lockspaces = [['x', step]];
      for (let turns = draw(4); turns > 0; turns -= 1) ether.turn();
      ether.speak();
      const places = nodes.map(() => draw(3));
      const pieces = [0, 1, 2].map((place) => nodes.filter((_, at) => places[at] === place)).filter((piece) => piece.length > 0);
      const deaf = draw(4);
      if (ether.isViewUnderWay) seen.crossed += 1;
      ether.divide(pieces, (piece) => piece.length !== deaf);
      seen.divided += 1;
    }
    if (draw(3) > 0) ether.settle();
    if (draw(4) === 0) ether.pass(draw(4) * 500);
  }
  ether.divide([nodes]);
  ether.pass(2 * (stopMillis + marginMillis));
  seen.outs += all.filter(({ outFor }) => outFor !== null).length;
  agree(all, ether, seed, seen);
}

function agree(all: readonly Player[], ether: Ether, seed: number, seen: { views: number }): void {
  const byNumber = new Map(all.flatMap(({ views }) => views).map((entry) => [entry.id, entry]));
  for (const { views } of all) {
    for (const [at, entry] of views.entries()) {
      seen.views += 1;
      assert.deepEqual(entry, byNumber.get(entry.id), `seed ${seed}: there are two views ${entry.id}`);
      if (at > 0) assert.equal(entry.before, views[at - 1]!.id, `seed ${seed}: a view is missing`);
    }
  }
  // Who goes on after a stop does so alone, unless all others had stopped there, too: then he must stop again before he can.
  const stopsBefore = (id: number): boolean[] => ether.everybody.flatMap(({ told }) => (told.indexOf(id) > 0 ? [told[told.indexOf(id) - 1]! < 0] : []));
  for (const { told } of ether.everybody) {
    for (const [at, id] of told.entries()) {
      if (id < 0 || at === 0 || told[at - 1]! > 0 || (told[at + 1] ?? id) < 0) continue;
      assert.ok(!stopsBefore(id).includes(false), `seed ${seed}: some had stopped before view ${id} and others had not`);
    }
  }
  // In the end there is one part, and everybody in it is in one view.
  const last = ether.everybody[0]?.last?.id;
  for (const player of ether.everybody) assert.equal(player.last?.id, last, `seed ${seed}: node ${player.node} stands elsewhere`);
}

function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

/**
 * What every engine must do, whichever it is: run by one test file an engine.
 *
 * Members are real processes, and deaths are real. After each story, what all its
 * members were given is held against the promises of engine.ts (`Cast.check`).
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Cast, type Places } from './cast.js';
import type { Opening } from './member.js';

export interface EngineKind {
  readonly name: string;
  /** A member that is stopped is out after a while, and not for as long as its process lives. The engine's own tests say more. */
  readonly losesStopped?: true;
  /** Where its members run, if not anywhere on this machine. Number 4711 is among them. */
  readonly places?: Places;
  /** A cluster that nobody has joined yet, and that is gone after the test. */
  open(test: TestContext): Opening;
}

export function story(kind: EngineKind, name: string, play: (cast: Cast, test: TestContext) => Promise<void>): void {
  it(name, async (test) => {
    const cast = new Cast(test, kind.open(test), kind.places);
    await play(cast, test);
    cast.check();
  });
}

export function engineSuite(kind: EngineKind): void {
  const tell = (name: string, play: (cast: Cast) => Promise<void>): void => story(kind, name, play);

  describe(`the ${kind.name} engine: joining`, () => {
    tell('one member: it has number 1, and a quorate view of itself', async (cast) => {
      const a = await cast.join('a');
      assert.equal(a.node, 1);
      assert.notEqual(a.deadline, null);
      const { id, isQuorate, members, leftCleanly } = a.views[0]!;
      assert.ok(id > 0);
      assert.equal(isQuorate, true);
      assert.deepEqual(leftCleanly, []);
      assert.deepEqual(members, [{ node: 1, incarnation: 1, name: 'a', address: 'a:1', weight: 1, lockspaces: {} }]);
    });

    tell('two members see each other in the same view', async (cast) => {
      const [a, b] = (await cast.joinAll('a', 'b')) as [typeof cast.actors[0], typeof cast.actors[0]];
      assert.deepEqual(a.last, b.last);
      assert.equal(a.views.length, 2);
      assert.equal(b.views.length, 1);
    });

    tell('a number that is asked for is given, otherwise the lowest that is free', async (cast) => {
      const a = await cast.join('a', 2);
      const b = await cast.join('b');
      const c = await cast.join('c');
      const d = await cast.join('d', 4711);
      assert.deepEqual([a.node, b.node, c.node, d.node], [2, 1, 3, 4711]);
    });

    tell('a number or a name that a member has is refused, and that changes nothing', async (cast) => {
      const a = await cast.join('a', 1);
      await assert.rejects(cast.join('b', 1), { code: 'DLM_NODE_EXISTS', message: /number 1 is taken: node 1 \(a\)/ });
      await assert.rejects(cast.join('a', 2), { code: 'DLM_NODE_EXISTS', message: /name a is taken/ });
      await cast.join('c', 3);
      await a.seesMembers('a', 'c');
      assert.equal(a.views.length, 2);
    });

    const crowd = kind.places?.numbers ?? Array.from({ length: 20 }, (_, at) => at + 1);
    tell(`${crowd.length} at once all become members, with ${crowd.length} numbers`, async (cast) => {
      const stages = kind.places === undefined ? Array.from({ length: 5 }, () => cast.stage()) : [];
      const names = crowd.map((_, at) => `n${at}`);
      const actors = names.map((name, at) => cast.actor(name, 'auto', stages[at % stages.length]));
      await Promise.all(actors.map((actor) => actor.join()));
      for (const actor of actors) await actor.seesMembers(...names);
      assert.deepEqual(actors.map(({ node }) => node).sort((a, b) => a - b), crowd);
    });
  });

  describe(`the ${kind.name} engine: lockspaces`, () => {
    tell('what a member announces, all see, and it itself', async (cast) => {
      const [a, b] = (await cast.joinAll('a', 'b')) as [typeof cast.actors[0], typeof cast.actors[0]];
      await a.announce({ x: 1, y: 1 });
      for (const one of [a, b]) await one.sees('x and y of a', () => one.last.members[0]!.lockspaces['y'] === 1);
      await b.announce({ x: 1 });
      await a.announce({ x: 2 });
      for (const one of [a, b]) {
        await one.sees('the second join', () => one.last.members[0]!.lockspaces['x'] === 2 && one.last.members[1]!.lockspaces['x'] === 1);
      }
      assert.deepEqual(a.last.members[0]!.lockspaces, { x: 2 });
    });

    tell('of many announcements the last one stands, for those who come later too', async (cast) => {
      const a = await cast.join('a');
      for (let join = 1; join <= 50; join += 1) void a.announce({ x: join });
      await a.sees('the last', () => a.last.members[0]!.lockspaces['x'] === 50);
      const b = await cast.join('b');
      assert.deepEqual(b.views[0]!.members[0]!.lockspaces, { x: 50 });
    });
  });

  describe(`the ${kind.name} engine: leaving and dying`, () => {
    tell('who leaves is named as having left, once', async (cast) => {
      const [a, b, c] = await cast.joinAll('a', 'b', 'c');
      await b!.leave();
      for (const one of [a!, c!]) {
        await one.seesMembers('a', 'c');
        assert.deepEqual(one.last.leftCleanly, [2]);
      }
      const d = await cast.join('d');
      assert.equal(d.node, 2);
      assert.deepEqual(d.views[0]!.leftCleanly, []);
      assert.equal(b!.lost, null);
      assert.equal(b!.views.length, 2);
    });

    tell('who is killed is gone, and not named as having left', async (cast) => {
      const [a, b, c] = await cast.joinAll('a', 'b', 'c');
      await c!.stage.kill();
      for (const one of [a!, b!]) {
        await one.seesMembers('a', 'b');
        assert.deepEqual(one.last.leftCleanly, []);
      }
    });

    tell('who is killed and comes back at once is first gone, then there anew', async (cast) => {
      const a = await cast.join('a', 1);
      const b = await cast.join('b', 2);
      for (let life = 0; life < 3; life += 1) {
        const next = cast.actor('b', 2);
        await cast.actors.at(-2)!.stage.kill();
        await next.join();
        await a.sees('the new life', () => a.last.members[1]?.incarnation === next.wish.incarnation);
      }
      const lives = a.views.map(({ members }) => members[1]?.incarnation ?? null);
      assert.deepEqual(lives, [null, b.wish.incarnation, null, 3, null, 4, null, 5]);
    });

    tell('numbers of views rise over the end of everybody, by leaving and by dying', async (cast) => {
      const a = await cast.join('a');
      await a.leave();
      const b = await cast.join('b');
      assert.ok(b.views[0]!.id > a.last.id);
      assert.deepEqual(b.views[0]!.members.map(({ name }) => name), ['b']);
      await b.stage.kill();
      const c = await cast.join('c');
      await c.seesMembers('c');
      assert.ok(c.views[0]!.id > b.last.id);
    });

    if (kind.losesStopped !== true) tell('who is stopped is a member; let go on, it is given all it has missed', async (cast) => {
      const [a, , c] = await cast.joinAll('a', 'b', 'c');
      await c!.stage.stop();
      await a!.announce({ x: 1 });
      await cast.join('d');
      await cast.actors[1]!.stage.kill();
      await a!.seesMembers('a', 'c', 'd');
      c!.stage.goOn();
      await c!.seesMembers('a', 'c', 'd');
      assert.deepEqual(c!.last, a!.last);
    });

    tell('who is killed while it is stopped is gone', async (cast) => {
      const [a, b] = await cast.joinAll('a', 'b');
      await b!.stage.stop();
      await b!.stage.kill();
      await a!.seesMembers('a');
    });
  });
}

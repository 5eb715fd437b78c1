/**
 * What is particular to the local engine: its registrar is one of the members, and
 * can leave, die or be stopped like any other.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, type TestContext } from 'node:test';
import { until } from '../kill/processes.js';
import type { Actor, Cast } from './cast.js';
import { localAt, registrarOf } from './local-kind.js';
import { story } from './suite.js';
import type { ClusterPlaces } from '../../src/core/host/engine/cluster-places.js';

function tell(name: string, play: (cast: Cast, places: ClusterPlaces, test: TestContext) => Promise<void>, joinMillis?: number): void {
  // The places are made with the cluster of each test, before its story is played.
  let places: ClusterPlaces;
  const kind = {
    name: 'local',
    open: (test: TestContext) => {
      const at = localAt(test, joinMillis);
      places = at.places;
      return at.kind.open(test);
    },
  };
  story(kind, name, (cast, test) => play(cast, places, test));
}

const others = (actors: readonly Actor[], but: Actor): Actor[] => actors.filter((one) => one !== but);
const named = (actors: readonly Actor[]): string[] => actors.map(({ wish }) => wish.name);

describe('the registrar of a local cluster', () => {
  tell('is killed: the survivors are given the same next views, and numbers rise', async (cast, places) => {
    let actors = await cast.joinAll('a', 'b', 'c', 'd');
    while (actors.length > 1) {
      const registrar = registrarOf(places, actors);
      const before = registrar.last;
      actors = others(actors, registrar);
      await registrar.stage.kill();
      for (const one of actors) {
        await one.seesMembers(...named(actors));
        assert.ok(one.last.id > before.id);
        assert.deepEqual(one.last.leftCleanly, []);
        assert.deepEqual(one.last, actors[0]!.last);
      }
    }
    const e = await cast.join('e');
    await actors[0]!.seesMembers(actors[0]!.wish.name, 'e');
    assert.deepEqual(e.views[0], actors[0]!.last);
  });

  tell('leaves in good order: it is named as having left, and another takes its place', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b', 'c');
    const registrar = registrarOf(places, actors);
    await registrar.leave();
    const rest = others(actors, registrar);
    for (const one of rest) {
      await one.seesMembers(...named(rest));
      assert.deepEqual(one.last.leftCleanly, [registrar.node]);
    }
    await cast.join('d');
    for (const one of rest) await one.seesMembers('d', ...named(rest));
  });

  tell('is killed while a member is stopped: nobody waits for that one, and it misses nothing', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b', 'c');
    const registrar = registrarOf(places, actors);
    const [free, stopped] = others(actors, registrar) as [Actor, Actor];
    await stopped.stage.stop();
    await registrar.stage.kill();
    await free.seesMembers(free.wish.name, stopped.wish.name);
    const d = await cast.join('d');
    await free.announce({ x: 1 });
    await d.sees('x', () => d.last.members.some(({ lockspaces }) => lockspaces['x'] === 1));

    stopped.stage.goOn();
    await stopped.sees('all that happened', () => stopped.last.id === d.last.id);
    await stopped.announce({ y: 1 });
    for (const one of [free, stopped, d]) await one.sees('y', () => one.last.members.some(({ lockspaces }) => lockspaces['y'] === 1));
  });

  tell('is killed while a member is stopped, and that one is killed too', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b', 'c');
    const registrar = registrarOf(places, actors);
    const [free, stopped] = others(actors, registrar) as [Actor, Actor];
    await stopped.stage.stop();
    await registrar.stage.kill();
    await free.seesMembers(free.wish.name, stopped.wish.name);
    await stopped.stage.kill();
    await free.seesMembers(free.wish.name);
  });

  tell('is killed together with a member', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b', 'c', 'd');
    const registrar = registrarOf(places, actors);
    const [victim, ...rest] = others(actors, registrar) as [Actor, ...Actor[]];
    await Promise.all([registrar.stage.kill(), victim.stage.kill()]);
    for (const one of rest) await one.seesMembers(...named(rest));
  });

  tell('is killed while others join: all of them get in, and agree', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b');
    const registrar = registrarOf(places, actors);
    const joining = ['c', 'd', 'e', 'f', 'g', 'h'].map((name) => cast.actor(name));
    const joined = Promise.all(joining.map((one) => one.join()));
    const [rest] = others(actors, registrar) as [Actor];
    await rest.sees('the first of them', () => rest.last.members.length > 2);
    await registrar.stage.kill();
    await joined;
    const all = [rest, ...joining];
    for (const one of all) await one.seesMembers(...named(all));
  });

  tell('is killed when a newcomer is quicker than the members: that one takes over, with all of them in', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b', 'c');
    const registrar = registrarOf(places, actors);
    const rest = others(actors, registrar);
    for (const one of rest) await one.stage.stop();
    await registrar.stage.kill();
    const d = await cast.join('d');
    assert.equal(registrarOf(places, [d]), d);
    await d.seesMembers('d', ...named(rest));
    for (const one of rest) one.stage.goOn();
    for (const one of rest) await one.seesMembers('d', ...named(rest));
  });

  tell('is stopped: who wants to join is told who does not answer, and afterwards all goes on', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b');
    const registrar = registrarOf(places, actors);
    const [other] = others(actors, registrar) as [Actor];
    await registrar.stage.stop();
    await assert.rejects(cast.join('c'), { code: 'DLM_NO_NODE', message: new RegExp(`process ${registrar.stage.pid},? does not answer`) });
    assert.equal(other.lost, null);
    registrar.stage.goOn();
    await cast.join('d');
    await other.seesMembers('a', 'b', 'd');
    await registrar.stage.stop();
    await registrar.stage.kill();
    await other.seesMembers(other.wish.name, 'd');
  }, 5_000);

  tell('loses its socket: it is found again', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b');
    rmSync(places.socket);
    await cast.join('c');
    for (const one of actors) await one.seesMembers('a', 'b', 'c');
  });
});

describe('the folder of a local cluster', () => {
  tell('is removed: all its members are out', async (cast, places) => {
    const actors = await cast.joinAll('a', 'b');
    rmSync(places.folder, { recursive: true });
    for (const one of actors) {
      await one.sees('that it is out', () => one.lost !== null);
      assert.match(one.lost!, /was removed or replaced/);
    }
    const c = await cast.join('c');
    assert.deepEqual(c.views[0]!.members.map(({ name }) => name), ['c']);
  });

  tell('has a journal that breaks off in the middle of a line: that view never was', async (cast, places) => {
    const [a] = await cast.joinAll('a', 'b');
    const registrar = registrarOf(places, cast.actors);
    const [other] = others(cast.actors, registrar) as [Actor];
    await registrar.stage.stop();
    writeFileSync(places.journal, `{"id":${a!.last.id + 1},"members":[`, { flag: 'a' });
    await registrar.stage.kill();
    await other.seesMembers(other.wish.name);
  });

  tell('has a damaged journal: nobody joins by it, and it is said why', async (cast, places) => {
    const a = await cast.join('a');
    await a.leave();
    writeFileSync(places.journal, readFileSync(places.journal, 'utf8').replace('"members"', '"mumbers"'));
    await assert.rejects(cast.join('b'), { code: 'DLM_STATE_UNUSABLE', message: /is damaged/ });
  });

  tell('has a journal of before the machine was restarted: its members are gone, its numbers go on', async (cast, places) => {
    const [a] = await cast.joinAll('a', 'b');
    for (const { stage } of cast.actors) await stage.stop();
    await registrarOf(places, cast.actors).stage.kill();
    writeFileSync(places.journal, readFileSync(places.journal, 'utf8').replace(/"boot":"[^"]*"/, '"boot":"earlier"'));
    const c = await cast.join('c');
    assert.deepEqual(c.views[0]!.members.map(({ name }) => name), ['c']);
    assert.ok(c.views[0]!.id > a!.last.id);
  });

  tell('has a journal of another pid namespace: its members cannot be verified, and nobody joins', async (cast, places) => {
    const [a] = await cast.joinAll('a', 'b');
    for (const { stage } of cast.actors) await stage.stop();
    await registrarOf(places, cast.actors).stage.kill();
    const journal = readFileSync(places.journal, 'utf8');
    writeFileSync(places.journal, journal.replace(/"pidns":"[^"]*"/, '"pidns":"1"'));
    await assert.rejects(cast.join('c'), { code: 'DLM_NOT_PERMITTED', message: /another pid namespace/ });
    writeFileSync(places.journal, journal);
    const d = await cast.join('d');
    assert.ok(d.views[0]!.id > a!.last.id);
    await until('only who lives is left', () => d.last.members.length === 2);
  });
});

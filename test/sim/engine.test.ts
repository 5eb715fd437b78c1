/**
 * The engine shows every member the same views in the same order, needs a majority
 * for each, and shows a life gone before the next one of that node comes.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { incarnation, millis, nodeId, type NodeId } from '../../src/core/base/ids.js';
import { Prng } from '../../src/core/base/prng.js';
import { Agenda } from '../../src/core/sim/agenda.js';
import { Engine, type EngineOptions } from '../../src/core/sim/engine.js';

/** Nodes that only listen. Lives are written as node.incarnation. */
function stage(count: number, options: Partial<EngineOptions> = {}) {
  const agenda = new Agenda();
  const nodes = Array.from({ length: count }, (_, index) => nodeId(index + 1));
  const down = new Set<NodeId>(nodes);
  const cuts = new Set<string>();
  const decided: string[] = [];
  const told = new Map<number, number[]>();
  const lives = new Map<NodeId, number>();
  const engine: Engine = new Engine(nodes, { detectMillis: 100, newsMillis: 30, ...options }, agenda, new Prng('engine'), {
    isAwake: (node) => !down.has(node),
    areConnected: (one, other) => !cuts.has(`${one}-${other}`) && !cuts.has(`${other}-${one}`),
    tell: (life, { id }) => told.set(life, [...(told.get(life) ?? []), id]),
    decided: ({ isQuorate }, members) => {
      decided.push(`${isQuorate ? '' : 'not quorate: '}${members.map(({ node, incarnation: life }) => `${node}.${life}`).join(' ')}`);
    },
  });
  const start = (node: NodeId): void => {
    const life = (lives.get(node) ?? 0) + 1;
    lives.set(node, life);
    down.delete(node);
    engine.apply({ node, incarnation: incarnation(life), life: node * 100 + life, weight: 1, lockspaces: new Map() });
    engine.disturbed();
  };
  const stop = (node: NodeId): void => {
    down.add(node);
    engine.disturbed();
  };
  const pass = (time: number): string[] => {
    agenda.runUntil(millis(agenda.now + time));
    return decided.splice(0);
  };
  return { engine, nodes, start, stop, pass, cuts, told, down };
}

describe('the engine', () => {
  test('shows nothing until there is a majority', () => {
    const { nodes, start, pass } = stage(3);
    start(nodes[0]!);
    assert.deepEqual(pass(1000), []);
    start(nodes[1]!);
    assert.deepEqual(pass(1000), ['1.1 2.1']);
  });

  test('leaves out who is gone for long enough, and nobody before', () => {
    const { nodes, start, stop, pass } = stage(3);
    for (const node of nodes) start(node);
    assert.equal(pass(1000).at(-1), '1.1 2.1 3.1');
    stop(nodes[2]!);
    assert.deepEqual(pass(90), []);
    assert.deepEqual(pass(500), ['1.1 2.1']);
  });

  test('shows a quick restart as a departure and an arrival', () => {
    const { nodes, start, stop, pass } = stage(3);
    for (const node of nodes) start(node);
    pass(1000);
    stop(nodes[2]!);
    pass(10);
    start(nodes[2]!);
    assert.deepEqual(pass(1000), ['1.1 2.1', '1.1 2.1 3.2']);
  });

  test('whoever stops alone is told so, and all are before they go on with him', () => {
    const { nodes, start, pass, cuts, told, engine } = stage(3, { stopsAlone: true });
    for (const node of nodes) start(node);
    pass(1000);
    const last = told.get(301)!.at(-1)!;
    for (const other of [1, 2]) cuts.add(`3-${other}`);
    engine.disturbed();
    pass(50);
    assert.deepEqual([told.get(101)!.at(-1), told.get(301)!.slice(-2)], [last, [last, last + 1]]);
    cuts.clear();
    engine.disturbed();
    assert.deepEqual(pass(1000), ['1.1 2.1 3.1']);
    for (const life of [101, 201, 301]) assert.deepEqual(told.get(life)!.slice(-3), [last, last + 1, last + 2]);
  });

  test('shows nothing to a minority', () => {
    const { nodes, start, pass, cuts, told, engine } = stage(5);
    for (const node of nodes) start(node);
    pass(1000);
    const before = told.get(101)!.length;
    for (const few of [1, 2]) for (const many of [3, 4, 5]) cuts.add(`${few}-${many}`);
    engine.disturbed();
    assert.deepEqual(pass(1000), ['3.1 4.1 5.1']);
    assert.equal(told.get(101)!.length, before);
  });

  test('leaves out one of two who do not hear each other', () => {
    const { nodes, start, pass, cuts, engine } = stage(3);
    for (const node of nodes) start(node);
    pass(1000);
    cuts.add('2-1');
    engine.disturbed();
    assert.deepEqual(pass(1000), ['1.1 3.1']);
  });

  test('tells everybody all views from the first one on, in order', () => {
    const { nodes, start, stop, pass, told } = stage(3);
    for (const node of nodes) start(node);
    for (let round = 0; round < 20; round += 1) {
      pass(7);
      stop(nodes[2]!);
      pass(3);
      start(nodes[2]!);
    }
    pass(2000);
    for (const life of [101, 201]) {
      const views = told.get(life)!;
      assert.deepEqual(views, Array.from({ length: views.length }, (_, index) => views[0]! + index));
      assert.ok(views.length > 20);
    }
  });

  test('a view without a majority says so', () => {
    const { nodes, start, stop, pass } = stage(3);
    for (const node of nodes) start(node);
    pass(1000);
    for (const node of nodes.slice(1)) stop(node);
    pass(10);
    for (const node of nodes.slice(1)) start(node);
    assert.deepEqual(pass(1000)[0], 'not quorate: 1.1');
  });
});

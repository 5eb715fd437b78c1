/**
 * The network does what was drawn for it, the same for the same seed; and a link
 * makes of it messages that arrive in order, once each.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { incarnation, lockspaceId, millis, nodeId, viewId, type NodeId } from '../../src/core/base/ids.js';
import { Prng } from '../../src/core/base/prng.js';
import { Agenda } from '../../src/core/sim/agenda.js';
import { Link, noCounts, type Frame } from '../../src/core/sim/link.js';
import { Network, type NetworkOptions } from '../../src/core/sim/network.js';
import type { Message } from '../../src/core/wire/message.js';

const [one, two] = [nodeId(1), nodeId(2)];
const bad: NetworkOptions = { delayMin: 1, delayMax: 50, lossPerMille: 200, repeatPerMille: 200, strayPerMille: 50 };
const good: NetworkOptions = { delayMin: 5, delayMax: 5, lossPerMille: 0, repeatPerMille: 0, strayPerMille: 0 };

function newNetwork(options: NetworkOptions, seed = 'n') {
  const agenda = new Agenda();
  const arrived: string[] = [];
  const network = new Network<string>(options, agenda, new Prng(seed), (to, frame) => arrived.push(`${agenda.now} ${to} ${frame}`));
  return { agenda, arrived, network };
}

describe('the network', () => {
  const story = (seed: string): string[] => {
    const { agenda, arrived, network } = newNetwork(bad, seed);
    for (let count = 0; count < 200; count += 1) network.send(one, two, `f${count}`);
    agenda.runUntil(millis(1000));
    assert.ok(network.counts.lost > 20 && network.counts.repeated > 20);
    return arrived;
  };

  test('the same seed loses, repeats and delays the same frames', () => {
    assert.deepEqual(story('a'), story('a'));
    assert.notDeepEqual(story('a'), story('b'));
  });

  test('frames overtake one another', () => {
    const numbers = story('a').map((line) => Number(line.split('f')[1]));
    assert.notDeepEqual(numbers, [...numbers].sort((left, right) => left - right));
  });

  test('a cut has a direction, a clog keeps frames until it is gone', () => {
    const { agenda, arrived, network } = newNetwork(good);
    network.cut(one, two);
    network.clog(two, one, millis(100));
    network.send(one, two, 'swallowed');
    network.send(two, one, 'kept');
    assert.equal(network.areConnected(one, two), false);
    agenda.runUntil(millis(99));
    assert.deepEqual(arrived, []);
    network.heal();
    network.send(one, two, 'through');
    agenda.runUntil(millis(200));
    assert.deepEqual(arrived, ['104 2 through', '105 1 kept']);
    assert.equal(network.areConnected(one, two), true);
  });
});

const message = (number: number): Message => ({ kind: 'purge', lockspace: lockspaceId(1), seq: viewId(number), formerOwner: null });

/** Two lives that talk over a bad network. */
function pair(options: NetworkOptions, seed = 'pair') {
  const agenda = new Agenda();
  const counts = noCounts();
  const links = new Map<NodeId, Link>();
  const network = new Network<Frame>(options, agenda, new Prng(seed), (to, frame) => links.get(to)?.receive(frame));
  const heard: string[] = [];
  const begin = (node: NodeId, life: number): Link => {
    const link = new Link(
      node,
      incarnation(life),
      {
        now: () => agenda.now,
        transmit: (frame) => network.send(frame.from, frame.to, frame),
        deliver: (from, _life, { seq }) => heard.push(`${from}>${node}.${life} ${seq}`),
        after: (delay, action) => agenda.after(delay, () => links.get(node) === link && action()),
      },
      counts,
    );
    links.set(node, link);
    return link;
  };
  return { agenda, counts, heard, begin };
}

const say = (from: Link, number: number): void => {
  from.send(two, message(number));
  from.flush();
};

const members = (...lives: [NodeId, number][]) => new Map(lives.map(([node, life]) => [node, incarnation(life)]));

describe('a link', () => {
  test('hands on every message once and in order, whatever the network does', () => {
    const { agenda, counts, heard, begin } = pair(bad);
    const from = begin(one, 1);
    const to = begin(two, 1);
    from.enter(members([two, 1]));
    to.enter(members([one, 1]));
    for (let number = 1; number <= 300; number += 1) agenda.after(number, () => say(from, number));
    agenda.runUntil(millis(60_000));
    assert.deepEqual(heard, Array.from({ length: 300 }, (_, index) => `1>2.1 ${index + 1}`));
    assert.ok(counts.resent > 0 && counts.repeated > 0, JSON.stringify(counts));
    assert.ok(from.isIdle && to.isIdle);
  });

  test('what a life says before the view has it in it waits for the view', () => {
    const { agenda, heard, begin } = pair(good);
    const from = begin(one, 1);
    const to = begin(two, 1);
    from.enter(members([two, 1]));
    say(from, 1);
    agenda.runUntil(millis(1000));
    assert.deepEqual(heard, []);
    to.enter(members([one, 1]));
    to.release();
    assert.deepEqual(heard, ['1>2.1 1']);
  });

  test('nothing of a life that was left out is heard, and nothing is said to it', () => {
    const { agenda, counts, heard, begin } = pair(good);
    const from = begin(one, 1);
    const to = begin(two, 1);
    from.enter(members([two, 1]));
    to.enter(members([one, 1]));
    say(from, 1);
    to.enter(members());
    agenda.runUntil(millis(1000));
    assert.deepEqual(heard, []);
    assert.ok(counts.stale > 0);
    assert.equal(to.send(one, message(2)), false);

    const again = begin(one, 2);
    again.enter(members([two, 1]));
    to.enter(members([one, 2]));
    say(again, 3);
    agenda.runUntil(millis(2000));
    assert.deepEqual(heard, ['1>2.1 3']);
  });
});

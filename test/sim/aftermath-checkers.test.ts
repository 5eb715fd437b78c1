/**
 * The checkers of what follows failures complain of what they are there for, and of
 * nothing else: for every property stories that keep it, and mutants that break it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation, millis } from '../../src/core/base/ids.js';
import { EX, IV } from '../../src/core/lock/mode.js';
import type { SimEvent } from '../../src/core/sim/event.js';
import { application, asks, audit, decides, decidesJoins, ends, fences, hears, holds, joins, leaves, quiet, recovers, replays, silent, starts, takes, tellOf, writes } from './story.js';

type Story = readonly (SimEvent | SimEvent[])[];

const at = millis(0);
const orders = { none: { order: 'none', stopMillis: null }, gfs: { order: 'gfs', stopMillis: null }, fenceFirst: { order: 'fence-first', stopMillis: null }, stops: { order: 'none', stopMillis: 100 } };

const keeps = (order: keyof typeof orders, says: string, ...story: Story): void => {
  test(`right: ${says}`, () => assert.deepEqual(tellOf(orders[order], ...story), null));
};

const breaks = (property: string, order: keyof typeof orders, says: string, ...story: Story): void => {
  test(`wrong: ${says}`, () => {
    const broken = tellOf(orders[order], ...story);
    assert.equal(broken?.property, property, broken?.message ?? 'nobody complained');
  });
};

const crashed = (life: number): SimEvent => ({ kind: 'crashed', at, life });
const outside = (life: number, view: number): SimEvent => ({ ...hears(life, view), isQuorate: false }) as SimEvent;

/** Lives 1, 2 and 3, each on the node of its number, and a view that lacks 3. */
const three: Story = [starts(1), starts(2), starts(3), decides(2, [1, 2, 3]), hears(1, 2), hears(2, 2), hears(3, 2), recovers(1), recovers(2), recovers(3)];
const death: Story = [decides(3, [1, 2], [3]), hears(1, 3), hears(2, 3)];

describe('a lock of the dead', () => {
  const dead: Story = [...three, holds(3, 3, EX), ...death, asks(1, 1, 'lock', EX)];
  keeps('fenceFirst', 'is granted when its holder is fenced', ...dead, fences(1, 3, 'begun'), fences(1, 3, 'off'), recovers(1), ends(1, 1, 'OK', EX, { sequence: 9 }));
  breaks('departed', 'fenceFirst', 'is granted when its holder is not fenced', ...dead, recovers(1), ends(1, 1, 'OK', EX, { sequence: 9 }));
  breaks('departed', 'gfs', 'is granted while all are suspended', ...dead, fences(1, 3, 'begun'), fences(1, 3, 'off'), recovers(1), ends(1, 1, 'OK', EX, { sequence: 9 }));
  keeps('gfs', 'is granted when somebody has resumed', ...dead, fences(1, 3, 'begun'), fences(1, 3, 'off'), recovers(2), takes(2, 'resume', 'ended', 3), recovers(1), ends(1, 1, 'OK', EX, { sequence: 9 }));
});

describe('order', () => {
  const running: Story = [...three, application(1, 'running'), application(2, 'running'), application(3, 'running'), ...death, application(1, 'suspended')];
  const fenced: Story = [fences(1, 3, 'begun'), fences(1, 3, 'off')];
  const suspended: Story = [...running, application(2, 'suspended')];
  keeps('gfs', 'locks are recovered when all have suspended', ...suspended, takes(1, 'dlm', 'begun', 3));
  breaks('order', 'gfs', 'locks are recovered while somebody runs', ...running, takes(1, 'dlm', 'begun', 3));
  keeps('gfs', 'a crashed member need not suspend', ...running, crashed(2), takes(1, 'dlm', 'begun', 3));
  breaks('order', 'fenceFirst', 'locks are recovered before the fence', ...three, ...death, takes(1, 'dlm', 'begun', 3));
  keeps('fenceFirst', 'after a lie as after the truth', ...three, ...death, fences(1, 3, 'begun'), fences(1, 3, 'lie'), takes(1, 'dlm', 'begun', 3));
  keeps('fenceFirst', 'a later life of the node is as good as a fence', ...three, ...death, starts(4, 3), decides(4, [1, 2, 4]), hears(1, 4), takes(1, 'dlm', 'begun', 4));
  breaks('order', 'gfs', 'data is put in order before the fence', ...suspended, recovers(1), replays(1, 3, 3, 'begun'));
  keeps('gfs', 'data is put in order after the fence', ...suspended, recovers(1), ...fenced, replays(1, 3, 3, 'begun'));
  const one: Story = [...suspended, recovers(1), ...fenced, replays(1, 3, 3, 'begun')];
  breaks('order', 'gfs', 'data is put in order by two at once', ...one, replays(2, 3, 3, 'begun'));
  keeps('gfs', 'another one goes on when the first has failed', ...one, replays(1, 3, 3, 'failed'), replays(2, 3, 3, 'begun'));
  keeps('gfs', 'another one goes on when the first has crashed', ...one, crashed(1), replays(2, 3, 3, 'begun'));
  breaks('order', 'gfs', 'applications resume before data is in order', ...suspended, recovers(1), ...fenced, takes(1, 'resume', 'ended', 3));
  keeps('gfs', 'applications resume when data is in order', ...suspended, recovers(1), ...fenced, replays(1, 3, 3, 'begun'), replays(1, 3, 3, 'done'), takes(1, 'resume', 'ended', 3));
});

describe('order, where an application dies and its node goes on', () => {
  const dies: Story = [...three, application(1, 'running'), application(2, 'running'), application(3, 'running'), application(3, 'gone'), { ...leaves(3), isFailed: true } as SimEvent];
  const shown: Story = [...dies, decidesJoins(3, { 1: 1, 2: 1 }, [1, 2, 3]), hears(1, 3), hears(2, 3)];
  const suspended: Story = [application(1, 'suspended'), application(2, 'suspended'), takes(1, 'dlm', 'begun', 3), recovers(1)];
  breaks('order', 'gfs', 'locks are recovered while somebody runs', ...shown, takes(1, 'dlm', 'begun', 3));
  breaks('order', 'gfs', 'applications resume before data is in order', ...shown, ...suspended, takes(1, 'resume', 'ended', 3));
  keeps('gfs', 'applications resume when data is in order', ...shown, ...suspended, replays(1, 3, 3, 'begun'), replays(1, 3, 3, 'done'), takes(1, 'resume', 'ended', 3));
  const andNode: Story = [...dies, ...death, ...suspended, fences(1, 3, 'begun'), fences(1, 3, 'off')];
  breaks('order', 'gfs', 'its node dies before a view shows it, and its data is not in order', ...andNode, takes(1, 'resume', 'ended', 3));
  const back: Story = [joins(3), decidesJoins(4, { 2: 1, 3: 2 }, [1, 2, 3]), hears(2, 4), hears(3, 4)];
  const knowing = (...first: Story): Story => [starts(1), starts(2), starts(3), decidesJoins(2, { 1: 1, 2: 1, 3: 1 }, [1, 2, 3]), hears(1, 2), hears(2, 2), hears(3, 2), recovers(1), recovers(3), ...first,
    application(3, 'running'), application(3, 'gone'), { ...leaves(3), isFailed: true } as SimEvent, decidesJoins(3, { 1: 1, 2: 1 }, [1, 2, 3]), hears(1, 3), hears(2, 3),
    ...back, recovers(2), takes(2, 'resume', 'ended', 4)];
  breaks('order', 'gfs', 'and it has come back when applications resume', ...knowing(recovers(2)));
  keeps('gfs', 'nobody is left who knew it before that (seed 91003151)', ...knowing());
  keeps('gfs', 'it has touched nothing', ...three, application(1, 'running'), application(3, 'suspended'), { ...leaves(3), isFailed: true } as SimEvent,
    decidesJoins(3, { 1: 1, 2: 1 }, [1, 2, 3]), hears(1, 3), hears(2, 3), ...suspended, takes(1, 'resume', 'ended', 3));
});

describe('quorum', () => {
  breaks('quorum', 'none', 'a grant outside of it', ...three, asks(1, 1, 'lock', EX), outside(1, 3), ends(1, 1, 'OK', EX, { sequence: 9 }));
  keeps('none', 'an unlock outside of it', ...three, holds(1, 1, EX), outside(1, 3), asks(1, 1, 'unlock', EX), ends(1, 1, 'EUNLOCK', IV));
  breaks('quorum', 'none', 'a recovery outside of it', ...three, decides(3, [1, 2], [3]), outside(1, 3), recovers(1));
});

describe('self-stop', () => {
  breaks('self-stop', 'stops', 'a grant after it', ...three, asks(1, 1, 'lock', EX), silent(1), ends(1, 1, 'OK', EX, { sequence: 9 }));
  breaks('self-stop', 'stops', 'a write after it', ...three, holds(1, 1, EX), silent(1), writes(1, 1));
  breaks('self-stop', 'stops', 'nobody has stopped', ...three, holds(3, 1, EX), ...death, writes(3, 1));
  keeps('stops', 'a grant before it', ...three, holds(1, 1, EX), writes(1, 1), silent(1));
});

describe('zombies', () => {
  const later: Story = [...three, holds(3, 3, EX), ...death, recovers(1), holds(1, 4, EX, {}, { generation: generation(2) }), writes(1, 4)];
  breaks('zombies', 'none', 'a write of the earlier holder is taken', ...later, writes(3, 3));
  keeps('none', 'a write of the earlier holder is refused', ...later, writes(3, 3, false));
  keeps('none', 'it wrote before the later holder did', ...three, holds(3, 3, EX), ...death, recovers(1), holds(1, 4, EX, {}, { generation: generation(2) }), writes(3, 3), writes(1, 4));

  const late: Story = [holds(1, 4, EX), writes(1, 4), asks(1, 4, 'unlock', EX), ends(1, 4, 'EUNLOCK', IV), holds(3, 3, EX), writes(3, 3)].flat();
  keeps('none', 'a member that has not been told of the death grants to the dead', ...three, decides(3, [1, 2], [3]), hears(2, 3), ...late);
  breaks('zombies', 'none', 'all have been told of the death', ...three, decides(3, [1, 2], [3]), hears(2, 3), hears(1, 3), ...late);
});

describe('epochs', () => {
  const old: Story = [decides(2, [1, 2]), hears(1, 2), hears(2, 2), joins(1), { ...recovers(1), generation: generation(5) } as SimEvent];
  keeps('none', 'they rise', ...old, joins(2), { ...recovers(2), generation: generation(6) } as SimEvent);
  breaks('epochs', 'none', 'one comes again after a blackout', ...old, { kind: 'blackout', at, lost: [] }, joins(2), { ...recovers(2), generation: generation(5) } as SimEvent);
});

describe('fencing', () => {
  const gone: Story = [...three, ...death];
  keeps('none', 'by a witness', ...gone, fences(1, 3, 'begun'));
  breaks('fencing', 'none', 'of a member', ...three, fences(1, 3, 'begun'));
  breaks('fencing', 'none', 'by two at once', ...gone, fences(1, 3, 'begun'), fences(2, 3, 'begun'));
  breaks('fencing', 'none', 'twice by one', ...gone, fences(1, 3, 'begun'), fences(1, 3, 'begun'));
  keeps('none', 'by the next when the first has died', ...gone, fences(1, 3, 'begun'), crashed(1), fences(2, 3, 'begun'));
  breaks('quorum', 'none', 'outside a quorum', ...gone, outside(1, 3), fences(1, 3, 'begun'));
  breaks('fencing', 'none', 'of nobody, to the end', ...gone, quiet([audit(1, { openCases: 1 })]));
  breaks('fencing', 'none', 'and somebody has not heard who has failed', ...gone, quiet([audit(1, { openCases: null })]));
  breaks('fencing', 'none', 'by somebody who came later', ...gone, starts(4), decides(4, [1, 2, 4]), hears(4, 4), fences(4, 3, 'begun'));
});

describe('resumption and rejoining', () => {
  const stuck = { isSuspended: true, hasApplication: true };
  breaks('resumption', 'gfs', 'suspended for nothing', quiet([audit(1, stuck)]));
  breaks('resumption', 'gfs', 'nobody does what somebody could', quiet([audit(1, { ...stuck, pendingSlots: 1 })]));
  keeps('gfs', 'nobody is there who could', quiet([audit(1, { isSuspended: true, pendingSlots: 1 })]));
  breaks('resumption', 'gfs', 'the gate is open and the application was not told', application(1, 'suspended'), quiet([audit(1, { hasApplication: true })]));
  breaks('rejoining', 'none', 'somebody is up and out', { ...(quiet([audit(1)]) as object), outsiders: [3] } as unknown as SimEvent);
});

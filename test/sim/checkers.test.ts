/**
 * Each checker complains of what it is there for, and of nothing else: for every
 * property stories that keep it, and mutants of them that break it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generation, lkid, nodeId, type ViewId } from '../../src/core/base/ids.js';
import { Flag, Result, deafMark } from '../../src/core/lock/flags.js';
import { CR, CW, EX, IV, NL, PR, PW, type Mode } from '../../src/core/lock/mode.js';
import type { SimEvent } from '../../src/core/sim/event.js';
import { abandons, adopts, asks, audit, blocks, decides, decidesJoins, ends, heard, hears, held, holds, joins, leaves, leavesBehind, queues, quiet, recovers, tell, waits } from './story.js';

type Story = readonly (SimEvent | SimEvent[])[];

const keeps = (says: string, ...story: Story): void => {
  test(`right: ${says}`, () => assert.deepEqual(tell(...story), null));
};

const breaks = (property: string, says: string, ...story: Story): void => {
  test(`wrong: ${says}`, () => {
    const broken = tell(...story);
    assert.equal(broken?.property, property, broken?.message ?? 'nobody complained');
  });
};

describe('exclusion', () => {
  keeps('compatible modes side by side', holds(1, 1, PR, {}, { sequence: 1 }), holds(2, 2, PR, {}, { sequence: 1 }), holds(2, 3, NL));
  breaks('exclusion', 'two exclusive holders', holds(1, 1, EX), holds(2, 2, EX));
  breaks('exclusion', 'PR beside CW', holds(1, 1, PR), holds(2, 2, CW));
  keeps('a release counts when it is asked for', holds(1, 1, EX), asks(1, 1, 'unlock', EX), holds(2, 2, EX));
  keeps('so does a weaker mode', holds(1, 1, EX), asks(1, 1, 'convert', NL), holds(2, 2, EX));
  breaks('exclusion', 'a conversion counts with its granted mode', holds(1, 1, PR), asks(1, 1, 'convert', EX), holds(2, 2, PW));
  keeps('between PR and CW only what both have', holds(1, 1, PR), asks(1, 1, 'convert', CW), holds(2, 2, CW));
  breaks('exclusion', 'but that excludes EX', holds(1, 1, PR), asks(1, 1, 'convert', CW), holds(2, 2, EX));
  keeps('whoever offered his mode may have lost it', holds(1, 1, PR), asks(1, 1, 'convert', EX, { flags: Flag.CONVDEADLK }), holds(2, 2, PW));
  breaks('exclusion', 'an orphan excludes', holds(1, 1, EX), abandons(1, [1], []), holds(2, 2, EX));
  const waiting = (flags: number): Story => [holds(1, 1, PR), asks(1, 1, 'convert', EX, { flags }), waits(1, 1), abandons(1, [1], [])];
  breaks('exclusion', 'an orphan has what it had before it waited', ...waiting(0), holds(2, 2, EX));
  keeps('but for what its owner offered to give up', ...waiting(Flag.CONVDEADLK), holds(2, 2, EX));
  breaks('exclusion', 'an adopted lock excludes', holds(1, 1, EX), abandons(1, [1], []), asks(1, 2, 'adopt', EX), adopts(1, 2, 1, EX), holds(2, 3, EX));
  breaks('exclusion', 'a refused unlock gives nothing back', holds(1, 1, EX), asks(1, 1, 'unlock', EX),
    { ...asks(1, 1, 'unlock', EX), kind: 'refused', code: 'EBUSY' } as SimEvent, holds(2, 2, EX));
});

describe('the departed', () => {
  const death: Story = [holds(1, 1, EX), decides(2, [2], [1])];
  keeps('granted on after the recovery', ...death, asks(2, 2, 'lock', EX), hears(2, 2), recovers(2), ends(2, 2, 'OK', EX));
  breaks('departed', 'granted on before it', ...death, asks(2, 2, 'lock', EX), hears(2, 2), ends(2, 2, 'OK', EX));
  breaks('departed', 'a recovery of an earlier view is none', holds(1, 1, EX), decides(2, [1, 2]), hears(2, 2), decides(3, [2], [1]),
    asks(2, 2, 'lock', EX), recovers(2), hears(2, 3), ends(2, 2, 'OK', EX));
  breaks('exclusion', 'a crash alone ends nothing', holds(1, 1, EX), { kind: 'crashed', at: 0, life: 1 } as SimEvent, holds(2, 2, EX));
  keeps('what it gave back itself is free', ...death, asks(1, 1, 'unlock', EX), holds(2, 2, EX));
  keeps('also of an orphan that it adopted when it was out', holds(1, 1, EX), abandons(1, [1], []), decides(2, [2], [1]),
    asks(1, 3, 'adopt', EX), adopts(1, 3, 1, EX), asks(1, 3, 'convert', CR), holds(2, 2, CW));
  breaks('departed', 'but no more than it gave back', holds(1, 1, EX), abandons(1, [1], []), decides(2, [2], [1]),
    asks(1, 3, 'adopt', EX), adopts(1, 3, 1, EX), asks(1, 3, 'convert', CR), holds(2, 2, EX));
  breaks('departed', 'a wish for more gives nothing back', holds(1, 1, PR), decides(2, [2], [1]), asks(1, 1, 'convert', EX), holds(2, 2, PW));
});

describe('hygiene', () => {
  const stale = { view: 1 as ViewId, hasEffect: true };
  keeps('what a member says now', heard(1, 2));
  keeps('what is of a view that comes', heard(1, 2, { view: 2 as ViewId }));
  keeps('stale words without effect', decides(2, [1, 3], [2]), hears(1, 2), heard(1, 2, { hasEffect: false }));
  breaks('hygiene', 'a life that is gone', decides(2, [1, 3], [2]), hears(1, 2), heard(1, 2));
  breaks('hygiene', 'a newcomer\'s words from before', decides(2, [1, 2, 3]), hears(1, 2), heard(1, 3, stale));
  breaks('hygiene', 'a recovery that is over', decides(2, [1, 2, 3]), hears(1, 2), heard(1, 2, { ...stale, isOfRecovery: true }));
  keeps('who has not been told of a view goes by the one before', decides(2, [1, 3], [2]), heard(1, 2));
  breaks('hygiene', 'another join', decides(2, [1, 2], [], 2), hears(1, 2), heard(1, 2, stale));
  breaks('hygiene', 'a lockspace that was never joined', heard(1, 2, { lockspace: null }));
});

describe('leaving', () => {
  const away: Story = [leaves(2), decidesJoins(2, { 1: 1 })];
  keeps('out of the view, and nothing left', ...away, quiet([audit(1)]));
  breaks('leaving', 'still in the view', leaves(2), quiet([audit(1)]));
  breaks('leaving', 'the node has not let go', ...away, quiet([audit(1), audit(2)]));
  keeps('back again by another join', ...away, joins(2), decidesJoins(3, { 1: 1, 2: 2 }), quiet([audit(1), audit(2)]));
  breaks('leaving', 'back again by the same join', leaves(2), joins(2), quiet([audit(1), audit(2)]));
});

describe('conversions', () => {
  const asked: Story = [holds(1, 1, PR), asks(1, 1, 'convert', EX)];
  keeps('the new mode', ...asked, ends(1, 1, 'OK', EX));
  breaks('conversions', 'another mode', ...asked, ends(1, 1, 'OK', PW));
  keeps('another mode that is said to be one', ...asked, ends(1, 1, 'OK', PR, { results: Result.ALTMODE }));
  keeps('the old mode', ...asked, ends(1, 1, 'EDEADLK', PR));
  breaks('conversions', 'less than the old mode', ...asked, hears(1, 2), recovers(1), ends(1, 1, 'EAGAIN', NL));
  keeps('less, if that was offered', holds(1, 1, PR), asks(1, 1, 'convert', EX, { flags: Flag.CONVDEADLK }), asks(1, 1, 'cancel', PR), ends(1, 1, 'ECANCEL', NL));
  keeps('what is certain, though more was offered', holds(1, 1, PR), asks(1, 1, 'convert', CW, { flags: Flag.CONVDEADLK }), asks(1, 1, 'cancel', PR), ends(1, 1, 'ECANCEL', CR));
  const stands = (granted: Mode): SimEvent =>
    quiet([audit(1, { resources: [{ name: 'R', master: nodeId(1) }], own: [held(1, 1, granted)], mastered: [held(1, 1, granted)], directory: new Map([['R', nodeId(1)]]) })]);
  breaks('conversions', 'a mode that nobody was told of', holds(1, 1, PR), stands(EX));
  keeps('what was offered may be gone before anybody is told', holds(2, 2, PR), holds(1, 1, PR), asks(1, 1, 'convert', EX, { flags: Flag.CONVDEADLK }), stands(NL));
});

describe('pairing', () => {
  keeps('wait, grant, conversion, unlock', asks(1, 1, 'lock', EX), waits(1, 1), ends(1, 1, 'OK', EX), asks(1, 1, 'convert', NL),
    ends(1, 1, 'OK', NL), asks(1, 1, 'unlock', NL), ends(1, 1, 'EUNLOCK', IV));
  breaks('pairing', 'told twice', holds(1, 1, PR), ends(1, 1, 'OK', PR));
  breaks('pairing', 'told after the end', holds(1, 1, PR), asks(1, 1, 'unlock', PR), ends(1, 1, 'EUNLOCK', IV), ends(1, 1, 'EUNLOCK', IV));
  breaks('pairing', 'ended by nobody', asks(1, 1, 'lock', EX), ends(1, 1, 'EUNLOCK', IV));
  breaks('pairing', 'cancelled by nobody', asks(1, 1, 'lock', EX), waits(1, 1), ends(1, 1, 'ECANCEL', IV));
  keeps('cancelled', asks(1, 1, 'lock', EX), waits(1, 1), asks(1, 1, 'cancel', IV), ends(1, 1, 'ECANCEL', IV));
  keeps('a cancel that came too late', asks(1, 1, 'lock', EX), waits(1, 1), asks(1, 1, 'cancel', IV), ends(1, 1, 'OK', EX));
  keeps('granted, and then ended as was asked meanwhile', asks(1, 1, 'lock', EX), asks(1, 1, 'unlock', IV), ends(1, 1, 'OK', EX), ends(1, 1, 'EUNLOCK', IV));
  breaks('pairing', 'a blocking callback after the end', holds(1, 1, PR), asks(1, 1, 'unlock', PR), ends(1, 1, 'EUNLOCK', IV), blocks(1, 1, EX));
  breaks('pairing', 'a blocking callback that nobody hears', holds(1, 1, PR, { flags: deafMark }), blocks(1, 1, EX));
  breaks('pairing', 'a blocking callback for nothing', holds(1, 1, PR), blocks(1, 1, PR));
  breaks('pairing', 'granted without a mode', asks(1, 1, 'lock', EX), ends(1, 1, 'OK', IV));
  breaks('pairing', 'begun for an owner who had ended', asks(1, 1, 'lock', EX), abandons(1, [1], []), ends(1, 1, 'OK', EX));
  breaks('pairing', 'put in a queue for one', holds(1, 1, NL), asks(1, 1, 'convert', EX), abandons(1, [1], []), waits(1, 1));
  keeps('but what he gave back is given back', holds(1, 1, EX), asks(1, 1, 'convert', NL), abandons(1, [1], []), ends(1, 1, 'OK', NL));
  const victim: Story = [asks(1, 1, 'lock', EX), waits(1, 1), asks(1, 1, 'cancel', IV, { status: 'EDEADLK' })];
  keeps('cancelled to end a deadlock', ...victim, ends(1, 1, 'EDEADLK', IV));
  breaks('pairing', 'cancelled to end a deadlock, and told otherwise', ...victim, ends(1, 1, 'ECANCEL', IV));
  keeps('the words to an owner who has ended reach nobody', asks(1, 1, 'lock', EX), waits(1, 1), abandons(1, [], [1]), ends(1, 1, 'OK', EX));
});

describe('tokens', () => {
  const first: Story = [holds(1, 1, EX, {}, { mastership: 3, sequence: 5 }), asks(1, 1, 'unlock', EX), ends(1, 1, 'EUNLOCK', IV)];
  keeps('they rise', ...first, holds(2, 2, EX, {}, { mastership: 3, sequence: 6 }));
  keeps('a new mastership begins anew', ...first, holds(2, 2, EX, {}, { mastership: 4, sequence: 1 }));
  keeps('so does a generation', ...first, holds(2, 2, EX, {}, { generation: generation(2), mastership: 1, sequence: 1 }));
  breaks('tokens', 'the same again', ...first, holds(2, 2, EX, {}, { mastership: 3, sequence: 5 }));
  breaks('tokens', 'a smaller one', ...first, holds(2, 2, PR, {}, { mastership: 2, sequence: 9 }));
  const adopted: Story = [holds(1, 1, EX, {}, { sequence: 1 }), abandons(1, [1], []), asks(1, 2, 'adopt', EX), adopts(1, 2, 1, EX)];
  keeps('a lock keeps one, also when it is adopted', ...adopted, asks(1, 2, 'convert', EX), ends(1, 2, 'OK', EX, { sequence: 1 }));
  breaks('tokens', 'another lock than the adopted one', ...adopted, asks(1, 2, 'unlock', EX), ends(1, 2, 'EUNLOCK', IV), holds(2, 3, EX, {}, { sequence: 1 }));
  const refused = (mode: Mode): Story => [holds(1, 1, PR, {}, { sequence: 1 }), asks(1, 1, 'convert', EX, { flags: Flag.ALTCW }), holds(2, 2, mode, {}, { sequence: 2 }),
    asks(2, 2, 'unlock', mode), ends(2, 2, 'EUNLOCK', IV), ends(1, 1, 'EDEADLK', PR, { sequence: 1, results: Result.DEMOTED })];
  keeps('a mode is kept beside which others came', ...refused(CR));
  breaks('tokens', 'a mode is kept that others have excluded since', ...refused(CW));
  keeps('those who go together share one', holds(1, 1, PR, {}, { sequence: 1 }), holds(2, 2, PR, {}, { sequence: 1 }));
});

describe('fairness', () => {
  const queue: Story = [asks(1, 1, 'lock', EX), waits(1, 1), queues(1, 1), asks(2, 2, 'lock', EX), waits(2, 2), queues(2, 2)];
  keeps('who has only asked may come later', asks(1, 1, 'lock', EX), waits(1, 1), asks(2, 2, 'lock', EX), ends(2, 2, 'OK', EX));
  keeps('the first is first', ...queue, ends(1, 1, 'OK', EX), asks(1, 1, 'unlock', EX), ends(1, 1, 'EUNLOCK', IV), ends(2, 2, 'OK', EX));
  breaks('fairness', 'the second is first', ...queue, ends(2, 2, 'OK', EX));
  keeps('to the head by HEADQUE', asks(1, 1, 'lock', EX), queues(1, 1), asks(2, 2, 'lock', EX, { flags: Flag.HEADQUE }), ends(2, 2, 'OK', EX));
  keeps('who takes his wish back is passed', ...queue, asks(1, 1, 'cancel', IV), ends(2, 2, 'OK', EX));
  keeps('the dead are passed', ...queue, decides(2, [2], [1]), hears(2, 2), recovers(2), ends(2, 2, 'OK', EX));
});

describe('bypass', () => {
  const passes = (mode: Mode, flags = 0): Story => [holds(2, 9, EX, {}, { sequence: 1 }), asks(1, 1, 'lock', PR), queues(1, 1), asks(2, 2, 'lock', mode, { flags }), asks(2, 9, 'unlock', EX),
    ends(2, 9, 'EUNLOCK', IV), ends(2, 2, 'OK', mode, { sequence: 2 })];
  const still = quiet([audit(1, { own: [held(1, 1, IV, { requested: PR })] }), audit(2)]);
  breaks('bypass', 'who comes later holds, and the first could beside him', ...passes(PR), still);
  keeps('he has only heard of it before the first did', ...passes(PR), ends(1, 1, 'OK', PR, { sequence: 2 }));
  const wants = held(1, 1, IV, { requested: EX });
  const resources = [{ name: 'R', master: nodeId(1) }];
  keeps('he has said that he comes out of turn', asks(1, 1, 'lock', EX), waits(1, 1), queues(1, 1), holds(2, 2, PR, { flags: Flag.NOORDER }), blocks(2, 2, EX),
    quiet([
      audit(1, { resources, own: [wants], mastered: [wants, held(2, 7, PR, { lkid: lkid(70), holderLkid: lkid(2), owner: null })], directory: new Map([['R', nodeId(1)]]) }),
      audit(2, { resources, own: [held(2, 2, PR)] }),
    ]));
});

describe('deadlocks', () => {
  const both = (...second: readonly [Mode, number?]): Story => [holds(1, 1, PR), holds(2, 2, PR), asks(1, 1, 'convert', EX), queues(1, 1),
    asks(2, 2, 'convert', second[0], { flags: second[1] ?? 0 }), queues(2, 2)];
  breaks('deadlocks', 'nobody is told', ...both(EX));
  breaks('deadlocks', 'one waits for less', ...both(PW));
  keeps('one has given up its mode', ...both(EX, Flag.CONVDEADLK));
  keeps('one would rather wait', ...both(EX, Flag.NODLCKWT));
  keeps('one is told', holds(1, 1, PR), holds(2, 2, PR), asks(1, 1, 'convert', EX), queues(1, 1), asks(2, 2, 'convert', EX), ends(2, 2, 'EDEADLK', PR));
  keeps('one was granted before', holds(1, 1, PR), asks(1, 1, 'convert', EX), queues(1, 1), asks(2, 2, 'convert', EX));
  keeps('one is out of the view, and its own master (seed 82001384)', holds(1, 1, PR), holds(2, 2, PR), decides(2, [2], [1]), hears(2, 2), recovers(2),
    asks(2, 2, 'convert', EX), queues(2, 2), asks(1, 1, 'convert', EX), queues(1, 1));
  keeps('it is not known that both stand in the queue', holds(1, 1, PR), holds(2, 2, PR), asks(1, 1, 'convert', EX), queues(1, 1), asks(2, 2, 'convert', EX));
});

describe('value blocks', () => {
  const block = { flags: Flag.VALBLK, value: 100 };
  const writer = (value: number | null, more = {}): Story => [
    holds(1, 1, EX, block), asks(1, 1, 'unlock', EX, { flags: Flag.VALBLK, value, ...more }), ends(1, 1, 'EUNLOCK', IV),
  ];
  const reader = (value: number | null, results = 0): SimEvent[] => holds(2, 2, PR, { flags: Flag.VALBLK, value: 200 }, { value, results });
  keeps('the last value', ...writer(7), reader(7));
  breaks('value-block', 'a value nobody wrote', ...writer(7), reader(8));
  breaks('value-block', 'what was brought and not written', ...writer(7), reader(100));
  breaks('value-block', 'an older value', ...writer(7), holds(1, 3, EX, block), asks(1, 3, 'unlock', EX, { flags: Flag.VALBLK, value: 8 }),
    ends(1, 3, 'EUNLOCK', IV), holds(2, 4, PR, { flags: Flag.VALBLK, value: 200 }, { value: 7 }));
  keeps('an older value that is called not valid', ...writer(7), holds(1, 3, EX, block), abandons(1, [], [3]),
    holds(2, 4, PR, { flags: Flag.VALBLK, value: 200 }, { value: 7, results: Result.VALNOTVALID }));
  breaks('value-block', 'valid although the writer died', ...writer(7), holds(1, 3, EX, block), abandons(1, [], [3]),
    holds(2, 4, PR, { flags: Flag.VALBLK, value: 200 }, { value: 7 }));
  breaks('value-block', 'valid although it was declared not to be', ...writer(7), holds(1, 3, EX, block),
    asks(1, 3, 'unlock', EX, { flags: Flag.IVVALBLK }), ends(1, 3, 'EUNLOCK', IV), holds(2, 4, PR, { flags: Flag.VALBLK, value: 200 }, { value: 7 }));
  keeps('by the unlock of one who ended before what he had asked first was done', holds(1, 1, EX, block),
    asks(1, 1, 'convert', EX, { flags: Flag.VALBLK | Flag.IVVALBLK, value: 6 }), asks(1, 1, 'unlock', EX, { flags: Flag.VALBLK, value: 7 }), abandons(1, [], [1]), reader(7));
  breaks('value-block', 'lost although the resource was kept', holds(2, 9, NL), ...writer(7), reader(null));
  keeps('forgotten with its last lock', ...writer(7), reader(null));

  const holdsOn = (value: number): Story => [holds(1, 1, PW, block), asks(1, 1, 'convert', PW, { flags: Flag.VALBLK, value: 6 }), ends(1, 1, 'OK', PW),
    asks(1, 1, 'convert', CR, { flags: Flag.VALBLK, value }), ends(1, 1, 'OK', CR)];
  const low = (value: number, results: number): SimEvent[] => holds(2, 2, CR, { flags: Flag.VALBLK, value: 200 }, { value, results });
  keeps('nobody answers a weaker mode: what was written then may come later', ...holdsOn(7), low(6, 0));
  breaks('value-block', 'a value that was lost', holds(1, 1, EX, block), asks(1, 1, 'unlock', EX, { flags: Flag.VALBLK, value: 7 }),
    ends(1, 1, 'EUNLOCK', IV, { results: Result.NOTSTORED }), reader(7));
  breaks('value-block', 'valid although a later one was lost', ...writer(6), holds(1, 3, EX, block), asks(1, 3, 'unlock', EX, { flags: Flag.VALBLK, value: 7 }),
    ends(1, 3, 'EUNLOCK', IV, { results: Result.NOTSTORED }), holds(2, 4, PR, { flags: Flag.VALBLK, value: 200 }, { value: 6 }));

  keeps('one that waited for a quorum behind which its lock was given back is not written (seed 77000015)', ...writer(6), holds(1, 3, PW, block, { value: 6 }),
    asks(1, 3, 'convert', PW, { flags: Flag.VALBLK, value: 7 }), asks(1, 3, 'unlock', PW, { flags: Flag.VALBLK, value: 8 }),
    ends(1, 3, 'EUNLOCK', IV, { results: Result.NOTSTORED }), holds(2, 4, CR, { flags: Flag.VALBLK, value: 200 }, { value: 6 }));

  keeps('a refused unlock has neither written nor declared anything (seed 80004667)', ...writer(6), holds(1, 3, PW, block, { value: 6 }),
    asks(1, 3, 'convert', EX, { flags: Flag.VALBLK | Flag.IVVALBLK, value: 7 }), asks(1, 3, 'unlock', PW, { flags: Flag.VALBLK, value: 8 }),
    { ...asks(1, 3, 'unlock', PW), kind: 'refused', code: 'EBUSY' } as SimEvent, ends(1, 3, 'OK', EX, { value: 6, sequence: 4 }));

  const lost: Story = [...writer(6), holds(1, 3, PW, block, { value: 6 }), asks(1, 3, 'unlock', PW, { flags: Flag.VALBLK, value: 8 }), ends(1, 3, 'EUNLOCK', IV, { results: Result.NOTSTORED })];
  const beside = holds(2, 4, CR, { flags: Flag.VALBLK, value: 200 }, { value: 6, sequence: 3 });
  keeps('a value is lost, and its master may not have heard of it', ...lost, decides(2, [1, 2]), hears(1, 2), hears(2, 2), ...beside);
  breaks('value-block', 'its master has: its node has recovered in a quorum', ...lost, decides(2, [1, 2]), hears(1, 2), hears(2, 2), recovers(1), ...beside);

  const overtaken = (...between: Story): Story => [...writer(6), holds(1, 3, PW, block, { value: 6 }), asks(1, 3, 'convert', PW, { flags: Flag.VALBLK, value: 7 }),
    asks(1, 3, 'unlock', PW, { flags: Flag.VALBLK | Flag.FORCEUNLOCK, value: 8 }), ...between];
  const reads = (value: number): SimEvent[] => holds(2, 4, CR, { flags: Flag.VALBLK, value: 200 }, { value, sequence: 3 });
  const converted = ends(1, 3, 'OK', PW, { sequence: 3 });
  keeps('the answer to a conversion says nothing of the unlock that came after it (seed 91003009)', ...overtaken(converted, ...reads(7)));
  breaks('value-block', 'but of the conversion', ...overtaken(converted, ...reads(6)));
  breaks('value-block', 'the answer to the unlock does', ...overtaken(converted, ends(1, 3, 'EUNLOCK', IV), ...reads(7)));
  keeps('a refused conversion does not take back the unlock that came after it (seed 90003539)',
    ...overtaken({ ...asks(1, 3, 'convert', PW), kind: 'refused', code: 'EBUSY' } as SimEvent, ends(1, 3, 'EUNLOCK', IV), ...reads(8)));

  const orElse = (value: number): Story => [...writer(6), holds(1, 3, PW, block, { value: 6 }), asks(1, 3, 'convert', EX, { flags: Flag.VALBLK | Flag.ALTPR, value: 7 }),
    ends(1, 3, 'OK', PR, { results: Result.ALTMODE, value, sequence: 4 })];
  keeps('read with the alternative mode, and not written', ...orElse(6), holds(2, 4, PR, { flags: Flag.VALBLK, value: 200 }, { value: 6 }));
  breaks('value-block', 'written with it', ...orElse(6), holds(2, 4, PR, { flags: Flag.VALBLK, value: 200 }, { value: 7 }));
  breaks('value-block', 'not what was written last read with it', ...orElse(7));
});

describe('what is looked at when everything is quiet', () => {
  const one = nodeId(1);
  const two = nodeId(2);
  const resources = [{ name: 'R', master: one }];
  const own = [held(1, 1, PR)];
  const far = held(2, 7, PR, { lkid: lkid(70), holderLkid: lkid(2), owner: null });
  const master = audit(1, { resources, own, mastered: [...own, far], directory: new Map([['R', one]]) });
  const holder = audit(2, { resources, own: [held(2, 2, PR)] });
  const granted: Story = [holds(1, 1, PR, {}, { sequence: 1 }), holds(2, 2, PR, {}, { sequence: 1 })];

  keeps('all agree', ...granted, quiet([master, holder]));
  breaks('masters', 'two masters', ...granted, quiet([master, { ...holder, resources: [{ name: 'R', master: two }] }]));
  breaks('masters', 'a holder who knows no master', ...granted, quiet([master, { ...holder, resources: [{ name: 'R', master: null }] }]));
  breaks('directory', 'an entry for somebody else', ...granted, quiet([{ ...master, directory: new Map([['R', two]]) }, holder]));
  breaks('directory', 'no entry', ...granted, quiet([{ ...master, directory: new Map() }, holder]));
  breaks('directory', 'an entry that is left', quiet([audit(1, { entryCount: 1 }), audit(2)], true));

  breaks('holdings', 'another mode on the master', ...granted, quiet([{ ...master, mastered: [...own, { ...far, granted: CR }] }, holder]));
  breaks('holdings', 'unknown to the master', ...granted, quiet([{ ...master, mastered: own }, holder]));
  breaks('holdings', 'known to the master alone', ...granted, quiet([master, { ...holder, own: [] }]));

  breaks('orphans', 'a lock of an owner who has ended', ...granted, abandons(2, [], [2]), quiet([master, holder]));
  keeps('an orphan', ...granted, abandons(2, [2], []), quiet([master, { ...holder, own: [held(2, 2, PR, { isOrphan: true })] }]));
  breaks('orphans', 'left behind in a mode that its owner was not told of', holds(1, 1, CR), asks(1, 1, 'convert', EX), waits(1, 1), abandons(1, [1], []), leavesBehind(1, 1, EX));
  keeps('left behind in the mode it had, or without the one it offered', holds(1, 1, CR), asks(1, 1, 'convert', EX, { flags: Flag.CONVDEADLK }), waits(1, 1),
    abandons(1, [1], []), leavesBehind(1, 1, CR), leavesBehind(1, 1, NL));
  breaks('orphans', 'a lock of a node that is gone', holds(1, 1, PR), quiet([{ ...master, mastered: [...own, held(3, 9, CR, { owner: null })] }]));

  const wants = held(1, 1, IV, { requested: EX });
  const inTheWay = quiet([{ ...master, own: [wants], mastered: [wants, far] }, holder]);
  const wait: Story = [asks(1, 1, 'lock', EX), waits(1, 1)];
  breaks('notices', 'nobody told the holder', holds(2, 2, PR), ...wait, inTheWay);
  keeps('the holder was told', holds(2, 2, PR), ...wait, blocks(2, 2, EX), inTheWay);
  breaks('notices', 'told before its latest grant', holds(2, 2, PR), ...wait, blocks(2, 2, EX), asks(2, 2, 'convert', PR), ends(2, 2, 'OK', PR), inTheWay);
  keeps('it has said that nobody hears it', holds(2, 2, PR, { flags: deafMark }), ...wait, inTheWay);
  breaks('notices', 'it came in past who waits', ...wait, holds(2, 2, PR, { flags: Flag.NOORDER }), inTheWay);
  breaks('notices', 'told to its former owner alone', holds(2, 2, PR), ...wait, blocks(2, 2, EX), abandons(2, [2], []),
    asks(2, 3, 'adopt', PR), adopts(2, 3, 2, PR), inTheWay);

  breaks('progress', 'waiting for nobody', asks(1, 1, 'lock', EX), waits(1, 1), quiet([audit(1), audit(2)]));
  keeps('waiting for a holder who lives', holds(2, 2, PW), asks(1, 1, 'lock', EX), waits(1, 1), quiet([audit(1)]));
  const [ahead, behind] = [held(2, 2, IV, { requested: EX }), held(1, 1, IV, { requested: PR })];
  const both = (flags: number): Story => [holds(1, 9, PR), asks(1, 1, 'lock', PR, { flags }), waits(1, 1), asks(2, 2, 'lock', EX), waits(2, 2), blocks(1, 9, EX)];
  const looked = (...mastered: (typeof ahead)[]): SimEvent =>
    quiet([{ ...master, own: [held(1, 9, PR), behind], mastered: [held(1, 9, PR), ...mastered] }, { ...holder, own: [ahead] }]);
  keeps('waiting behind somebody who waits', ...both(0), looked(ahead, behind));
  const gaveUp = held(1, 1, NL, { requested: CW });
  const wantsPr = held(1, 3, NL, { requested: PR });
  keeps('waiting behind a conversion which a weaker mode keeps waiting than what it gave up itself (seed 80014706)',
    holds(1, 1, PR), asks(1, 1, 'convert', CW, { flags: Flag.CONVDEADLK }), waits(1, 1), holds(2, 2, CW, {}, { sequence: 2 }), holds(1, 3, NL, {}, { sequence: 2 }), asks(1, 3, 'convert', PR), waits(1, 3),
    blocks(2, 2, PR), quiet([{ ...master, own: [gaveUp, wantsPr], mastered: [{ ...far, granted: CW }, wantsPr, gaveUp] }, { ...holder, own: [held(2, 2, CW)] }]));
  breaks('progress', 'waiting before all others, for nobody', ...both(0), looked(behind, ahead));
  breaks('progress', 'come to the head, and not looked at', ...both(Flag.HEADQUE), looked(behind, ahead));
  breaks('recovering', 'a recovery that does not end', quiet([audit(1, { isOpen: false })]));
  breaks('recoveries', 'more recoveries than views', recovers(1));
  breaks('leftovers', 'something is left', holds(1, 1, PR), quiet([audit(1, { resources, own, mastered: own, directory: new Map([['R', one]]) })], true));
});

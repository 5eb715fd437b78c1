/**
 * The roll of a local cluster: who may enter, under which number, and what the next
 * view is. Plain values in, plain values out.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Roll, membersMax, viewOf, type Applicant, type Changes, type Entry } from '../../src/core/host/engine/roll.js';

const nobody: Entry = { id: 0, members: [], leftCleanly: [] };
const nothing: Changes = { gone: new Set(), leaving: new Set(), announced: new Map() };

function applicant(name: string, node: number | null = null, incarnation = 1): Applicant {
  return { name, node, incarnation, address: '', weight: 1, lockspaces: [], life: `life of ${name}, ${incarnation}`, pid: 1, started: 1 };
}

/** With these in it, entered one after another. */
function rollOf(...applicants: Applicant[]): Roll {
  const roll = new Roll(nobody, []);
  for (const one of applicants) roll.commit(roll.afterEntering([roll.enrolled(one)], 100));
  return roll;
}

const nodesOf = ({ members }: Entry): number[] => members.map(({ node }) => node);

describe('entering', () => {
  it('gives the lowest number that is free, also among those who enter together', () => {
    const roll = rollOf(applicant('a', 2), applicant('b'));
    assert.deepEqual(nodesOf(roll.last), [1, 2]);
    const c = roll.enrolled(applicant('c'));
    assert.equal(c.node, 3);
    assert.equal(roll.enrolled(applicant('d'), [c]).node, 4);
  });

  it('refuses a number or a name that is taken', () => {
    const roll = rollOf(applicant('a', 2));
    assert.throws(() => roll.enrolled(applicant('b', 2)), { code: 'DLM_NODE_EXISTS' });
    assert.throws(() => roll.enrolled(applicant('a')), { code: 'DLM_NODE_EXISTS' });
    const b = roll.enrolled(applicant('b', 5));
    assert.throws(() => roll.enrolled(applicant('c', 5), [b]), { code: 'DLM_NODE_EXISTS' });
  });

  it('refuses a life that is not later than one the number has had; a free number is one that fits', () => {
    const roll = rollOf(applicant('a', 1, 5));
    roll.commit(roll.afterChanges({ ...nothing, gone: new Set(['life of a, 5']) })!);
    assert.throws(() => roll.enrolled(applicant('a', 1, 5)), { code: 'DLM_STATE_UNUSABLE', message: /incarnation 5/ });
    assert.equal(roll.enrolled(applicant('a', null, 5)).node, 2);
    assert.equal(roll.enrolled(applicant('a', null, 6)).node, 1);
    const later = new Roll({ ...nobody, id: 200 }, roll.incarnations);
    assert.equal(later.enrolled(applicant('a', null, 5)).node, 2);
  });

  it('gives nobody the number of one that has failed, and may still act, but him who comes under its name', () => {
    const inLockspace: Applicant['lockspaces'] = [['x', 1]];
    const roll = new Roll(nobody, [], []);
    for (const one of ['a', 'b', 'c']) roll.commit(roll.afterEntering([roll.enrolled({ ...applicant(one), lockspaces: one === 'c' ? [] : inLockspace })], 100));
    roll.commit(roll.afterChanges({ ...nothing, gone: new Set(['life of a, 1', 'life of c, 1']), leaving: new Set(['life of b, 1']) })!);
    assert.deepEqual(roll.failed, [[1, 'a']], 'who left in good order, or was in no lockspace, leaves nothing');
    const later = new Roll(roll.last, roll.incarnations, roll.failed);
    const d = later.enrolled(applicant('d', null, 2));
    assert.deepEqual([d.node, later.enrolled(applicant('e', null, 2), [d]).node], [2, 3]);
    assert.equal(later.enrolled(applicant('f', 1, 2)).node, 1, 'it may be asked for');
    assert.equal(later.enrolled(applicant('a', null, 1)).node, 4, 'the same life cannot have it');
    const again = later.enrolled(applicant('a', null, 2));
    assert.equal(again.node, 1);
    later.commit(later.afterEntering([again], 100));
    assert.deepEqual(later.failed, []);
  });

  it('gives it to anybody where it is known that whoever is gone has ended', () => {
    const roll = rollOf({ ...applicant('a'), lockspaces: [['x', 1]] });
    roll.commit(roll.afterChanges({ ...nothing, gone: new Set(['life of a, 1']) })!);
    assert.deepEqual(roll.failed, []);
    assert.equal(roll.enrolled(applicant('b', null, 2)).node, 1);
  });

  it('has a limit', () => {
    const roll = new Roll(nobody, []);
    const all = Array.from({ length: membersMax }, (_, at) => ({ ...applicant(`n${at}`), node: at + 1 }));
    roll.commit(roll.afterEntering(all, 1));
    assert.throws(() => roll.enrolled(applicant('one more')), { code: 'DLM_TOO_MANY' });
  });

  it('numbers views by the clock and by lives, and always above the last', () => {
    const roll = new Roll({ ...nobody, id: 7 }, []);
    const member = roll.enrolled(applicant('a', 1, 50));
    assert.equal(roll.afterEntering([member], 3).id, 50);
    assert.equal(roll.afterEntering([member], 100).id, 100);
    const late = new Roll({ ...nobody, id: 900 }, []);
    assert.equal(late.afterEntering([member], 100).id, 901);
  });
});

describe('changes', () => {
  it('of none there is no view, nor of an announcement that says nothing new', () => {
    const roll = rollOf(applicant('a'), applicant('b'));
    assert.equal(roll.afterChanges(nothing), null);
    assert.equal(roll.afterChanges({ ...nothing, announced: new Map([['life of a, 1', []]]) }), null);
  });

  it('of several at once there is one view, in which only those who left are named', () => {
    const roll = rollOf(applicant('a'), applicant('b'), applicant('c'));
    const next = roll.afterChanges({
      gone: new Set(['life of a, 1']),
      leaving: new Set(['life of b, 1']),
      announced: new Map([['life of c, 1', [['x', 1]]]]),
    })!;
    assert.equal(next.id, roll.last.id + 1);
    assert.deepEqual(nodesOf(next), [3]);
    assert.deepEqual(next.leftCleanly, [2]);
    assert.deepEqual(next.members[0]!.lockspaces, [['x', 1]]);
  });

  it('are told to the node without what only the engine needs', () => {
    const roll = rollOf({ ...applicant('a'), lockspaces: [['x', 3]] });
    assert.deepEqual(viewOf(roll.last), {
      id: 100,
      isQuorate: true,
      members: [{ node: 1, incarnation: 1, name: 'a', address: '', weight: 1, lockspaces: new Map([['x', 3]]) }],
      leftCleanly: [],
    });
  });
});

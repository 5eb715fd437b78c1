/**
 * Whose turn it is to put a slot in order: on the coordinator it follows from what all members report, and a member
 * reports all that it has been told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecoveryWork } from '../../src/core/application/recovery-work.js';
import { generation, nodeId, slot, viewId, type NodeId } from '../../src/core/base/ids.js';
import { assignWork, pendingOf } from '../../src/core/recovery/pending.js';
import type { MemberReport, PendingSlot } from '../../src/core/wire/message.js';

const work = (by: number | null, tries = 0): PendingSlot => ({ slot: slot(2), victim: nodeId(1), since: viewId(38), by: by === null ? null : nodeId(by), tries });

/** What is agreed when these nodes, each with an application and the slot of its number, know this of one and the same failure. */
function agreed(...known: readonly (readonly [node: number, pending: PendingSlot])[]): PendingSlot[] {
  const reports = new Map<NodeId, MemberReport>(
    known.map(([node, pending]) => [nodeId(node), { slot: slot(node), generation: generation(1), terms: [], hasApplication: true, hasResumed: true, isInitialized: true, pending: [pending], recovered: [] }]),
  );
  return assignWork(pendingOf(reports, viewId(41)), known.map(([node]) => ({ node: nodeId(node), slot: slot(node), hasApplication: true, hasResumed: true })));
}

test('whose turn it is may be known to him alone, who has begun perhaps: he keeps it, whoever reports first', () => {
  assert.deepEqual(agreed([1, work(null)], [2, work(2)], [3, work(null)]), [work(2)]);
  assert.deepEqual(agreed([2, work(2)], [1, work(null)]), [work(2)]);
});

test('who says that it is his turn keeps it, though others still believe that it is that of a node which has come anew since (seed 3000471)', () => {
  assert.deepEqual(agreed([3, work(1, 1)], [2, work(2, 1)], [1, work(null)]), [work(2, 1)]);
  assert.deepEqual(agreed([2, work(2, 1)], [3, work(1, 1)], [1, work(null)]), [work(2, 1)]);
});

test('that somebody has tried in vain is known to some only: it is the next one\'s turn', () => {
  assert.deepEqual(agreed([1, work(1)], [2, work(2, 1)]), [work(2, 1)]);
  assert.deepEqual(agreed([2, work(2, 1)], [1, work(null)]), [work(2, 1)]);
});

test('where nobody knows whose turn it is, or he is gone, it is that of the first', () => {
  assert.deepEqual(agreed([2, work(null)], [3, work(null)]), [work(2)]);
  assert.deepEqual(agreed([2, work(4)], [3, work(4)]), [work(2)]);
});

test('whoever has just come may be the only one left who was told whose turn it is now, and reports it (seed 4001393)', () => {
  const newcomer = new RecoveryWork();
  newcomer.follow(new Set(), new Set(), viewId(39));
  assert.equal(newcomer.note(work(3, 1), false), true);
  assert.deepEqual(newcomer.report.pending, [work(3, 1)]);
});

test('who has been told that it is his turn begins when he knows the others, or he could pass it on to nobody (seed 4008063)', () => {
  const newcomer = new RecoveryWork();
  newcomer.follow(new Set(), new Set(), viewId(39));
  newcomer.note(work(3, 1), false);
  assert.equal(newcomer.next(nodeId(3)), null);
  newcomer.agree([2, 3].map((node) => ({ node: nodeId(node), slot: slot(node), hasApplication: true, hasResumed: true })), [work(2)]);
  assert.deepEqual(newcomer.next(nodeId(3)), work(3, 1));
  assert.deepEqual(newcomer.passedOn(work(3, 1), nodeId(3)), work(2, 2));
});

test('what is told late, when all have agreed and it was not pending any more, is done', () => {
  const member = new RecoveryWork();
  member.follow(new Set(), new Set(), viewId(39));
  member.agree([], []);
  assert.equal(member.note(work(3, 1), false), false);
  assert.deepEqual(member.report.pending, []);
});

test('what was told to be done stays so, though an earlier word comes later', () => {
  const newcomer = new RecoveryWork();
  newcomer.follow(new Set(), new Set(), viewId(39));
  assert.equal(newcomer.note(work(3, 1), true), true);
  assert.equal(newcomer.note(work(3, 1), false), false);
  assert.deepEqual(newcomer.report.pending, []);
  assert.deepEqual(newcomer.report.recovered, [work(3, 1)]);
});

test('while somebody has all slots looked at, nobody begins with one of them', () => {
  const all: PendingSlot = { ...work(1), slot: null, victim: null };
  const slots = [1, 2].map((node) => ({ node: nodeId(node), slot: slot(node), hasApplication: true, hasResumed: true }));
  const [one, other] = [new RecoveryWork(), new RecoveryWork()];
  for (const each of [one, other]) each.agree(slots, [work(2), all]);
  assert.deepEqual([one.next(nodeId(1)), other.next(nodeId(2))], [all, null]);
  other.note(all, true);
  assert.deepEqual(other.next(nodeId(2)), work(2));
});

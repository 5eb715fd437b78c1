/**
 * A queue keeps order, whoever joins or leaves, and can be walked while the lock
 * in hand is taken away.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lkid, millis, ownerId } from '../../src/core/base/ids.js';
import { Lock } from '../../src/core/lock/lock.js';
import { Queue, nobody } from '../../src/core/lock/queue.js';
import { Resource } from '../../src/core/lock/resource.js';
import { nowhere } from '../../src/core/lockspace/resource-table.js';

const resource = new Resource('R', 1, nowhere);
const lockOf = (id: number): Lock => new Lock(lkid(id), resource, ownerId(1), null, millis(0));

/** The ids from head to tail, checked backwards as well. */
function idsOf(queue: Queue): number[] {
  const forwards = [...queue].map((lock) => lock.id);
  const backwards: number[] = [];
  for (let lock = queue.last; lock !== null; lock = lock.previous) backwards.push(lock.id);
  assert.deepEqual(backwards.reverse(), forwards);
  assert.equal(queue.isEmpty, forwards.length === 0);
  return forwards;
}

test('who joins at the tail comes last, who joins at the head comes first', () => {
  const queue = new Queue();
  assert.deepEqual(idsOf(queue), []);
  queue.append(lockOf(1));
  queue.append(lockOf(2));
  queue.prepend(lockOf(3));
  assert.deepEqual(idsOf(queue), [3, 1, 2]);
});

test('anybody can leave: the first, the last, one in between, the only one', () => {
  const queue = new Queue();
  const locks = [1, 2, 3, 4].map(lockOf);
  for (const lock of locks) queue.append(lock);
  for (const [leaver, left] of [[1, [1, 3, 4]], [0, [3, 4]], [3, [3]], [2, []]] as const) {
    queue.remove(locks[leaver]!);
    assert.deepEqual(idsOf(queue), left);
  }
  queue.append(locks[0]!);
  assert.deepEqual(idsOf(queue), [1]);
});

test('a walk goes on when the lock in hand leaves', () => {
  const queue = new Queue();
  for (const id of [1, 2, 3]) queue.append(lockOf(id));
  const seen: number[] = [];
  for (const lock of queue) {
    seen.push(lock.id);
    queue.remove(lock);
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.deepEqual(idsOf(queue), []);
});

test('the queue of a resource nobody queues for can never be joined', () => {
  assert.equal(resource.waitQueue, nobody);
  assert.throws(() => nobody.append(lockOf(1)), TypeError);
});

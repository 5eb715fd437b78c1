/**
 * Numbers are never given out twice: ids while a lock bears one, masterships never,
 * be it that a resource is forgotten or a whole lockspace removed and made again.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { incarnation, lkid, millis, nodeId, ownerId, type Lkid } from '../../src/core/base/ids.js';
import { EX } from '../../src/core/lock/mode.js';
import { Lock } from '../../src/core/lock/lock.js';
import { Resource } from '../../src/core/lock/resource.js';
import { nowhere } from '../../src/core/lockspace/resource-table.js';
import { LockTable } from '../../src/core/lockspace/lock-table.js';
import { defaultConfig } from '../../src/core/lockspace/lockspace.js';
import { Numbers } from '../../src/core/lockspace/numbers.js';
import type { Effect } from '../../src/core/node/effect.js';
import { DlmNode } from '../../src/core/node/node.js';

type Complete = Extract<Effect, { kind: 'complete' }>;

/** A node and its one lock on R at a time. */
class Bench {
  readonly #node = new DlmNode({ self: nodeId(1), incarnation: incarnation(1) });

  join(lockspace: string): void {
    this.#node.step(millis(0), { kind: 'joinLockspace', lockspace, config: defaultConfig });
  }

  leave(lockspace: string): void {
    this.#node.step(millis(0), { kind: 'leaveLockspace', lockspace, force: true });
  }

  lock(lockspace: string, name = 'R'): Complete {
    const call = { mode: EX, flags: 0, value: null, owner: ownerId(1), name, cookie: null } as const;
    return this.#node.step(millis(0), { kind: 'lock', lockspace, ...call })[0] as Complete;
  }

  unlock(lockspace: string, id: Lkid): void {
    this.#node.step(millis(0), { kind: 'unlock', lockspace, lkid: id, flags: 0, value: null });
  }
}

describe('a lock id', () => {
  test('is never used again, whatever ends meanwhile', () => {
    const bench = new Bench();
    bench.join('one');
    bench.join('two');
    const seen = new Set<Lkid>();
    for (let round = 0; round < 1000; round += 1) {
      const lockspace = round % 3 === 0 ? 'one' : 'two';
      const { lkid: id } = bench.lock(lockspace);
      assert.ok(!seen.has(id) && id > 0);
      seen.add(id);
      bench.unlock(lockspace, id);
      if (round % 100 === 99) {
        bench.leave('two');
        bench.join('two');
      }
    }
  });

  test('starts over after the largest, leaving out those in use', () => {
    const numbers = new Numbers();
    const taken = new Set<number>([1, 2, 4]);
    const next = (): number => numbers.nextLkid({ get: (id) => (taken.has(id) ? id : null) });
    assert.deepEqual([next(), next(), next()], [3, 5, 6]);
  });
});

describe('a mastership', () => {
  test('stays while the resource is in use, and is new when the name is taken up again', () => {
    const bench = new Bench();
    bench.join('one');
    const first = bench.lock('one');
    const other = bench.lock('one', 'S');
    bench.unlock('one', first.lkid);
    const second = bench.lock('one');
    assert.ok(second.mastership > other.mastership && other.mastership > first.mastership);
    assert.equal(second.sequence, 1);
  });

  test('never repeats when a lockspace is removed and made again', () => {
    const bench = new Bench();
    const seen = new Set<number>();
    for (let round = 0; round < 50; round += 1) {
      bench.join('one');
      const { mastership } = bench.lock('one');
      assert.ok(!seen.has(mastership));
      seen.add(mastership);
      bench.leave('one');
    }
  });

  test('is the same again within ten seconds only if a value was lost, and then the sequence goes on', () => {
    const node = new DlmNode({ self: nodeId(1), incarnation: incarnation(1) });
    node.step(millis(0), { kind: 'joinLockspace', lockspace: 'one', config: defaultConfig });
    const lock = (): Complete =>
      node.step(millis(0), { kind: 'lock', lockspace: 'one', mode: EX, flags: 0, value: null, owner: ownerId(1), name: 'R', cookie: null })[0] as Complete;
    const first = lock();
    node.step(millis(0), { kind: 'endOwner', owner: ownerId(1) });
    const second = lock();
    assert.deepEqual([second.mastership, second.sequence], [first.mastership, first.sequence + 1]);
  });
});

describe('the table of locks', () => {
  test('finds each lock by its id until it is removed, in whatever order', () => {
    const table = new LockTable();
    const resource = new Resource('R', 1, nowhere);
    const locks = [1, 2, 63, 64, 65, 1000, 0x7fffffff, 3].map((id) => new Lock(lkid(id), resource, ownerId(1), null, millis(0)));
    for (const lock of locks) table.add(lock);
    assert.equal(table.size, locks.length);
    assert.deepEqual(new Set(table), new Set(locks));
    for (const [index, lock] of locks.entries()) {
      assert.equal(table.get(lock.id), lock);
      table.remove(lock);
      assert.equal(table.get(lock.id), null);
      assert.equal(table.size, locks.length - 1 - index);
    }
    assert.deepEqual([...table], []);
  });
});

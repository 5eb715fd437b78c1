/**
 * The habits of the lockspace device that the recordings were made through: they
 * are not the lock manager's, but whoever compares with a recording must have them.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kernelLaw } from '../../src/core/lock/law.js';
import { Device, oneNode } from '../../src/core/sim/conformance/device.js';
import type { Outcome } from '../../src/core/sim/conformance/recording.js';
import { parseScenarios } from '../../src/core/sim/conformance/scenario.js';

/** What the last line of a scenario leads to. */
function last(text: string): Outcome {
  const [scenario] = parseScenarios(`scenario a\n${text}`);
  const device = new Device(kernelLaw, { ...oneNode, scenario: scenario! });
  return scenario!.steps.map((step) => device.perform(step)).at(-1)!;
}

describe('a value buffer', () => {
  test('is made by the first call with VALBLK, and an unlock without one before writes nothing', () => {
    const { st } = last('lock N res=R mode=NL\nlock A res=R mode=EX\nunlock A flags=VALBLK lvb=01');
    assert.deepEqual(st, { R: { g: ['N:NL'] } });
  });

  test('is shown by every completion from then on, whatever it holds', () => {
    const { ev } = last('lock A res=R mode=PR flags=VALBLK\nconvert A mode=CR lvb=07');
    assert.deepEqual(ev, [{ ast: 'A', status: '0', lvb: '07' }]);
  });

  test('is overwritten by a refused conversion as well', () => {
    const { st } = last(`lock N res=R mode=NL
      lock A res=R mode=EX flags=VALBLK
      convert A mode=NL flags=QUECVT lvb=09
      exit p3
      unlock A flags=VALBLK lvb=0a`);
    assert.equal(st?.R?.lvb, '0a');
  });

  test('goes to whoever adopts the lock', () => {
    const orphan = (flags: string, adopt: string): string => `lock N res=R mode=NL
      lock p2:A res=R mode=EX flags=PERSISTENT${flags}
      exit p2
      lock B res=R mode=EX flags=ORPHAN${adopt}`;
    const withBuffer = last(`${orphan(',VALBLK', '')}\nunlock B flags=VALBLK lvb=05`);
    assert.equal(withBuffer.st?.R?.lvb, '05');
    const without = last(`${orphan('', ',VALBLK')}\nunlock B flags=VALBLK lvb=05`);
    assert.equal(without.st?.R?.lvb, undefined);
  });
});

describe('callbacks', () => {
  test('wait in the device after a step in haste, and a blocking one that says nothing new is dropped there', () => {
    const { ev } = last('lock A res=R mode=EX\n! lock B res=R mode=EX\n! convert A mode=EX\nlock C res=R mode=PR');
    assert.deepEqual(ev, [{ bast: 'A', mode: 'EX' }, { ast: 'A', status: '0' }, { bast: 'A', mode: 'EX' }]);
  });

  test('are not given to a lock without an address for them, until a conversion gives one', () => {
    assert.deepEqual(last('lock A res=R mode=EX nobast\nlock B res=R mode=PR').ev, []);
    const { ev } = last('lock A res=R mode=EX nobast\nlock B res=R mode=PR\nconvert A mode=EX');
    assert.deepEqual(ev, [{ ast: 'A', status: '0' }, { bast: 'A', mode: 'PR' }]);
  });

  test('of an orphan are read by nobody', () => {
    const { ev, st } = last('lock p2:A res=R mode=EX flags=PERSISTENT\nlock B res=R mode=PR\nexit p2\nconvert p2:A mode=PR');
    assert.deepEqual(ev, [{ ast: 'B', status: '0' }]);
    assert.deepEqual(st, { R: { g: ['B:PR', 'p2:A:PR'] } });
  });
});

describe('a call', () => {
  test('without an address for completions is refused', () => {
    assert.equal(last('lock A res=R mode=EX nocast').rc, 'EINVAL');
    assert.equal(last('lock A res=R mode=EX\nconvert A mode=NL nocast').rc, 'EINVAL');
  });

  test('to lock with CONVERT is a conversion of the id it gives, or of none', () => {
    assert.equal(last('lock A res=R mode=EX\nlock B res=R mode=PR flags=CONVERT').rc, 'ENOENT');
    const { rc, st } = last('lock A res=R mode=EX\nlock B res=R mode=PR flags=CONVERT lkid=@A');
    assert.deepEqual([rc, st], ['0', { R: { g: ['A:PR'] } }]);
  });

  test('finds a lock busy whose end nobody has read, and cannot unlock it twice', () => {
    assert.equal(last('lock A res=R mode=EX\n! unlock A\nconvert A mode=NL').rc, 'EBUSY');
    assert.equal(last('lock A res=R mode=EX\nunlock A\nconvert A mode=NL').rc, 'ENOENT');
    assert.equal(last('lock A res=R mode=EX\n! unlock A\nunlock A').rc, 'ENOENT');
  });

  test('waits while locking is suspended, and its end shows when it starts again', () => {
    assert.equal(last('suspend\nlock A res=R mode=EX').rc, 'BLOCKED');
    const { ev } = last('suspend\nlock A res=R mode=EX\nresume');
    assert.deepEqual(ev, [{ ast: 'A', status: '0' }, { late_rc: 'lock A res=R mode=EX', rc: '0' }]);
  });

  test('to purge means one\'s own locks, the orphans of a process, or all of them', () => {
    const orphans = 'lock p2:A res=R mode=PR flags=PERSISTENT\nlock p3:B res=R mode=PR flags=PERSISTENT\nlock C res=R mode=PR\nexit p2\nexit p3';
    assert.deepEqual(last(`${orphans}\npurge nodeid=1 pid=@p2`).st, { R: { g: ['C:PR', 'p3:B:PR'] } });
    assert.deepEqual(last(`${orphans}\npurge nodeid=1 pid=0`).st, { R: { g: ['C:PR'] } });
    assert.deepEqual(last(`${orphans}\npurge nodeid=1 pid=@p1`).st, { R: { g: ['p3:B:PR', 'p2:A:PR'] } });
    assert.equal(last('purge nodeid=9 pid=0').rc, 'ENOBUFS');
  });
});

describe('among several nodes', () => {
  test('a buffer comes back from the master as it was sent, though it was overwritten meanwhile', () => {
    const waits = 'nodes 3\nlock A res=R mode=EX\nlock n2:B res=R mode=PR flags=VALBLK\nconvert n2:B mode=EX lvb=09\nunlock A';
    assert.deepEqual(last(waits).ev?.find((event) => 'ast' in event && event.ast === 'n2:B'), { ast: 'n2:B', status: '0', lvb: '' });
    const local = waits.replace('nodes 3\n', '').replaceAll('n2', 'p2');
    assert.deepEqual(last(local).ev?.find((event) => 'ast' in event && event.ast === 'p2:B'), { ast: 'p2:B', status: '0', lvb: '09' });
  });

  test('the master is told, and whoever dies takes its locks along', () => {
    const { ev, st } = last('nodes 3\nlock n3:A res=R mode=EX\nlock n2:B res=R mode=PR\nkill n3');
    assert.deepEqual(ev, [{ ast: 'n2:B', status: '0' }]);
    assert.deepEqual(st, { R: { g: ['n2:B:PR'], master: 2 } });
  });

  test('a leave ends the locks of its processes first, and the value they may have been writing', () => {
    const { st } = last(`nodes 3
      lock N res=R mode=NL flags=VALBLK
      lock n3:A res=R mode=EX flags=VALBLK
      convert n3:A mode=EX flags=VALBLK lvb=0102
      leave n3`);
    assert.deepEqual(st, { R: { g: ['N:NL'], lvb: '0102', invalid: true, master: 1 } });
  });

  test('a node that joins is none before, and changes no master', () => {
    const { st } = last('nodes 3\nlock n2:A res=R mode=PR\njoin n3\nlock n3:B res=R mode=PR');
    assert.deepEqual(st, { R: { g: ['n3:B:PR', 'n2:A:PR'], master: 2 } });
  });

  test('a call waits on the node that made it, and its lock never gets its label', () => {
    const { ev, st } = last('nodes 3\nlock A res=R mode=PR\nsuspend\nlock n2p2:B res=R mode=PR\nunlock p2:Z lkid=999\nresume');
    assert.deepEqual(ev, [
      { ast: 'n2p2:B', status: '0' },
      { late_rc: 'lock n2p2:B res=R mode=PR', rc: '0' },
      { late_rc: 'unlock p2:Z lkid=999', rc: 'ENOENT' },
    ]);
    assert.deepEqual(st, { R: { g: ['?:PR', 'A:PR'], master: 1 } });
  });

  test('a purge reaches the orphans of another node, and fails where there is no such node', () => {
    const orphan = 'nodes 3\nlock N res=R mode=NL\nlock n2p2:A res=R mode=EX flags=PERSISTENT\nexit n2p2';
    assert.deepEqual(last(`${orphan}\npurge nodeid=2 pid=@n2p2`).st, { R: { g: ['N:NL'], master: 1 } });
    assert.equal(last(`${orphan}\nkill n2\npurge nodeid=2 pid=0`).rc, 'ENOBUFS');
  });
});

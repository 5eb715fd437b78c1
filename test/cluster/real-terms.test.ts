/**
 * Members of a real cluster that take a lockspace to be otherwise: whoever joins is told
 * so by the command that joins, not later and not in a log, and how to join instead.
 */
import assert from 'node:assert/strict';
import { test } from '../kill/bounded.js';
import { signalAll } from '../kill/processes.js';
import { Fleet } from './fleet.js';

const unknownExit = 92;
const existsExit = 93;

test('whoever joins with another order or other values is told what the others have, and joins as they do', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'lockspace', 'create', 'store', '--order', 'gfs');

  const other = fleet.at(2, 'lockspace', 'create', 'store', '--value-length', '64');
  assert.equal(await other.exit, existsExit, other.said());
  assert.match(other.said(), /have lockspace 'store' with values of 32 bytes and the order gfs, and here it was joined with values of 64 bytes and the order fence-first$/m);
  assert.match(other.said(), /^hint: join it as they have it, with --value-length 32 --order gfs$/m);
  const later = fleet.at(2, 'lockspace', 'show', 'store');
  assert.equal(await later.exit, existsExit);
  assert.match(later.said(), /and the order gfs/, 'whoever asks later is told, too');
  assert.equal(await fleet.at(2, 'lockspace', 'show', 'else').exit, unknownExit);

  await fleet.sayAt(2, 'lockspace', 'create', 'store', '--order', 'gfs');
  await fleet.sayAt(2, 'lock', '-l', 'store', 'data', '-q', '--', 'true');
});

test('an application whose order the others do not have ends, and another one may attach', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  const hooks = ['--on-suspend', 'true', '--on-recover', 'true', '--on-resume', 'true'];
  await fleet.sayAt(1, 'lockspace', 'create', 'store', '--order', 'gfs');
  const other = fleet.at(2, 'app', 'attach', '-l', 'store', '--order', 'suspend<dlm dlm<resume fence<app app<resume', ...hooks);
  assert.equal(await other.exit, existsExit, other.said());
  assert.match(other.said(), /^hint: join it as they have it, with --order gfs$/m);
  const fitting = fleet.at(2, 'app', 'attach', '-l', 'store', ...hooks, '--suspend-timeout', '20');
  await fleet.until([2], 'it is in the lockspace', ({ lockspaces }) => lockspaces.some(({ name, standing }) => name === 'store' && standing === 'running'));
  signalAll([fitting.pid], 'SIGTERM');
  assert.equal(await fitting.exit, 0, fitting.said());
});

test('the first lock of a node says it, where the default lockspace has another order', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'lockspace', 'create', 'default', '--order', 'gfs');
  const lock = fleet.at(2, 'lock', 'data', '-q', '--', 'true');
  assert.equal(await lock.exit, existsExit, lock.said());
  assert.match(lock.said(), /with the order gfs, and here it was joined with the order fence-first/);
});

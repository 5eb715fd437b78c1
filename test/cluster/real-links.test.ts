/**
 * A cluster whose nodes are linked over TCP, with a key: it works, one who has another
 * key is not let in and everybody says so, and nothing leaves the machine in the clear
 * unless somebody insists.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { freePorts } from '../host/free-ports.js';
import { test } from '../kill/bounded.js';
import { everybody, Fleet, isRunningWith } from './fleet.js';

const key = (): string => `${randomBytes(32).toString('base64')}\n`;

test('linked over TCP with a key: all are encrypted, and lock across', async (test) => {
  const taken = await freePorts(3);
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  const file = fleet.file('key', key());
  for (const node of everybody) await fleet.join(node, '--listen', `tcp:127.0.0.1:${taken[node - 1]}`, '--key-file', file);
  await fleet.until(everybody, 'all are linked', ({ cluster }) => cluster?.members.filter(({ link }) => link === 'encrypted').length === 2);
  const loops = everybody.map((node) => fleet.at(node, 'lvb', 'incr', 'tickets'));
  assert.deepEqual(await Promise.all(loops.map(({ exit }) => exit)), [0, 0, 0]);
  assert.deepEqual(loops.map((loop) => loop.said().trim()).sort(), ['1', '2', '3']);
  await fleet.kill(2);
  await fleet.until([1, 3], 'the others go on', isRunningWith(1, 3));
  await fleet.sayAt(3, 'lock', 'tickets', '-q', '--', 'true');
});

test('with another key a node gets no link: its own status says so, and that of the others', async (test) => {
  const taken = await freePorts(3);
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  const files = [fleet.file('key', key()), fleet.file('other', key())];
  for (const node of everybody) await fleet.join(node, '--listen', `tcp:127.0.0.1:${taken[node - 1]}`, '--key-file', files[node === 3 ? 1 : 0]!);
  await fleet.until([1, 2], 'the two are linked', ({ cluster }) => cluster?.members.some(({ link }) => link === 'encrypted') === true);
  await fleet.sayAt(1, 'lock', 'a', '-q', '--', 'true');
  await fleet.sayAt(2, 'lock', 'a', '-q', '--', 'true');
  assert.match(await fleet.sayAt(1, 'node', 'status'), /no link +to node 3\n/);
  assert.match(await fleet.sayAt(3, 'node', 'status'), /no link +to node 1, 2\n/);
  assert.match(await fleet.sayAt(3, 'node', 'list'), /n1 +down.*\n.*n2 +down/);
  assert.match(fleet.log(3), /node 1: the key does not fit/);
  const heard = fleet.log(1).split('\n').filter((line) => line.includes('without our key'));
  assert.equal(heard.length, 1, 'said once, though it is tried again and again');
  const outside = fleet.at(3, 'lock', 'a', '-w', '1.5', '--', 'true');
  assert.equal(await outside.exit, 81);
  assert.match(outside.said(), /recovering: members 1\/6, waiting for node 1/);
});

test('nobody listens beyond this machine without a key, unless he insists; then the status is loud', async (test) => {
  const [port] = await freePorts(1, '0.0.0.0');
  const fleet = await Fleet.of([1]);
  test.after(() => fleet.clear());
  await assert.rejects(fleet.join(2, '--listen', `tcp:0.0.0.0:${port}`), /leaves this machine needs a key/);
  assert.equal(fleet.pidAt(2), 0);
  await assert.rejects(fleet.join(2, '--listen', `tcp:127.0.0.1:${port}`, '--key-file', fleet.file('short', 'abc')), /too short/);
  const open = fleet.file('open', 'a key that everybody on this machine may read\n');
  chmodSync(open, 0o644);
  await assert.rejects(fleet.join(2, '--listen', `tcp:127.0.0.1:${port}`, '--key-file', open), /holds a secret, and others than its owner may read it/);
  assert.doesNotMatch(fleet.log(1), /n2/, 'it was never a member');
  await fleet.join(2, '--listen', `tcp:0.0.0.0:${port}`, '--insecure');
  for (const node of [1, 2]) assert.match(await fleet.sayAt(node, 'node', 'status'), /INSECURE/);
});

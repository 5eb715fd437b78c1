/**
 * A cluster whose nodes are linked over TCP, with a key: it works, one whose key nobody
 * has does not stay, one whose key only some have is named by everybody who waits for it,
 * and nothing leaves the machine in the clear unless somebody insists.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { serveNode, type NodeStatus } from '../../src/core/index.js';
import { freePorts } from '../host/free-ports.js';
import { test } from '../kill/bounded.js';
import { signalAll } from '../kill/processes.js';
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

test('a node whose key no member has finds that out when it joins, says so, and leaves again', async (test) => {
  const taken = await freePorts(3);
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  const files = [fleet.file('key', key()), fleet.file('other', key())];
  // It is dialled by one of the two, and dials the other.
  for (const node of [1, 3]) await fleet.join(node, '--listen', `tcp:127.0.0.1:${taken[node - 1]}`, '--key-file', files[0]!);
  await fleet.sayAt(1, 'lock', 'a', '-q', '--', 'true');
  const joining = fleet.join(2, '--listen', `tcp:127.0.0.1:${taken[1]}`, '--key-file', files[1]!);
  await Promise.all([
    assert.rejects(joining, /did not come up: no member accepts the key of this node: the handshake with node 1, 3 is refused, so it has left again\nhint: give all nodes of the cluster the same key with --key-file, and join again; its log is /),
    fleet.until([1, 3], 'both see why there is no link', ({ cluster }) => cluster?.members.some(({ node, link }) => node === 2 && link === 'other key') === true),
  ]);
  assert.equal(fleet.pidAt(2), 0);
  await fleet.until([1, 3], 'it has left', ({ members }) => members.join() === '1,3');
  assert.match(fleet.log(1), /node 2 \(n2\) has left/);
  await fleet.sayAt(3, 'lock', 'a', '-q', '--', 'true');
  const again = fleet.at(2, 'node', 'join', '--cluster', 'demo', '--cluster-dir', fleet.clusters, '--listen', `tcp:127.0.0.1:${taken[1]}`, '--key-file', files[1]!, '--detach');
  assert.equal(await again.exit, 78);
});

test('whose key cannot be read is remembered as one that was to join: no command starts a node of no cluster there', async (test) => {
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  await assert.rejects(fleet.join(2, '--key-file', `${fleet.folder}/none`), /the key of the cluster/);
  const alone = fleet.at(2, 'lock', 'a', '-q', '--', 'true');
  assert.equal(await alone.exit, 96, alone.said());
  assert.match(alone.said(), /hint: .*dlm node join --cluster demo .*--key-file=? ?\S+none/);
});

test('so does a node without a key where others have one; told to stop meanwhile, it leaves in good order', async (test) => {
  const taken = await freePorts(2);
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  await fleet.join(1, '--listen', `tcp:127.0.0.1:${taken[0]}`, '--key-file', fleet.file('key', key()));
  const words = ['--listen', `tcp:127.0.0.1:${taken[1]}`];
  await assert.rejects(fleet.join(2, ...words), /no member accepts this node without a key: the handshake with node 1 is refused, so it has left again\n/);
  await fleet.until([1], 'it has left', ({ members }) => members.join() === '1');
  const joining = fleet.at(2, 'node', 'join', '--cluster', 'demo', '--cluster-dir', fleet.clusters, '--node', '2', '--name', 'n2', ...words);
  await fleet.until([1], 'it is a member', ({ cluster }) => cluster?.members.some(({ link }) => link === 'other key') === true);
  signalAll([joining.pid], 'SIGTERM');
  assert.equal(await joining.exit, 143);
  assert.match(joining.said(), /dlm: the node was told to stop before it served anybody, so it has left again\nhint: /);
  await fleet.until([1], 'it has left', ({ members }) => members.join() === '1');
  assert.equal(fleet.log(1).match(/node 2 \(n2\) has left/g)?.length, 2);
  assert.doesNotMatch(fleet.log(1), /has failed/);
});

test('so does one that has neither a key nor an address, where who decides is beyond this machine; nobody stands still for it', async (test) => {
  const [port] = await freePorts(1, '0.0.0.0');
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  const file = fleet.file('key', key());
  await fleet.join(1, '--listen', `tcp:0.0.0.0:${port}`, '--key-file', file);
  await fleet.sayAt(1, 'lock', 'a', '-q', '--', 'true');
  await assert.rejects(fleet.join(2, '--listen', `tcp:0.0.0.0:${port}`, '--key-file', file), /cannot listen on .*\nhint: name an address of this machine and a free port with --listen/);
  await assert.rejects(fleet.join(2), /no member accepts this node without a key: .* node 1 .*, so it has left again\nhint: .*--key-file/);
  await fleet.until([1], 'it has left', ({ members }) => members.join() === '1');
  await fleet.sayAt(1, 'lock', 'a', '-w', '20', '-q', '--', 'true');
});

test('where a key is changed halfway only, whoever looks or waits is told whose handshake is refused', async (test) => {
  const taken = await freePorts(3);
  const fleet = await Fleet.of([]);
  test.after(() => fleet.clear());
  const keys = [key(), key()];
  const listening = (node: number): string => `tcp:127.0.0.1:${taken[node - 1]}`;
  await fleet.join(1, '--listen', listening(1), '--key-file', fleet.file('key', keys[0]!));
  const both = keys.map((text) => Buffer.from(text.trim()));
  const served = await serveNode({ dir: fleet.place(2), cluster: { cluster: 'demo', base: fleet.clusters, node: 2, name: 'n2', listen: listening(2), keys: both }, log: () => undefined });
  test.after(() => served.leave({ force: true }).catch(() => undefined));
  await fleet.sayAt(1, 'lock', 'a', '-q', '--', 'true');
  await fleet.join(3, '--listen', listening(3), '--key-file', fleet.file('other', keys[1]!));
  const isRefused = (who: number) => (status: NodeStatus): boolean => status.cluster!.members.some(({ node, link }) => node === who && link === 'other key');
  await fleet.until([1], 'it refuses the third', isRefused(3));
  await fleet.until([3], 'it refuses the first', isRefused(1));
  assert.match(fleet.log(3), /node 1: the key does not fit/);

  // The third joins the lockspace with its first lock, and from then on the others wait for it.
  for (const [asked, other] of [[3, 1], [1, 3]] as const) {
    const refused = `the handshake with node ${other} (n${other})`;
    const waiter = fleet.at(asked, 'lock', 'a', '-w', '1.5', '--', 'true');
    assert.equal(await waiter.exit, 81);
    assert.match(waiter.said(), new RegExp(`recovering: .*waiting for node ${other}\\b`));
    assert.ok(waiter.said().includes(`\n  ${refused}, which is still a member, is refused: it and this node have no key in common\n`), waiter.said());
    assert.match(waiter.said(), /\nhint: all nodes need the same key: leave with dlm node leave where the --key-file is the wrong one, and join again with the right one\n/);
    assert.match(await fleet.sayAt(asked, 'node', 'status'), new RegExp(`NO LINK +to node ${other}: the handshake is refused, since the two have no key in common.*\n +all nodes need the same key`));
    for (const words of [['members'], ['node', 'list']]) {
      const said = await fleet.sayAt(asked, ...words);
      assert.match(said, new RegExp(`n${other} +other key `));
      assert.ok(said.includes(`dlm: ${refused} is refused`), said);
    }
    const recovery = fleet.at(asked, 'recover', 'status');
    assert.equal(await recovery.exit, 2);
    assert.match(recovery.said(), new RegExp(`; the handshake with node ${other} is refused, since it and this node have no key in common`));
  }
  const heard = fleet.log(1).split('\n').filter((line) => line.includes('without our key'));
  assert.equal(heard.length, 1, 'said once, though it is tried again and again');

  await fleet.sayAt(3, 'node', 'leave', '--force');
  await fleet.sayAt(1, 'lock', 'a', '-w', '20', '-q', '--', 'true');
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
  assert.match(await fleet.sayAt(2, 'node', 'status'), /INSECURE/);
  assert.doesNotMatch(await fleet.sayAt(1, 'node', 'status'), /INSECURE/, 'its links stay here');
});

/**
 * Node links over real sockets: what they survive, whom they refuse, and what they say
 * about it.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { incarnation, nodeId } from '../../src/core/base/ids.js';
import { DlmError } from '../../src/core/base/errors.js';
import { encodeHello } from '../../src/core/wire/hello.js';
import { longest } from '../wire/messages.js';
import { prng } from '../wire/lossy-pair.js';
import { introduce, open, until, upTo, Wire, type Player } from './link-troupe.js';
import { scratch } from './scratch.js';

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

/** A connection that speaks for itself, and what it is told until it is hung up. */
function stranger(player: Player): { socket: Socket; told: Promise<Buffer> } {
  const [, host, port] = player.transport.addresses[0]!.split(':');
  const socket = connect({ host: host!, port: Number(port) });
  const chunks: Buffer[] = [];
  const told = new Promise<Buffer>((resolve) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
  return { socket, told };
}

describe('messages arrive once and in order', () => {
  test('while the connection is cut again and again, in the middle of frames', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    const wire = await Wire.to(context, one);
    const random = prng(20_05);
    // Now and then one that lasts: what is sent again grows into frames that a short one never lets through.
    wire.bytesMax = () => (random() < 0.2 ? 150_000 : 300 + Math.floor(random() * 5_000));
    introduce(one, other, wire);
    await until('they are connected', () => other.isConnectedTo(one));
    const count = 20_000;
    for (let first = 0; first < count; first += 50) {
      one.send(other, first, first + 50);
      other.send(one, first, first + 50);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until('all has come', () => one.heardFrom(other).length >= count && other.heardFrom(one).length >= count);
    assert.deepEqual(one.heardFrom(other), upTo(count));
    assert.deepEqual(other.heardFrom(one), upTo(count));
    context.diagnostic(`${wire.cuts} cuts, ${JSON.stringify(other.transport.status()[0]!.counts)}`);
    assert.ok(wire.cuts >= 5);
  });

  test('while replies and requests cross, and both connections are reset from outside', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    const wire = await Wire.to(context, one);
    introduce(one, other, wire);
    const count = 3_000;
    let cutAt = 100;
    one.onHeard = (from, messages) => {
      for (const message of messages) one.transport.send(from, message);
      if (one.heardFrom(other).length < cutAt) return;
      cutAt += 200;
      wire.cut();
    };
    for (let number = 0; number < count; number += 1) {
      other.send(one, number, number + 1);
      if (number % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until('all has come back', () => other.heardFrom(one).length >= count);
    assert.deepEqual(other.heardFrom(one), upTo(count));
    assert.ok(wire.cuts >= 5, `${wire.cuts} cuts`);
  });

  test('what was sent before there was a connection', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    other.transport.setMembers([one.member, other.member]);
    other.send(one, 0, 10);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(one.heardFrom(other), [], 'it does not know the sender yet');
    introduce(one, other);
    await until('they have come', () => one.heardFrom(other).length === 10);
    assert.deepEqual(one.heardFrom(other), upTo(10));
  });

  test('over a Unix socket', async (context) => {
    const folder = scratch(context);
    const one = await open(context, 1, { listen: [`unix:${folder}/1.sock`] });
    const other = await open(context, 2, { listen: [`unix:${folder}/2.sock`] });
    introduce(one, other);
    one.send(other, 0, 1_000);
    other.send(one, 0, 1_000);
    await until('they have come', () => one.heardFrom(other).length === 1_000 && other.heardFrom(one).length === 1_000);
  });

  test('great ones too, to a peer that does not read for a while', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    const wire = await Wire.to(context, one);
    introduce(one, other, wire);
    await until('they are connected', () => other.isConnectedTo(one));
    wire.clog(true);
    for (let count = 0; count < 5; count += 1) other.transport.send(one.node, longest());
    other.send(one, 0, 10);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(other.transport.status()[0]!.counts.backlogBytes > 1_000_000);
    wire.clog(false);
    await until('they have come', () => one.heardFrom(other).length === 15);
    assert.deepEqual(one.heardFrom(other).slice(5), upTo(10));
    assert.deepEqual(other.troubles, []);
  });

  test('what is collected goes out before the transport closes', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    introduce(one, other);
    await until('they are connected', () => other.isConnectedTo(one));
    other.send(one, 0, 100);
    await other.transport.close();
    await until('they have come', () => one.heardFrom(other).length === 100);
  });
});

describe('a peer that takes nothing', () => {
  test('is dialled anew when it acknowledges nothing for five seconds', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    const wire = await Wire.to(context, one);
    introduce(one, other, wire);
    await until('they are connected', () => other.isConnectedTo(one));
    wire.clog(true);
    other.send(one, 0, 10);
    await until('it is noticed', () => other.has('stalled'));
    wire.clog(false);
    await until('they have come', () => one.heardFrom(other).length === 10);
  });

  test('is dialled anew also when what it does not acknowledge was all written before its sender came to an end', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    const wire = await Wire.to(context, one);
    introduce(one, other, wire);
    await until('they are connected', () => other.isConnectedTo(one) && one.isConnectedTo(other));
    wire.clog(true);
    // As many as are written at once: nothing is left for the end.
    other.send(one, 0, 32);
    await until('it is noticed', () => other.has('stalled'));
    wire.clog(false);
    await until('they have come', () => one.heardFrom(other).length === 32);
    assert.deepEqual(one.heardFrom(other), upTo(32));
  });
});

describe('members', () => {
  test('who leaves is cut off; who comes back as another life begins anew', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    introduce(one, other);
    other.send(one, 0, 5);
    await until('they have come', () => one.heardFrom(other).length === 5);
    one.transport.setMembers([one.member]);
    await until('the link is gone', () => !other.isConnectedTo(one));
    one.send(other, 900, 910);
    other.send(one, 500, 510);
    await other.transport.close();

    const next = await open(context, 2, { life: 5_000 });
    introduce(one, next);
    next.send(one, 5, 10);
    one.send(next, 0, 5);
    await until('they have come', () => one.heardFrom(other).length === 10 && next.heardFrom(one).length === 5);
    assert.deepEqual(one.heardFrom(other), upTo(10));
    assert.deepEqual(next.heardFrom(one), upTo(5));
  });

  test('a session that only one side has begun again does not go on', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    introduce(one, other);
    other.send(one, 0, 5);
    await until('they have come', () => one.heardFrom(other).length === 5);
    one.transport.setMembers([one.member]);
    introduce(one, other);
    other.send(one, 5, 10);
    await until('it is refused', () => other.has('refused'));
    assert.match(other.troubles.at(-1)!.message, /begun again/);
    assert.equal(one.heardFrom(other).length, 5);

    other.transport.setMembers([other.member]);
    introduce(one, other);
    other.send(one, 10, 15);
    await until('they have come', () => one.heardFrom(other).length === 10);
    assert.deepEqual(one.heardFrom(other).slice(5), [10, 11, 12, 13, 14]);
  });

  test('three of them, all with all', async (context) => {
    const players = [await open(context, 1), await open(context, 2), await open(context, 3)];
    for (const player of players) player.transport.setMembers(players.map(({ member }) => member));
    for (const from of players) for (const to of players) if (from !== to) from.send(to, 0, 500);
    await until('all has come', () => players.every((to) => players.every((from) => from === to || to.heardFrom(from).length === 500)));
  });
});

describe('who is refused, and told why', () => {
  const cases: readonly (readonly [says: string, wishes: object, seenBy: object, what: RegExp])[] = [
    ['a node of another cluster', { cluster: 'other' }, {}, /different clusters/],
    ['another life than the one that is known', {}, { incarnation: incarnation(77) }, /started again/],
    ['a node that is no member', {}, { node: nodeId(3) }, /does not know/],
  ];
  for (const [says, wishes, seenBy, what] of cases) {
    test(says, async (context) => {
      const one = await open(context, 1);
      const other = await open(context, 2, wishes);
      one.transport.setMembers([one.member, { ...other.member, ...seenBy }]);
      other.transport.setMembers([one.member, other.member]);
      other.send(one, 0, 5);
      await until('it is told', () => other.has('refused'));
      assert.match(other.troubles[0]!.message, what);
      assert.equal(other.troubles.length, 1, 'told once, however often it tries');
      assert.ok(!one.isConnectedTo(other) && !other.isConnectedTo(one));
      assert.equal(one.heard.size, 0);
    });
  }

  test('another life that was dialled', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    one.transport.setMembers([one.member, other.member]);
    other.transport.setMembers([{ ...one.member, incarnation: incarnation(3) }, other.member]);
    await until('it is told', () => other.has('refused'));
    introduce(one, other);
    other.send(one, 0, 5);
    await until('they have come', () => one.heardFrom(other).length === 5);
  });

  test('another version', async (context) => {
    const one = await open(context, 1);
    const { socket, told } = stranger(one);
    const hello = encodeHello({ type: 'hello', cluster: 'play', from: nodeId(2), fromIncarnation: incarnation(2), to: nodeId(1), toIncarnation: incarnation(1_001), session: 1, peerSession: null });
    hello[4] = 99;
    socket.write(hello);
    assert.deepEqual([...(await told)], [...encodeHello({ type: 'refusal', reason: 'otherVersion' })]);
    assert.ok(one.has('malformed'));
  });

  test('a frame that is longer than any, before anything is kept for it', async (context) => {
    const one = await open(context, 1);
    const { socket, told } = stranger(one);
    socket.write(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 1, 2));
    assert.equal((await told).length, 0);
    assert.match(one.troubles[0]!.message, /a frame of 2147483647 bytes/);
  });

  test('whoever says nothing, or too many at once', async (context) => {
    const one = await open(context, 1);
    const crowd = Array.from({ length: 40 }, () => stranger(one));
    const first = await Promise.race(crowd.slice(32).map(({ told }) => told));
    assert.equal(first.length, 0);
    for (const { socket } of crowd) socket.destroy();
  });

  test('garbage of every kind, and the others do not notice', async (context) => {
    const one = await open(context, 1);
    const other = await open(context, 2);
    introduce(one, other);
    const random = prng(7);
    for (let count = 0; count < 30; count += 1) {
      const { socket, told } = stranger(one);
      socket.end(Uint8Array.from({ length: 1 + Math.floor(random() * 300) }, (_, index) => (index < 3 ? 0 : Math.floor(random() * 256))));
      await told;
    }
    other.send(one, 0, 5);
    await until('they have come', () => one.heardFrom(other).length === 5);
  });

  test('a member that sends garbage once it is welcome: hung up on, and nothing of it is heard', async (context) => {
    const one = await open(context, 1);
    one.transport.setMembers([{ node: nodeId(2), incarnation: incarnation(2), address: 'tcp:127.0.0.1:1' }]);
    const { socket, told } = stranger(one);
    const hello = encodeHello({ type: 'hello', cluster: 'play', from: nodeId(2), fromIncarnation: incarnation(2), to: nodeId(1), toIncarnation: incarnation(1_001), session: 1, peerSession: null });
    socket.write(hello);
    socket.write(Uint8Array.from([0, 0, 0, 50, 1, 1, ...Array<number>(44).fill(7)]));
    const welcome = await told;
    assert.equal(welcome[5], 3);
    assert.ok(one.has('malformed'));
    assert.equal(one.heard.size, 0);
  });
});

describe('keys', () => {
  test('with the same key links are encrypted, and survive cuts', async (context) => {
    const one = await open(context, 1, { keys: [key(1)] });
    const other = await open(context, 2, { keys: [key(1)] });
    const wire = await Wire.to(context, one);
    const random = prng(3);
    wire.bytesMax = () => (random() < 0.3 ? 200_000 : 2_000 + Math.floor(random() * 20_000));
    introduce(one, other, wire);
    await until('they are connected', () => other.isConnectedTo(one));
    assert.ok(one.transport.status()[0]!.isEncrypted);
    for (let first = 0; first < 4_000; first += 100) {
      one.send(other, first, first + 100);
      other.send(one, first, first + 100);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until('all has come', () => one.heardFrom(other).length >= 4_000 && other.heardFrom(one).length >= 4_000);
    assert.deepEqual(one.heardFrom(other), upTo(4_000));
    assert.deepEqual(other.heardFrom(one), upTo(4_000));
    assert.ok(wire.cuts > 0);
  });

  test('keys are changed one node after another', async (context) => {
    const one = await open(context, 1, { keys: [key(2), key(1)] });
    const other = await open(context, 2, { keys: [key(1), key(2)] });
    introduce(one, other);
    other.send(one, 0, 5);
    await until('they have come', () => one.heardFrom(other).length === 5);
  });

  const pairs: readonly (readonly [says: string, one: readonly Uint8Array[], other: readonly Uint8Array[]])[] = [
    ['another key', [key(1)], [key(2)]],
    ['a key on the side that dials only', [], [key(1)]],
    ['a key on the side that answers only', [key(1)], []],
  ];
  for (const [says, keysOfOne, keysOfOther] of pairs) {
    test(`${says}: refused, and both say so`, async (context) => {
      const one = await open(context, 1, { keys: keysOfOne });
      const other = await open(context, 2, { keys: keysOfOther });
      introduce(one, other);
      other.send(one, 0, 5);
      await until('both have said so', () => one.troubles.length > 0 && other.troubles.length > 0);
      assert.deepEqual([one, other].map(({ troubles }) => [troubles[0]!.kind, troubles[0]!.node]), [['otherKey', 2], ['otherKey', 1]]);
      assert.ok([one, other].every(({ transport }) => transport.status()[0]!.hasOtherKey));
      context.diagnostic(`${one.troubles[0]!.kind}: ${one.troubles[0]!.message} | ${other.troubles[0]!.kind}: ${other.troubles[0]!.message}`);
      assert.ok(!other.isConnectedTo(one));
      assert.equal(one.heard.size, 0);
    });
  }

  test('a server that shows a certificate instead of having the key is not spoken to', async (context) => {
    const heard: string[] = [];
    const impostor = createTlsServer({ ...(await certificate()), minVersion: 'TLSv1.3' }, (socket) => socket.on('data', () => heard.push('data')).on('error', () => undefined));
    impostor.listen(0, '127.0.0.1');
    await new Promise((resolve) => impostor.once('listening', resolve));
    context.after(() => impostor.close());
    const { port } = impostor.address() as { port: number };
    const other = await open(context, 2, { keys: [key(1)] });
    other.transport.setMembers([{ node: nodeId(1), incarnation: incarnation(1), address: `tcp:127.0.0.1:${port}` }]);
    await until('it is told', () => other.troubles.length > 0);
    assert.deepEqual(heard, []);
    assert.equal(other.troubles[0]!.kind, 'otherKey');
    context.diagnostic(`${other.troubles[0]!.kind}: ${other.troubles[0]!.message}`);
  });

  test('leaving the machine without one needs insisting', async (context) => {
    await assert.rejects(open(context, 1, { listen: ['tcp:0.0.0.0:0'] }), (error) => error instanceof DlmError && /key/.test(error.message));
    await open(context, 1, { listen: ['tcp:0.0.0.0:0'], insecure: true });
    const other = await open(context, 2);
    other.transport.setMembers([{ node: nodeId(1), incarnation: incarnation(1), address: 'tcp:192.0.2.1:7' }]);
    assert.deepEqual(other.troubles.map(({ kind }) => kind), ['address']);
    assert.deepEqual(other.transport.status().map(({ hasOtherKey }) => hasOtherKey), [true], 'the two have no key in common');
    await assert.rejects(open(context, 3, { keys: [new Uint8Array(8)] }), /too short/);
  });
});

/** One that everybody could make, signed by itself. */
async function certificate(): Promise<{ key: string; cert: string }> {
  const { execFileSync } = await import('node:child_process');
  const pem = execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=x', '-keyout', '-', '-out', '-', '-days', '2'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  ).toString();
  const at = pem.indexOf('-----BEGIN CERTIFICATE');
  return { key: pem.slice(0, at), cert: pem.slice(at) };
}

/**
 * The exit code of `dlm node status`, in words and as JSON: 0 healthy, 2 not
 * quorate, 1 no answer; and what reading a value does where no node runs.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import { until } from '../kill/processes.js';
import { Desk } from './shell.js';

const status = {
  node: 1, incarnation: 1, engine: 'local', start: 'joined', pid: 1, version: '0', socket: null, uptimeMillis: 0,
  quorate: false, members: [1], cluster: null, sessions: 1, waitingFor: [], leaving: null, lockspaces: [],
};

/** A node outside the quorum, as far as it is asked. A node of one machine never is. */
async function loneNode(dir: string): Promise<Server> {
  mkdirSync(dir, { mode: 0o700 });
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const lines = chunk.toString().split('\n');
      if (lines[0]!.startsWith('GET')) socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n{"event":"welcome","version":1,"node":1,"incarnation":1}\n');
      const asked = lines.filter((line) => line.includes('"status"')).map((line) => JSON.parse(line) as { id: number });
      for (const { id } of asked) socket.write(`${JSON.stringify({ id, result: status })}\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(relative(process.cwd(), join(dir, 'control.sock')), resolve));
  return server;
}

describe('dlm node status', { timeout: 60_000 }, () => {
  test('ends with 1 where no node answers', async () => {
    const desk = new Desk();
    try {
      const [words, json] = [await desk.dlm('node', 'status'), await desk.dlm('node', 'status', '--json')];
      assert.deepEqual([words.exit, words.out, json.exit, json.out], [1, '', 1, '']);
      assert.match(words.err, /^dlm: no node answers on /);
      assert.equal((JSON.parse(json.err) as { error: { exit: number } }).error.exit, 1);
    } finally {
      await desk.clear();
    }
  });

  test('ends with 0 where the node is healthy', async () => {
    const desk = new Desk();
    try {
      await desk.dlm('node', 'join', '--detach');
      const [words, json] = [await desk.dlm('node', 'status'), await desk.dlm('node', 'status', '--json')];
      assert.deepEqual([words.exit, words.err, json.exit, json.err], [0, '', 0, '']);
      assert.match(words.out, /^node 1 is healthy\n/);
      assert.equal((JSON.parse(json.out) as { quorate: boolean }).quorate, true);
    } finally {
      await desk.clear();
    }
  });

  test('says that the node drains, and for how many locks it waits', async () => {
    const desk = new Desk();
    try {
      const { out } = await desk.dlm('lock', 'a', '--owner-pid', String(process.pid));
      const draining = desk.dlm('node', 'leave', '--drain');
      await until('the node drains', async () => (await desk.dlm('node', 'status')).out.startsWith('node 1 is draining'));
      const [words, json] = [await desk.dlm('node', 'status'), await desk.dlm('node', 'status', '--json')];
      assert.deepEqual([words.exit, json.exit], [0, 0]);
      assert.match(words.out, /^node 1 is draining: it grants nothing new, and leaves when 1 lock has ended\n/);
      assert.deepEqual((JSON.parse(json.out) as { leaving: unknown }).leaving, { locks: 1 });
      await desk.dlm('unlock', out.trim());
      assert.equal((await draining).exit, 0);
    } finally {
      await desk.clear();
    }
  });

  test('ends with 2 where the node is not quorate', async () => {
    const desk = new Desk();
    const server = await loneNode(desk.dir);
    try {
      const [words, json] = [await desk.dlm('node', 'status'), await desk.dlm('node', 'status', '--json')];
      assert.deepEqual([words.exit, words.err, json.exit, json.err], [2, '', 2, '']);
      assert.match(words.out, /^node 1 is NOT quorate: nothing is granted\n/);
      assert.equal((JSON.parse(json.out) as { quorate: boolean }).quorate, false);
    } finally {
      server.close();
      await desk.clear();
    }
  });
});

describe('a node that accepts connections and says nothing', { timeout: 60_000 }, () => {
  test('is given ten seconds by whoever looks, who is told so far that it is silent', async () => {
    const desk = new Desk();
    mkdirSync(desk.dir, { mode: 0o700 });
    const sockets = new Set<Socket>();
    const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(relative(process.cwd(), join(desk.dir, 'control.sock')), resolve));
    try {
      const [node, recovery] = await Promise.all([desk.dlm('node', 'status'), desk.dlm('recover', 'status')]);
      assert.deepEqual([node.exit, recovery.exit], [1, 1]);
      assert.match(node.err, /^dlm: the node of this machine says nothing yet\ndlm: the node behind .* says nothing\n/);
      assert.match(recovery.err, /^dlm: the node behind .* has accepted the connection and says nothing\n/);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
      await desk.clear();
    }
  });
});

describe('dlm lvb get where no node runs', { timeout: 60_000 }, () => {
  const desk = new Desk();
  after(() => desk.clear());

  test('starts none if that is not wanted, and says so', async () => {
    const { exit, out, err } = await desk.dlm('lvb', 'get', 'counter', '--no-start');
    assert.deepEqual([exit, out], [95, '']);
    assert.match(err, /^dlm: no node answers on /);
  });

  test('starts one, as every command on locks does, and finds no value', async () => {
    const { exit, out, err } = await desk.dlm('lvb', 'get', 'counter');
    assert.deepEqual([exit, out], [85, '']);
    assert.match(err, /^dlm: counter has no value\n/);
  });
});

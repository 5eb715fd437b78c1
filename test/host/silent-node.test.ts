/**
 * The node of this machine may fall silent with a request in its hands: whoever has a limit, or is interrupted, is not kept
 * waiting, and a new lock is renounced. What was granted before is not touched by a signal that comes later.
 */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { lkid } from '../../src/core/base/ids.js';
import { attach, Unanswered, type NodeClient } from '../../src/core/index.js';
import { served } from '../contract/ports.js';
import { scratch } from './scratch.js';

const joined = { name: 'default', valueLength: 32 };

/** What the node was asked: operations, and how requests were given up. */
type Asked = string[];

/** It greets whoever comes, joins lockspaces, and answers nothing else. */
async function silentNode(context: TestContext): Promise<{ client: NodeClient; asked: Asked }> {
  const dir = scratch(context);
  const asked: Asked = [];
  const hear = (socket: Socket, line: string): void => {
    const { id, op, ...words } = JSON.parse(line) as { id: number; op: string };
    if (op === 'hello') socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n{"event":"welcome","version":1,"node":1,"incarnation":1}\n');
    else if (op === 'joinLockspace') socket.write(`${JSON.stringify({ id, result: joined })}\n`);
    else asked.push([op, ...Object.keys(words).filter((word) => word.startsWith('for'))].join(' '));
  };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\n')) if (line.startsWith('{')) hear(socket, line);
    });
  });
  await new Promise<void>((resolve) => server.listen(`${dir}/control.sock`, resolve));
  const client = await attach({ dir });
  context.after(async () => {
    await client.close();
    server.close();
  });
  return { client, asked };
}

const isUnanswered = (code: string) => (error: unknown): boolean => error instanceof Unanswered && error.code === code;

test('a new lock is renounced when its time is over', async (context) => {
  const { client, asked } = await silentNode(context);
  const space = await client.lockspace();
  await assert.rejects(space.lock('a', { timeout: 1 }), isUnanswered('DLM_TIMED_OUT'));
  await until(asked, 4);
  assert.deepEqual(asked, ['lock', 'cancel', 'cancel forGood', 'cancel forNobody']);
});

test('a conversion is given up, and its lock stays', async (context) => {
  const { client, asked } = await silentNode(context);
  const lock = (await client.lockspace()).handleOf(lkid(7));
  const stop = new AbortController();
  const converted = lock.convert('EX', { signal: stop.signal });
  stop.abort();
  await assert.rejects(converted, isUnanswered('DLM_CANCELLED'));
  await until(asked, 3);
  assert.deepEqual(asked, ['convert', 'cancel', 'cancel forGood']);
});

test('a signal when the lock is held is for somebody else', async (context) => {
  const { client } = await served(context);
  const stop = new AbortController();
  const lock = await (await client.lockspace()).lock('a', { signal: stop.signal, timeout: 60_000 });
  stop.abort();
  assert.deepEqual((await client.locks()).map(({ mode, requested }) => [mode, requested]), [['EX', null]]);
  assert.equal(lock.mode, 'EX');
});

async function until(asked: Asked, count: number): Promise<void> {
  while (asked.length < count) await new Promise((resolve) => setImmediate(resolve));
}

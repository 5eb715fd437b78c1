/**
 * Whoever waits looks again and again whether all is well, and may be one of many: he asks
 * for nothing but what concerns the lock.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { Desk } from './shell.js';

/** Where the desk looks for its node stands one that hands on what is said to another, and keeps what was asked. */
async function relay(desk: Desk, node: string): Promise<{ server: Server; asked: string[] }> {
  const asked: string[] = [];
  mkdirSync(desk.dir, { mode: 0o700 });
  const socketIn = (folder: string): string => relative(process.cwd(), join(folder, 'control.sock'));
  const server = createServer((near) => {
    const far = connect(socketIn(node));
    for (const [from, to] of [[near, far], [far, near]] as const) from.on('error', () => to.destroy()).on('close', () => to.destroy()).pipe(to);
    near.on('data', (chunk: Buffer) => asked.push(...chunk.toString().split('\n')));
  });
  await new Promise<void>((resolve) => server.listen(socketIn(desk.dir), resolve));
  return { server, asked };
}

test('who waits for a lock asks how its lockspace is, and not how all the others are', { timeout: 60_000 }, async () => {
  const desk = new Desk();
  const node = join(desk.work, 'n');
  let close = (): void => undefined;
  try {
    const started = await desk.run('env', [`DLM_DIR=${node}`, 'dlm', 'node', 'join', '--detach']);
    assert.equal(started.exit, 0, started.err);
    const { server, asked } = await relay(desk, node);
    close = () => void server.close();
    await desk.dlm('lock', 'a', '-q', '--owner-pid', String(process.pid));
    const before = asked.length;
    const waiting = await desk.dlm('lock', 'a', '-w', '2.5', '--', 'true');
    assert.equal(waiting.exit, 81, waiting.err);
    const looks = asked.slice(before).filter((line) => line.includes('"op":"status"')).map((line) => (JSON.parse(line) as { lockspace?: string }).lockspace);
    assert.ok(looks.length > 0);
    assert.deepEqual(new Set(looks), new Set(['default']));
  } finally {
    close();
    await desk.clear();
  }
});

/**
 * One node and its end: what becomes of those who use it, and of the next one.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { attach, serveNode } from '../../src/core/index.js';
import { isStopped } from '../../src/core/host/process-facts.js';
import { codeOf, served } from '../contract/ports.js';
import { until } from '../kill/processes.js';
import { scratch, silent } from './scratch.js';
import { ended, idler, player } from './troupe.js';

const quiet = { log: silent };

describe('the node of a machine', () => {
  it('is the only one', async (test) => {
    const { dir } = await served(test);
    await assert.rejects(serveNode({ dir, ...quiet }), { code: 'DLM_NODE_EXISTS', message: new RegExp(`process ${process.pid}$`) });
    assert.notEqual((await attach({ dir })).port.incarnation, 0);
  });

  it('is the only one also when its lock file was removed', async (test) => {
    const { dir } = await served(test);
    rmSync(`${dir}/node.lock`);
    assert.equal(await codeOf(serveNode({ dir, ...quiet })), 'DLM_NODE_EXISTS');
  });

  it('ends when its folder is taken away, since another could start there', async (test) => {
    const { dir, client, node } = await served(test);
    const lock = await (await client.lockspace()).lock('a');
    const lost = new Promise<{ code: string }>((resolve) => lock.on('lost', resolve));
    rmSync(dir, { recursive: true });
    assert.match(await node.left, /was removed or replaced$/);
    assert.equal((await lost).code, 'DLM_LOST');
  });

  it('is one of many that try at once', async (test) => {
    const dir = scratch(test);
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => serveNode({ dir, ...quiet })));
    const nodes = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    test.after(() => nodes[0]?.leave({ force: true }));
    assert.equal(nodes.length, 1);
    for (const one of tries) if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, 'DLM_NODE_EXISTS');
  });

  it('takes the place of one that was killed, with greater tokens, and knows none of its ids', async (test) => {
    const dir = scratch(test);
    const first = player(test);
    const incarnation = await first.serve(dir);
    const client = await attach({ dir });
    const { id, token } = await (await client.lockspace()).lock('a');
    first.kill('SIGKILL');
    await first.ended;
    assert.equal(existsSync(`${dir}/control.sock`), true, 'its socket is left behind');
    assert.equal(await codeOf(attach({ dir })), 'DLM_NO_NODE');

    const second = await serveNode({ dir, ...quiet });
    test.after(() => second.leave({ force: true }));
    const again = await attach({ dir });
    assert.ok(again.port.incarnation > incarnation);
    const space = await again.lockspace();
    assert.ok((await space.lock('a')).token > token);
    assert.equal(await codeOf(again.lockOf(id)), 'DLM_LOCK_UNKNOWN');
    await again.close();
  });

  it('does not answer those who are not meant to reach it', async (test) => {
    const dir = scratch(test);
    writeFileSync(`${dir}/control.sock`, '');
    await assert.rejects(attach({ dir }), { code: 'DLM_NOT_PERMITTED', message: /not a socket/ });
    rmSync(`${dir}/control.sock`);
    if (process.getuid?.() !== 0) return;
    const stranger = createServer().listen({ path: `${dir}/control.sock` });
    test.after(() => stranger.close());
    await once(stranger, 'listening');
    chownSync(`${dir}/control.sock`, 4321, 4321);
    await assert.rejects(attach({ dir }), { code: 'DLM_NOT_PERMITTED', message: /belongs to user 4321/ });
  });

  it('is not there for anybody where it lets nobody in', async (test) => {
    const dir = scratch(test);
    const stopped = spawn(process.execPath, ['-e', 'require("net").createServer().listen({ path: process.argv[1], backlog: 1 }, () => process.kill(process.pid, "SIGSTOP"))', `${dir}/control.sock`]);
    test.after(() => stopped.kill('SIGKILL'));
    await until('it is stopped', () => existsSync(`${dir}/control.sock`) && isStopped(stopped.pid!));
    // As many as the system lets wait; it says so to the next one.
    for (let isFull = false; !isFull; ) {
      const waiting = connect({ path: `${dir}/control.sock` });
      test.after(() => waiting.destroy());
      isFull = await new Promise<boolean>((resolve) => waiting.once('connect', () => resolve(false)).once('error', () => resolve(true)));
    }
    await assert.rejects(attach({ dir }), { code: 'DLM_NO_NODE', message: /lets nobody in/ });
  });

  it('is told from something else behind its socket', async (test) => {
    for (const answer of ['HTTP/1.1 404 Not Found\r\n\r\n', 'x'.repeat(5000), 'HTTP/1.1 101 x\r\n\r\n[]\n']) {
      const dir = scratch(test);
      const other = createServer((socket) => socket.on('error', () => undefined).end(answer)).listen({ path: `${dir}/control.sock` });
      await once(other, 'listening');
      assert.equal(await codeOf(attach({ dir })), 'DLM_PROTOCOL');
      other.close();
    }
  });
});

describe('the end of a node', () => {
  it('is lost to those who hold and no node to those who wait, when it is killed', async (test) => {
    const dir = scratch(test);
    const node = player(test);
    await node.serve(dir);
    const client = await attach({ dir });
    const space = await client.lockspace();
    const lock = await space.lock('a');
    const waiting = space.lock('a');
    waiting.catch(() => undefined);
    await space.locks('a');
    const lost = new Promise<{ code: string }>((resolve) => lock.on('lost', resolve));
    node.kill('SIGKILL');
    assert.equal((await lost).code, 'DLM_LOST');
    assert.equal(await codeOf(waiting), 'DLM_NO_NODE');
    assert.equal(lock.signal.aborted, true);
    assert.equal(await codeOf(lock.unlock()), 'DLM_NO_NODE');
    assert.equal(await codeOf(space.lock('b')), 'DLM_NO_NODE');
    assert.equal(await codeOf(client.status()), 'DLM_NO_NODE');
    await client.close();
  });

  it('leaves nothing behind but its state and its log', async (test) => {
    const dir = scratch(test);
    const node = await serveNode({ dir, ...quiet });
    const client = await attach({ dir });
    await client.leave();
    assert.match(await node.left, /told to leave/);
    assert.equal(existsSync(`${dir}/control.sock`), false);
    assert.equal(await codeOf(client.status()), 'DLM_NO_NODE');
    const next = await serveNode({ dir, ...quiet });
    await next.leave();
  });

  it('waits for the last lock when it drains, and takes no new ones', async (test) => {
    const { dir, client, another } = await served(test);
    const space = await client.lockspace();
    const lock = await space.lock('a');
    const waiting = space.lock('a');
    const leaving = (await another()).leave({ drain: true });
    while ((await codeOf(space.lock('b', { flags: ['NOQUEUE'] }).then((other) => other.unlock()))) !== 'DLM_NO_NODE');
    await lock.unlock();
    await (await waiting).unlock();
    await leaving;
    assert.equal(await codeOf(attach({ dir })), 'DLM_NO_NODE');
  });

  it('lets the value be read, while it drains, of what somebody here has locked, and of nothing else', async (test) => {
    const { client, another, node } = await served(test);
    const space = await client.lockspace();
    const lock = await space.lock('held');
    const idle = await space.lock('idle', { mode: 'NL' });
    const leaving = (await another()).leave({ drain: true });
    while ((await codeOf(space.lock('b', { flags: ['NOQUEUE'] }).then((other) => other.unlock()))) !== 'DLM_NO_NODE');
    await lock.convert('EX', { value: new Uint8Array([7]) });
    const elsewhere = await (await another()).lockspace();
    for (const reader of [space, elsewhere]) {
      const look = await reader.lock('held', { mode: 'NL', flags: ['EXPEDITE'], wantValue: true });
      assert.equal(look.value?.[0], 7);
      await look.unlock();
    }
    assert.equal(await codeOf(space.lock('held', { mode: 'CR' })), 'DLM_NO_NODE');
    for (const name of ['idle', 'free']) assert.equal(await codeOf(space.lock(name, { mode: 'NL' })), 'DLM_NO_NODE');
    await idle.unlock();
    await lock.unlock();
    await leaving;
    assert.equal(await node.left, 'it was told to leave');
  });

  it('lets an orphan be adopted while it drains, which nobody else could end in good order', async (test) => {
    const { client, another, node } = await served(test);
    const space = await client.lockspace();
    const heir = await (await another()).lockspace();
    const former = await another();
    await (await former.lockspace()).lock('left', { flags: ['PERSISTENT'] });
    await former.close();
    const leaving = (await another()).leave({ drain: true });
    while ((await codeOf(space.lock('b', { flags: ['NOQUEUE'] }).then((other) => other.unlock()))) !== 'DLM_NO_NODE');
    assert.equal(await codeOf(heir.lock('none', { flags: ['ORPHAN'] })), 'DLM_ORPHAN_UNKNOWN');
    const adopted = await heir.lock('left', { flags: ['ORPHAN'] });
    await adopted.unlock({ value: new Uint8Array([1]) });
    await leaving;
    assert.equal(await node.left, 'it was told to leave');
  });

  it('is not put off by locks that only keep values: they are given back, and counted in nothing that is refused', async (test) => {
    const { client, another, node } = await served(test);
    const space = await client.lockspace();
    const owner = { pid: process.pid };
    await space.lock('kept', { mode: 'NL', owner });
    const inUse = await space.lock('in use', { mode: 'NL', owner });
    const lock = await space.lock('held');
    await assert.rejects(node.leave(), { code: 'DLM_NODE_IN_USE', message: 'the node still has a lock' });
    await inUse.convert('CR');
    await assert.rejects(node.leave(), { code: 'DLM_NODE_IN_USE', message: 'the node still has 2 locks' });
    await inUse.convert('NL');
    const leaving = (await another()).leave({ drain: true });
    while ((await codeOf(space.lock('b', { flags: ['NOQUEUE'] }).then((other) => other.unlock()))) !== 'DLM_NO_NODE');
    await lock.unlock();
    await leaving;
    assert.equal(await node.left, 'it was told to leave');
  });

  it('is told to all who have asked for it', async (test) => {
    const { client, another, node } = await served(test);
    const lock = await (await client.lockspace()).lock('a');
    const [one, other] = [await another(), await another()];
    const leaving = [one.leave({ drain: true }), other.leave({ drain: true })];
    // A session carries out one request after another: both have been heard.
    await Promise.all([one.status(), other.status()]);
    await lock.unlock();
    await Promise.all(leaving);
    assert.equal(await node.left, 'it was told to leave');
  });

  it('lets no command begin whose lock is lost already', async (test) => {
    const { client, another, node } = await served(test);
    const [first, second] = [idler(test, true), idler(test)];
    await (await client.lockspace()).lock('a');
    await client.port.protect(first.pid);
    const guard = await another();
    const lock = await (await guard.lockspace()).lock('b');
    const lost = new Promise((resolve) => lock.on('lost', resolve));
    const leaving = node.leave({ force: true });
    await lost;
    assert.equal(await codeOf(guard.port.protect(second.pid)), 'DLM_LOST');
    first.kill('SIGKILL');
    await leaving;
  });

  it('is called off when nobody waits for it any more', async (test) => {
    const { client, another } = await served(test);
    const space = await client.lockspace();
    await space.lock('a');
    const leaver = await another();
    const leaving = leaver.leave({ drain: true });
    leaving.catch(() => undefined);
    while ((await codeOf(space.lock('b', { flags: ['NOQUEUE'] }).then((other) => other.unlock()))) !== 'DLM_NO_NODE');
    await leaver.close();
    while ((await codeOf(space.lock('b', { flags: ['NOQUEUE'] }))) === 'DLM_NO_NODE');
    assert.equal((await client.status()).sessions, 1);
  });

  it('comes by itself when nobody has needed it for a while', async (test) => {
    const dir = scratch(test);
    const node = await serveNode({ dir, start: 'automatic', idleMillis: 50, ...quiet });
    const client = await attach({ dir });
    await (await client.lockspace()).lock('a', { owner: { pid: idler(test).pid } });
    await client.close();
    const again = await attach({ dir });
    const [info] = await again.locks();
    await (await again.lockOf(info!.id)).unlock();
    await again.close();
    assert.match(await node.left, /nobody has needed it/);
  });
});

describe('the children of a dead node', () => {
  it('keep their successor from granting anything until they are gone', async (test) => {
    const dir = scratch(test);
    const node = player(test);
    const command = player(test);
    const child = idler(test, true);
    await node.serve(dir);
    await command.attach(dir);
    await command.lock('a');
    await command.protect(child.pid);
    node.kill('SIGKILL');
    command.kill('SIGKILL');
    await Promise.all([node.ended, command.ended]);

    const log: string[] = [];
    const next = await serveNode({ dir, log: (line) => log.push(line) });
    test.after(() => next.leave({ force: true }));
    const client = await attach({ dir });
    test.after(() => client.close());
    assert.deepEqual((await client.status()).waitingFor.map(({ pid }) => pid), [child.pid]);
    assert.match(log.join('\n'), new RegExp(`grants nothing .*${child.pid}`));
    const space = await client.lockspace();
    await assert.rejects(space.lock('z', { flags: ['NOQUEUE'] }), { code: 'DLM_BUSY', message: new RegExp(String(child.pid)) });
    assert.equal(await codeOf(space.lock('z', { timeout: 5 })), 'DLM_TIMED_OUT');
    const ours = await next.client.lockspace();
    assert.equal(await codeOf(ours.lock('y', { timeout: 5 })), 'DLM_TIMED_OUT');
    const [one, other] = [space.lock('a'), ours.lock('b')];
    await space.locks();
    child.kill('SIGKILL');
    await ended(child);
    await Promise.all([one, other]);
    assert.deepEqual((await client.status()).waitingFor, []);
  });
});

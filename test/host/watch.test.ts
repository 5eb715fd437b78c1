/**
 * Processes that own locks, and children that keep their owner's locks alive.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { ChildRegister } from '../../src/core/host/child-register.js';
import { nodePlaces } from '../../src/core/host/places.js';
import { ProcessFamily } from '../../src/core/host/process-family.js';
import { bootId, commandOf, factsOf, identify, isAlive, pidNamespace, variableOf } from '../../src/core/host/process-facts.js';
import { served, codeOf } from '../contract/ports.js';
import { scratch } from './scratch.js';
import { ended, idler, player } from './troupe.js';

/** A process that has ended and that its parent never asks about. */
async function zombie(test: TestContext): Promise<number> {
  const parent = spawn('sh', ['-c', 'sleep 0 & exec sleep 1000'], { stdio: 'ignore' });
  test.after(() => parent.kill('SIGKILL'));
  for (;;) {
    const child = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim();
    if (child !== '' && readFileSync(`/proc/${child}/stat`, 'utf8').includes(') Z ')) return Number(child);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a process', () => {
  it('is known by its pid and when it started', () => {
    const { pid, started } = identify(process.pid)!;
    assert.equal(pid, process.pid);
    assert.equal(isAlive({ pid, started }), true);
    assert.equal(isAlive({ pid, started: started - 1 }), false, 'the pid is used again');
    assert.equal(identify(0x3fffffff), null);
  });

  it('may be called anything', async (test) => {
    const child = spawn('/bin/bash', ['-c', 'exec -a "a) Z 1 (b" sleep 1000'], { stdio: 'ignore' });
    test.after(() => child.kill('SIGKILL'));
    assert.equal(identify(child.pid!)?.pid, child.pid);
    while (!commandOf(child.pid!).startsWith('a) Z')) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(commandOf(child.pid!), 'a) Z 1 (b 1000');
    assert.equal(identify(child.pid!)?.pid, child.pid);
  });

  it('has ended when only its exit code is left', async (test) => {
    const pid = await zombie(test);
    assert.match(readFileSync(`/proc/${pid}/stat`, 'utf8'), /\) Z /);
    assert.equal(identify(pid), null);
  });

  it('is in some pid namespace', () => {
    assert.match(pidNamespace() ?? '', /^\d+$/);
  });
});

describe('a family of processes', () => {
  it('is not gone, and its mark is not another one, while a process begins one program after another', async (test) => {
    const mark = `restless-${process.pid}`;
    const script = `${scratch(test)}/restless.sh`;
    writeFileSync(script, 'exec sh "$0"\n');
    const restless = spawn('sh', [script], { stdio: 'ignore', env: { ...process.env, DLM_LKID: mark } });
    test.after(() => restless.kill('SIGKILL'));
    const { session } = factsOf(process.pid)!;
    const orphans = new ProcessFamily({ pid: await zombie(test), started: 0, session }, mark);
    for (let look = 1; look <= 300; look += 1) {
      assert.equal(orphans.isGone, false, `look ${look}`);
      assert.equal((await ProcessFamily.whenSeen(restless.pid!))!.mark, mark, `look ${look}`);
    }
    for (let look = 1; look <= 5_000; look += 1) assert.notEqual(variableOf(restless.pid!, 'DLM_LKID'), null, `look ${look}`);
  });
});

describe('a lock owned by a process', () => {
  it('outlives the client that asked for it, and ends with the process', async (test) => {
    const { client, another } = await served(test);
    const owner = idler(test);
    const space = await client.lockspace();
    const lock = await space.lock('a', { owner: { pid: owner.pid } });
    await client.close();
    const other = await (await another()).lockspace();
    const [info] = await other.locks('a');
    assert.equal(info?.id, lock.id);
    assert.deepEqual(info?.owner, { kind: 'process', pid: owner.pid, command: 'sleep 1000' });
    const waiting = other.lock('a');
    const killed = performance.now();
    owner.kill('SIGKILL');
    await waiting;
    assert.ok(performance.now() - killed < 1000, 'within a second');
  });

  it('is waited for no longer when the process has ended, and lost to whoever asked for it', async (test) => {
    const { client } = await served(test);
    const owner = idler(test);
    const space = await client.lockspace();
    const mine = await space.lock('a');
    const waiting = codeOf(space.lock('a', { owner: { pid: owner.pid } }));
    const held = await space.lock('b', { owner: { pid: owner.pid } });
    const lost = new Promise<{ code: string }>((resolve) => held.on('lost', resolve));
    owner.kill('SIGKILL');
    assert.deepEqual([await waiting, (await lost).code, mine.mode], ['DLM_OWNER_INVALID', 'DLM_LOST', 'EX']);
  });

  it('is one of many that the process owns', async (test) => {
    const { client } = await served(test);
    const owner = idler(test);
    const space = await client.lockspace();
    await space.lock('a', { owner: { pid: owner.pid } });
    await space.lock('b', { owner: { pid: owner.pid } });
    owner.kill('SIGKILL');
    await space.lock('a');
    await space.lock('b', { flags: ['NOQUEUE'] });
  });
});

describe('a protected child', () => {
  it('keeps the locks of its command until it is gone, though the command was killed', async (test) => {
    const { dir, client } = await served(test);
    const command = player(test);
    const child = idler(test, true);
    await command.attach(dir);
    await command.lock('a');
    await command.protect(child.pid);
    assert.equal(readdirSync(`${dir}/children`).length, 1);
    command.kill('SIGKILL');
    await command.ended;
    const space = await client.lockspace();
    while ((await client.status()).sessions > 1) await space.locks();
    assert.equal(await codeOf(space.lock('a', { flags: ['NOQUEUE'] })), 'DLM_BUSY');
    child.kill('SIGKILL');
    await space.lock('a');
    assert.deepEqual(readdirSync(`${dir}/children`), []);
  });

  it('does not keep a lock that its command gives back', async (test) => {
    const { dir, client } = await served(test);
    const command = player(test);
    await command.attach(dir);
    await command.lock('a');
    await command.protect(idler(test).pid);
    await command.unlockAll();
    await (await client.lockspace()).lock('a', { flags: ['NOQUEUE'] });
  });
});

describe('the register of children', () => {
  it('tells a successor which of them survive', async (test) => {
    const places = nodePlaces(scratch(test));
    const [one, other] = [idler(test), idler(test)];
    const register = new ChildRegister(places);
    for (const { pid } of [one, other]) register.add(ProcessFamily.of(pid)!);
    writeFileSync(`${places.children}/${process.pid}.1.${bootId()}`, '');
    writeFileSync(`${places.children}/something else`, '');
    one.kill('SIGKILL');
    await ended(one);
    assert.deepEqual(new ChildRegister(places).survivors().map(({ pid }) => pid), [other.pid]);
    assert.equal(readdirSync(places.children).length, 1, 'the others are cleared away');
    register.remove(ProcessFamily.of(other.pid)!);
    assert.deepEqual(register.survivors(), []);
  });
});

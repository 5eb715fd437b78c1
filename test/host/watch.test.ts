/**
 * Processes that own locks, and children that keep their owner's locks alive.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { ChildRegister } from '../../src/core/host/child-register.js';
import { familyEnvironment, sayRoot } from '../../src/core/host/family-mark.js';
import { FamilyStop } from '../../src/core/host/family-stop.js';
import { nodePlaces } from '../../src/core/host/places.js';
import { ProcessFamily } from '../../src/core/host/process-family.js';
import { bootId, commandOf, factsOf, identify, isAlive, pidNamespace, variableOf } from '../../src/core/host/process-facts.js';
import { served, codeOf } from '../contract/ports.js';
import { scratch } from './scratch.js';
import { until } from './link-troupe.js';
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
  /** A process that leads a session and has begun its program, with these words for its families. */
  async function marked(test: TestContext, words: string): Promise<ChildProcess & { pid: number }> {
    const child = spawn('sh', ['-c', `${sayRoot}; export DLM_FAMILY; exec sleep 1000`], { detached: true, stdio: 'ignore', env: { ...process.env, DLM_FAMILY: words } });
    test.after(() => child.kill('SIGKILL'));
    while (commandOf(child.pid!) !== 'sleep 1000') await new Promise((resolve) => setImmediate(resolve));
    return child as ChildProcess & { pid: number };
  }

  it('is not gone, and its mark is not another one, while a process begins one program after another', async (test) => {
    const mark = `restless-${process.pid}`;
    const script = `${scratch(test)}/restless.sh`;
    writeFileSync(script, 'exec sh "$0"\n');
    const { session } = factsOf(process.pid)!;
    const root = { pid: await zombie(test), started: 0, session };
    const words = `outer/${session}.${root.pid} ${mark}/${session}.`;
    const restless = spawn('sh', [script], { stdio: 'ignore', env: { ...process.env, DLM_FAMILY: words } });
    test.after(() => restless.kill('SIGKILL'));
    const orphans = new ProcessFamily(root, 'outer');
    for (let look = 1; look <= 300; look += 1) {
      assert.equal(orphans.isGone, false, `look ${look}`);
      assert.equal((await ProcessFamily.whenSeen(restless.pid!))!.mark, mark, `look ${look}`);
    }
    for (let look = 1; look <= 5_000; look += 1) assert.notEqual(variableOf(restless.pid!, 'DLM_FAMILY'), null, `look ${look}`);
  });

  it('has those who run within under another lock: they are told by their own guard, and killed with the others', async (test) => {
    const outer = await marked(test, 'a/');
    const inner = await marked(test, `a/${outer.pid} b/`);
    const family = (await ProcessFamily.whenSeen(outer.pid))!;
    assert.deepEqual([family.mark, (await ProcessFamily.whenSeen(inner.pid))!.mark], ['a', 'b']);
    assert.deepEqual(family.members(), [outer.pid, inner.pid]);
    family.signal('SIGTERM');
    await ended(outer);
    assert.deepEqual([family.members(), family.isGone, family.isLongGone], [[inner.pid], false, false]);
    family.signal('SIGKILL');
    await ended(inner);
    assert.deepEqual([inner.signalCode, family.isGone, family.isLongGone], ['SIGKILL', true, true]);
  });

  it('is not gone while one of it starts the next and ends, again and again, and none of them escapes a KILL', async (test) => {
    const child = spawn('sh', ['-c', 'next() { (sleep 0.01; next) & }; read -r begin; next'], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    const chain = ProcessFamily.of(child.pid!)!;
    child.stdin!.end('now\n');
    test.after(() => {
      while (!chain.isGone) chain.signal('SIGKILL');
    });
    await ended(child);
    for (let look = 1; look <= 200; look += 1) {
      assert.equal(chain.isGone, false, `look ${look}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    chain.signal('SIGKILL');
    while (!chain.isGone) await new Promise((resolve) => setImmediate(resolve));
  });

  it('tells those to stop who have outlived the command of an inner lock, since nobody guards them any more', async (test) => {
    const outer = await marked(test, 'a/');
    const inner = spawn('sh', ['-c', `${sayRoot}; export DLM_FAMILY; sleep 1000 >/dev/null & echo $!`], { detached: true, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, DLM_FAMILY: `a/${outer.pid} b/` } });
    const [said] = (await once(inner.stdout!, 'data')) as [Buffer];
    const left = identify(Number(said.toString()))!;
    test.after(() => isAlive(left) && process.kill(left.pid, 'SIGKILL'));
    await until('it has begun, with the variables of its program', () => commandOf(left.pid) === 'sleep 1000');
    await ended(inner);
    const family = (await ProcessFamily.whenSeen(outer.pid))!;
    assert.deepEqual(family.members(), [outer.pid, left.pid]);
    family.signal('SIGTERM');
    await until('it has stopped', () => !isAlive(left));
  });

  it('of one that has ended has nobody in a session that another process leads under the same number', async (test) => {
    const stranger = spawn('sh', ['-c', 'sleep 1000 >/dev/null & echo $!; wait'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    test.after(() => process.kill(-stranger.pid!, 'SIGKILL'));
    await once(stranger.stdout!, 'data');
    const { pid, started } = identify(stranger.pid!)!;
    assert.equal(ProcessFamily.of(pid)!.members().length, 2);
    const earlier = new ProcessFamily({ pid, session: pid, started: started - 1 }, '');
    assert.deepEqual([earlier.members(), earlier.isGone], [[], true]);
  });

  it('has nobody who has made a session of his own, nor who has the same mark from another node', async (test) => {
    const outer = await marked(test, 'a/');
    const left = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env: { ...process.env, DLM_FAMILY: `a/${outer.pid}` } });
    test.after(() => left.kill('SIGKILL'));
    const another = await marked(test, 'a/');
    await marked(test, `a/${another.pid} b/`);
    assert.deepEqual(ProcessFamily.of(outer.pid)!.members(), [outer.pid]);
    assert.equal(ProcessFamily.of(left.pid!, (await ProcessFamily.whenSeen(left.pid!))!.mark)!.mark, '', 'the mark of others is not its own');
  });

  it('is told once to stop, though it is part of two whose guards have died', async (test) => {
    const { session } = factsOf(process.pid)!;
    const said = `${scratch(test)}/said`;
    writeFileSync(said, '');
    const heard = (): string => readFileSync(said, 'utf8');
    const roots = [{ pid: await zombie(test), started: 0, session }, { pid: 0x3fffffff, started: 0, session }];
    const words = roots.map(({ pid }, index) => `told-${index}/${session}.${pid}`).join(' ');
    const script = `trap 'echo term >> ${said}' TERM; trap 'echo usr >> ${said}' USR1; echo here >> ${said}; while :; do sleep 0.01; done`;
    const child = spawn('sh', ['-c', script], { stdio: 'ignore', env: { ...process.env, DLM_FAMILY: words } });
    test.after(() => child.kill('SIGKILL'));
    await until('it is here', () => heard() !== '');
    const stops = new FamilyStop(() => 0);
    stops.abandoned(new ProcessFamily(roots[0]!, 'told-0'));
    await until('it is told', () => heard().includes('term'));
    stops.abandoned(new ProcessFamily(roots[1]!, 'told-1'));
    for (const times of [1, 2]) {
      child.kill('SIGUSR1');
      await until('it says more', () => heard().split('usr').length > times);
    }
    assert.equal(heard().match(/term/g)!.length, 1);
  });

  it('is known by the id of its lock, which an earlier version gave it as a mark', async (test) => {
    const { session } = factsOf(process.pid)!;
    const one = spawn('sleep', ['1000'], { stdio: 'ignore', env: { ...process.env, DLM_LKID: `earlier-${process.pid}` } });
    test.after(() => one.kill('SIGKILL'));
    const orphans = new ProcessFamily({ pid: await zombie(test), started: 0, session }, `earlier-${process.pid}`);
    assert.deepEqual([orphans.members(), orphans.isLongGone], [[one.pid], false]);
  });

  it('is inside those in whose session it begins, and in no more than 64 of them', (test) => {
    const { session } = factsOf(process.pid)!;
    const before = process.env.DLM_FAMILY;
    test.after(() => (before === undefined ? delete process.env.DLM_FAMILY : (process.env.DLM_FAMILY = before)));
    const wordsIn = (inherited: string, leadsSession: boolean): string | undefined => {
      process.env.DLM_FAMILY = inherited;
      return familyEnvironment('b', leadsSession).DLM_FAMILY;
    };
    assert.equal(wordsIn('', false), `b/${session}.`);
    assert.equal(wordsIn(`z/1 a/${session}.17`, true), `z/1 a/${session}.17 b/`);
    assert.equal(wordsIn(`a/${session}.17 z/1`, true), 'b/', 'we have left the last of them, and with it all');
    const many = Array.from({ length: 64 }, (_, depth) => `a${depth}/${session}.17`);
    assert.deepEqual(wordsIn(many.join(' '), true)!.split(' '), [...many.slice(1), 'b/']);
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

/**
 * The lock on a file that the kernel holds for a process.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { KernelLock, noteIn } from '../../src/core/host/kernel-lock.js';
import { scratch } from './scratch.js';
import { player } from './troupe.js';

describe('a lock of the kernel', () => {
  it('has one holder, and is free when released', async (test) => {
    const path = `${scratch(test)}/lock`;
    const held = await KernelLock.take(path, 0);
    assert.notEqual(held, null);
    assert.equal(await KernelLock.take(path, 0), null);
    assert.equal(await KernelLock.take(path, 50), null);
    held!.release();
    const again = await KernelLock.take(path, 0);
    assert.notEqual(again, null);
    again!.release();
  });

  it('excludes other processes, and flock(1)', async (test) => {
    const path = `${scratch(test)}/lock`;
    const held = await KernelLock.take(path, 0);
    assert.equal(await player(test).takeKernelLock(path, 0), false);
    const [exit] = (await once(spawn('flock', ['-n', path, 'true'], { stdio: 'ignore' }), 'exit')) as [number];
    assert.equal(exit, 1);
    held!.release();
  });

  it('is free when its holder is killed, and whoever waits gets it', async (test) => {
    const path = `${scratch(test)}/lock`;
    const holder = player(test);
    assert.equal(await holder.takeKernelLock(path, 0), true);
    const waiting = KernelLock.take(path, 60_000);
    holder.kill('SIGKILL');
    const lock = await waiting;
    assert.notEqual(lock, null);
    lock!.release();
  });

  it('is not kept by the programs that its holder has started', async (test) => {
    const path = `${scratch(test)}/lock`;
    const held = await KernelLock.take(path, 0);
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    test.after(() => child.kill());
    held!.release();
    const again = await KernelLock.take(path, 0);
    assert.notEqual(again, null);
    again!.release();
  });

  it('carries a note of its holder', async (test) => {
    const path = `${scratch(test)}/lock`;
    assert.equal(noteIn(path), '');
    const held = await KernelLock.take(path, 0);
    held!.note('a long note\n');
    held!.note('7\n');
    assert.equal(noteIn(path), '7');
    held!.release();
  });

  it('is refused with a reason where it cannot be had', async (test) => {
    const folder = scratch(test);
    mkdirSync(`${folder}/folder`);
    writeFileSync(`${folder}/file`, '');
    symlinkSync('file', `${folder}/link`);
    for (const name of ['folder', 'link', 'none/lock']) {
      await assert.rejects(KernelLock.take(`${folder}/${name}`, 0), { code: 'DLM_STATE_UNUSABLE' });
    }
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      await assert.rejects(KernelLock.take(`${folder}/lock`, 0), { code: 'DLM_STATE_UNUSABLE', message: /flock\(1\) is not installed/ });
    } finally {
      process.env['PATH'] = path;
    }
  });
});

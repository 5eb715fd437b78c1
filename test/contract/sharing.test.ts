/**
 * Several clients of one node: what they see of each other, and what one of them
 * leaves behind.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codeOf, served } from './ports.js';

describe('several clients of a node', () => {
  it('exclude each other and hear of each other', async (test) => {
    const { client, another } = await served(test);
    const [one, other] = [await client.lockspace(), await (await another()).lockspace()];
    const lock = await one.lock('a');
    const wanted = new Promise((resolve) => lock.on('blocking', resolve));
    const waiting = other.lock('a', { mode: 'PR' });
    assert.equal(await wanted, 'PR');
    await lock.convert('CR');
    assert.equal((await waiting).mode, 'PR');
  });

  it('may change a lock of each other by its id, and both hear of it', async (test) => {
    const { client, another } = await served(test);
    const lock = await (await client.lockspace()).lock('a', { mode: 'PR' });
    const same = await (await another()).lockOf(lock.id);
    await same.convert('EX');
    assert.equal((await (await client.lockspace()).locks('a'))[0]?.mode, 'EX');
    assert.equal(lock.mode, 'EX');
    const lost = new Promise<{ code: string; message: string }>((resolve) => lock.on('lost', resolve));
    await same.unlock();
    assert.deepEqual((({ code, message }) => ({ code, message }))(await lost), { code: 'DLM_LOST', message: 'somebody else unlocked the lock' });
  });

  it('keep the completions of one another apart', async (test) => {
    const { client, another } = await served(test);
    const lock = await (await client.lockspace()).lock('a', { mode: 'EX' });
    const same = await (await another()).lockOf(lock.id);
    const modes = ['NL', 'CR', 'CW', 'PR', 'PW', 'EX'] as const;
    for (let round = 0; round < 50; round += 1) {
      const [mine, theirs] = [modes[round % 6]!, modes[(round * 5 + 1) % 6]!];
      await Promise.all([lock.convert(mine), same.convert(theirs)]);
      const [info] = await client.locks();
      assert.ok([mine, theirs].includes(info!.mode as typeof mine));
      assert.equal(lock.mode, info!.mode, 'the last completion is the one that counts');
    }
  });

  it('inherit nothing but persistent locks from one that has gone', async (test) => {
    const { client, another } = await served(test);
    const leaver = await another();
    const left = await leaver.lockspace();
    await left.lock('plain', { mode: 'PR' });
    const kept = await left.lock('kept', { mode: 'PR', flags: ['PERSISTENT'] });
    await left.lock('more', { mode: 'CR', flags: ['PERSISTENT'] });
    await leaver.close();

    const space = await client.lockspace();
    const orphans = await client.locks({ orphansOnly: true });
    assert.deepEqual(orphans.map(({ resource, owner }) => [resource, owner.kind, owner.pid]), [
      ['kept', 'orphan', process.pid],
      ['more', 'orphan', process.pid],
    ]);
    assert.equal((await client.lockspaces())[0]?.orphans, 2);
    assert.equal((await space.locks()).length, 2);
    await assert.rejects(space.lock('kept', { mode: 'EX', flags: ['ORPHAN'] }), { code: 'DLM_ORPHAN_UNKNOWN', message: /in another mode/ });
    const adopted = await space.lock('kept', { mode: 'PR', flags: ['ORPHAN'] });
    assert.equal(adopted.id, kept.id);
    assert.equal(adopted.mode, 'PR');
    assert.equal(adopted.token, kept.token);
    assert.equal(await space.purgeOrphans(1), 0, 'another process left none');
    assert.equal(await space.purgeOrphans(process.pid), 1);
    await adopted.unlock();
    assert.deepEqual(await client.locks(), []);
  });

  it('learn that a writer went away without a word', async (test) => {
    const { client, another } = await served(test);
    const space = await client.lockspace();
    const anchor = await space.lock('a', { mode: 'NL' });
    await (await space.lock('a')).unlock({ value: Buffer.from('good') });
    const writer = await another();
    await (await writer.lockspace()).lock('a', { mode: 'PW' });
    await writer.close();
    await anchor.convert('PR', { wantValue: true });
    assert.equal(anchor.valueState, 'invalid');
  });

  it('are many, with many requests each, and every one is answered', async (test) => {
    const { another } = await served(test);
    const spaces = await Promise.all(Array.from({ length: 10 }, async () => (await another()).lockspace()));
    let inside = 0;
    let count = 0;
    const add = async (): Promise<void> => {
      inside += 1;
      assert.equal(inside, 1, 'alone');
      const before = count;
      await new Promise((resolve) => setImmediate(resolve));
      count = before + 1;
      inside -= 1;
    };
    await Promise.all(spaces.flatMap((space) => Array.from({ length: 40 }, () => space.withLock('counter', {}, add))));
    assert.equal(count, 400);
    assert.equal(await codeOf(spaces[0]!.lock('counter', { flags: ['NOQUEUE'] })), 'no error');
  });

  it('leave nothing waiting for a process that lives on, when they go away themselves', async (test) => {
    const { client, another } = await served(test);
    const space = await client.lockspace();
    const held = await space.lock('a');
    const asker = await another();
    const asked = (await asker.lockspace()).lock('a', { owner: { pid: process.pid } }).catch(() => 'given up');
    while ((await space.locks('a')).length < 2) await new Promise((resolve) => setImmediate(resolve));
    await asker.close();
    assert.equal(await asked, 'given up');
    while ((await space.locks('a')).length > 1) await new Promise((resolve) => setImmediate(resolve));
    await held.unlock();
    assert.deepEqual(await space.locks('a'), []);
  });
});

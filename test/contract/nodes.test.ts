/**
 * What a program can rely on beside its locks: lockspaces, listings, orphans, ids,
 * and what becomes of everything when a client or a lockspace goes.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codeOf, ways } from './ports.js';

for (const way of ways) {
  describe(`a client of ${way.name}`, () => {
    it('joins lockspaces, making them if need be, and removes them', async (test) => {
      const client = await way.reach(test);
      await client.lockspace('one', { valueLength: 16 });
      assert.equal((await client.lockspace('one')).valueLength, 16);
      assert.equal((await client.lockspace('two')).valueLength, 32);
      assert.equal(await codeOf(client.lockspace('one', { isNew: true })), 'DLM_LOCKSPACE_EXISTS');
      assert.equal(await codeOf(client.lockspace('one', { valueLength: 8 })), 'DLM_LOCKSPACE_EXISTS');
      assert.deepEqual((await client.lockspaces()).map(({ name }) => name), ['one', 'two']);
      await client.removeLockspace('two');
      assert.equal(await codeOf(client.removeLockspace('two')), 'DLM_LOCKSPACE_UNKNOWN');
      for (const name of ['', '.one', '-one', 'a/b', 'a b', 'x'.repeat(65), 'ä', '\n']) {
        assert.equal(await codeOf(client.lockspace(name)), 'DLM_NAME_INVALID', JSON.stringify(name));
      }
      assert.equal(await codeOf(client.lockspace('three', { valueLength: 0 })), 'DLM_USAGE');
    });

    it('does not remove a lockspace with locks unless forced, and then they are lost', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace('one');
      const lock = await space.lock('a');
      const waiting = space.lock('a');
      waiting.catch(() => undefined);
      assert.equal(await codeOf(client.removeLockspace('one')), 'DLM_LOCKSPACE_IN_USE');
      const lost = new Promise<{ code: string }>((resolve) => lock.on('lost', resolve));
      await client.removeLockspace('one', { force: true });
      assert.equal((await lost).code, 'DLM_LOST');
      assert.equal(await codeOf(waiting), 'DLM_LOCKSPACE_UNKNOWN');
      assert.equal(await codeOf(space.lock('a')), 'DLM_LOCKSPACE_UNKNOWN');
    });

    it('lists locks with their holders', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace();
      const lock = await space.lock('a', { mode: 'PR', flags: ['NOQUEUE'] });
      const [info, ...others] = await client.locks({ lockspace: 'default' });
      assert.deepEqual(others, []);
      assert.equal(info?.id, lock.id);
      assert.equal(info?.mode, 'PR');
      assert.equal(info?.token, lock.token);
      assert.deepEqual(info?.flags, ['NOQUEUE']);
      assert.equal(info?.owner.pid, process.pid);
      assert.equal(await codeOf(client.locks({ lockspace: 'none' })), 'DLM_LOCKSPACE_UNKNOWN');
      const { content, locks, resources } = await space.content();
      assert.deepEqual({ locks, resources }, { locks: 1, resources: 1 });
      assert.equal(content[0]?.granted[0]?.id, lock.id);
    });

    it('finds a lock by its id, but not by the id of another life or of no lock', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace();
      const lock = await space.lock('a');
      const same = await client.lockOf(lock.id);
      await same.convert('PR');
      assert.equal(lock.mode, 'PR');
      assert.equal(same.mode, 'PR');
      assert.equal(await codeOf(client.lockOf(lock.id.replace(/1\.(\d+)/, '1.7'))), 'DLM_LOCK_UNKNOWN');
      assert.equal(await codeOf(client.lockOf(lock.id.replace('default', 'other'))), 'DLM_LOCK_UNKNOWN');
      assert.equal(await codeOf(client.lockOf('nonsense')), 'DLM_USAGE');
      const none = await client.lockOf(lock.id.replace(/.{8}$/, '00ffffff'));
      assert.equal(await codeOf(none.unlock()), 'DLM_LOCK_UNKNOWN');
      assert.equal(await codeOf(none.cancel()), 'DLM_LOCK_UNKNOWN');
      await same.unlock();
      assert.equal(lock.mode, null);
    });

    it('finds no orphan where there is none', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace();
      assert.equal(await codeOf(space.lock('a', { flags: ['ORPHAN'] })), 'DLM_ORPHAN_UNKNOWN');
      assert.equal(await space.purgeOrphans(), 0);
    });

    it('refuses an owner that does not live', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace();
      for (const pid of [0x3fffffff, 0]) {
        assert.equal(await codeOf(space.lock('a', { owner: { pid } })), 'DLM_OWNER_INVALID');
        assert.equal(await codeOf(client.port.protect(pid)), 'DLM_OWNER_INVALID');
      }
    });

    it('tells its handles that they are lost when it lets go of the node', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace();
      const lock = await space.lock('a');
      const waiting = space.lock('a');
      waiting.catch(() => undefined);
      await space.locks();
      await client.close();
      assert.equal(await codeOf(waiting), 'DLM_NO_NODE');
      assert.equal(lock.signal.aborted, true);
      assert.equal(lock.mode, null);
    });

    it('does not stop a node that has locks unless forced', async (test) => {
      const client = await way.reach(test);
      const lock = await (await client.lockspace()).lock('a');
      assert.equal(await codeOf(client.leave()), 'DLM_NODE_IN_USE');
      const lost = new Promise<{ code: string }>((resolve) => lock.on('lost', resolve));
      await client.leave({ force: true });
      assert.equal((await lost).code, 'DLM_LOST');
      assert.equal(await codeOf((await Promise.resolve(lock)).convert('PR')), 'DLM_NO_NODE');
    });

    it('tells how the node is', async (test) => {
      const client = await way.reach(test);
      const status = await client.status();
      assert.equal(status.node, 1);
      assert.equal(status.pid, process.pid);
      assert.equal(status.quorate, true);
      assert.match(status.version, /^\d+\.\d+\.\d+/);
      assert.equal(status.socket === null, status.start === 'in-process');
    });

    it('tells of all its lockspaces, or of one', async (test) => {
      const client = await way.reach(test);
      for (const name of ['one', 'two']) await client.lockspace(name);
      const namesIn = async (lockspace?: string): Promise<string[]> => (await client.status(lockspace)).lockspaces.map(({ name }) => name);
      assert.deepEqual([await namesIn(), await namesIn('two'), await namesIn('three')], [['one', 'two'], ['two'], []]);
    });
  });
}

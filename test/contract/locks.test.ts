/**
 * What a program can rely on when it locks, whichever way it reaches its node.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { LockHandle, LockOptions, LockspaceClient, ModeName } from '../../src/core/index.js';
import { codeOf, ways } from './ports.js';

const text = (value: Uint8Array | null): string => Buffer.from(value ?? []).toString('utf8').replace(/\0+$/, '');

/** The next mode that the lock is told it blocks. */
const blocked = (lock: LockHandle): Promise<ModeName> => new Promise((resolve) => lock.on('blocking', resolve));

/** Ask, and come back when the request is in the queue: a client's calls are carried out in order. */
async function queued(space: LockspaceClient, name: string, options: LockOptions): Promise<{ granted: Promise<LockHandle> }> {
  const granted = space.lock(name, options);
  granted.catch(() => undefined);
  await space.locks(name);
  return { granted };
}

for (const way of ways) {
  const reach = async (test: TestContext): Promise<LockspaceClient> => (await way.reach(test)).lockspace();

  describe(`locks through ${way.name}`, () => {
    it('are granted in EX unless said otherwise, and given back', async (test) => {
      const space = await reach(test);
      const lock = await space.lock('a');
      assert.equal(lock.mode, 'EX');
      assert.match(lock.id, /^default:1\.\d+\.[0-9a-f]{8}$/);
      assert.match(lock.token, /^[0-9a-f]{12}\.[0-9a-f]{8}\.[0-9a-f]{8}$/);
      await lock.unlock();
      assert.equal(lock.mode, null);
      assert.deepEqual(await space.locks(), []);
    });

    it('are not asked for with words that make no sense, and the error is typed', async (test) => {
      const space = await reach(test);
      const wrong = (value: unknown): never => value as never;
      assert.equal(await codeOf(space.lock(wrong(undefined))), 'DLM_NAME_INVALID');
      assert.equal(await codeOf(space.lock('a', { mode: wrong('XX') })), 'DLM_USAGE');
      assert.equal(await codeOf(space.lock('a', { flags: [wrong('NOPE')] })), 'DLM_USAGE');
      assert.equal(await codeOf(space.lock('a', { timeout: NaN })), 'DLM_USAGE');
      assert.equal(await codeOf(space.lock('a', { timeout: -1 })), 'DLM_USAGE');
      const lock = await space.lock('a');
      assert.equal(await codeOf(lock.convert(wrong(undefined))), 'DLM_USAGE');
      assert.equal(lock.mode, 'EX');
    });

    it('wait for one another in order', async (test) => {
      const space = await reach(test);
      const first = await space.lock('a');
      const second = await queued(space, 'a', { mode: 'PR' });
      const third = await queued(space, 'a', { mode: 'EX' });
      const order: string[] = [];
      void second.granted.then(() => order.push('second'));
      void third.granted.then(() => order.push('third'));
      await first.unlock();
      await (await second.granted).unlock();
      await third.granted;
      assert.deepEqual(order, ['second', 'third']);
    });

    it('are refused at once with NOQUEUE, after a while with a timeout, and when aborted', async (test) => {
      const space = await reach(test);
      await space.lock('a');
      assert.equal(await codeOf(space.lock('a', { flags: ['NOQUEUE'] })), 'DLM_BUSY');
      assert.equal(await codeOf(space.lock('a', { timeout: 20 })), 'DLM_TIMED_OUT');
      assert.equal(await codeOf(space.lock('a', { timeout: 0 })), 'DLM_TIMED_OUT');

      const abort = new AbortController();
      const waiting = await queued(space, 'a', { signal: abort.signal });
      abort.abort();
      assert.equal(await codeOf(waiting.granted), 'DLM_CANCELLED');
      assert.equal(await codeOf(space.lock('b', { signal: abort.signal })), 'DLM_CANCELLED');
      assert.equal((await space.locks()).length, 1);
    });

    it('are not timed out once they are granted', async (test) => {
      const space = await reach(test);
      const lock = await space.lock('a', { timeout: 1 });
      assert.equal(await lock.cancel(), false);
      assert.equal(lock.mode, 'EX');
    });

    it('convert up and down, and keep their mode if that fails', async (test) => {
      const space = await reach(test);
      const reader = await space.lock('a', { mode: 'PR' });
      const other = await space.lock('a', { mode: 'PR' });
      assert.equal(await codeOf(reader.convert('EX', { flags: ['NOQUEUE'] })), 'DLM_BUSY');
      assert.equal(await codeOf(reader.convert('EX', { timeout: 5 })), 'DLM_TIMED_OUT');
      assert.equal(reader.mode, 'PR');
      const up = reader.convert('EX');
      assert.equal(await codeOf(reader.convert('PW')), 'DLM_LOCK_IN_PROGRESS');
      assert.equal(await codeOf(other.convert('EX')), 'DLM_DEADLOCK');
      await other.unlock();
      assert.equal((await up).mode, 'EX');
      await reader.convert('NL');
      assert.equal(reader.mode, 'NL');
    });

    it('hear of those they block, also when nobody listened yet', async (test) => {
      const space = await reach(test);
      const lock = await space.lock('a', { mode: 'PR' });
      const { granted } = await queued(space, 'a', { mode: 'EX' });
      assert.equal(await blocked(lock), 'EX');
      await lock.unlock();
      await granted;
    });

    it('are told nothing if nobody was going to listen', async (test) => {
      const space = await reach(test);
      const deaf = await space.lock('a', { mode: 'PR', blocking: false });
      const heard: ModeName[] = [];
      deaf.on('blocking', (mode) => heard.push(mode));
      const lock = await space.lock('a', { mode: 'PR' });
      const { granted } = await queued(space, 'a', { mode: 'EX' });
      assert.equal(await blocked(lock), 'EX');
      await lock.unlock();
      await deaf.unlock();
      await granted;
      assert.deepEqual(heard, []);
    });

    it('may be unlocked by those who hear that they block', async (test) => {
      const space = await reach(test);
      const lock = await space.lock('a');
      lock.on('blocking', () => void lock.unlock());
      assert.equal((await space.lock('a')).mode, 'EX');
    });

    it('are lost when somebody else unlocks them, granted or waiting', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace();
      const lock = await space.lock('a');
      const { signal } = lock;
      const lost = new Promise<Error>((resolve) => lock.on('lost', resolve));
      const waiting = await queued(space, 'a', { mode: 'EX' });
      const [, second] = await space.locks('a');
      await (await client.lockOf(second!.id)).unlock({ flags: ['FORCEUNLOCK'] });
      assert.equal(await codeOf(waiting.granted), 'DLM_LOST');
      await (await client.lockOf(lock.id)).unlock();
      assert.equal((await lost as { code?: string }).code, 'DLM_LOST');
      assert.equal(lock.mode, null);
      assert.equal(signal.aborted, true);
      assert.equal(lock.signal.aborted, true);
      assert.equal(await codeOf(lock.unlock()), 'DLM_LOCK_UNKNOWN');
    });

    it('carry a value from a writer to a reader', async (test) => {
      const space = await reach(test);
      const anchor = await space.lock('a', { mode: 'NL', wantValue: true });
      assert.equal(anchor.valueState, 'none');
      const writer = await space.lock('a', { mode: 'EX' });
      await writer.unlock({ value: Buffer.from('one') });
      const reader = await space.lock('a', { mode: 'PR', wantValue: true });
      assert.equal(text(reader.value), 'one');
      assert.equal(reader.value?.length, 32);
      assert.equal(reader.valueState, 'valid');
      await reader.unlock();
      const again = await space.lock('a', { mode: 'EX', wantValue: true });
      await again.convert('NL', { wantValue: true });
      await anchor.convert('PR', { wantValue: true });
      assert.equal(text(anchor.value), 'one', 'wanting the value never writes it');
      const tooLong = anchor.unlock({ value: new Uint8Array(33) });
      assert.equal(await codeOf(tooLong), 'DLM_VALUE_TOO_LONG');
      await anchor.unlock();
    });

    it('give the value to whoever knows them by their ids alone, and never write an empty one', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace();
      const lock = await space.lock('a', { mode: 'EX' });
      await lock.convert('NL', { value: Buffer.from('one') });
      const byId = await client.lockOf(lock.id);
      await byId.convert('EX', { wantValue: true });
      assert.equal(text(byId.value), 'one');
      await (await client.lockOf(lock.id)).convert('NL', { wantValue: true });
      await (await client.lockOf(lock.id)).convert('EX', { flags: ['VALBLK'] });
      // This one believes that it is in EX or NL, as it was told last.
      await byId.convert('PW', { wantValue: true });
      await byId.convert('NL', { flags: ['VALBLK'] });
      const reader = await space.lock('a', { mode: 'PR', wantValue: true });
      assert.equal(text(reader.value), 'one');
      assert.equal(reader.valueState, 'valid');
    });

    it('tell that a writer gave up', async (test) => {
      const space = await reach(test);
      const anchor = await space.lock('a', { mode: 'NL' });
      await (await space.lock('a')).unlock({ value: Buffer.from('one') });
      await (await space.lock('a')).unlock({ flags: ['IVVALBLK'] });
      await anchor.convert('PR', { wantValue: true });
      assert.equal(anchor.valueState, 'invalid');
      assert.deepEqual(anchor.results, ['VALNOTVALID']);
    });

    it('leave a value that is not valid as it is, unless somebody writes one', async (test) => {
      const space = await reach(test);
      const anchor = await space.lock('a', { mode: 'EX', value: Buffer.from('old') });
      await anchor.convert('NL', { value: Buffer.from('old') });
      await (await space.lock('a')).unlock({ flags: ['IVVALBLK'] });
      const reader = await space.lock('a', { wantValue: true });
      assert.equal(reader.valueState, 'invalid');
      await reader.unlock();
      await anchor.convert('CR', { wantValue: true });
      assert.equal(anchor.valueState, 'invalid');
      await anchor.convert('NL');
      const writer = await space.lock('a', { wantValue: true });
      await writer.unlock({ value: Buffer.from('new') });
      await anchor.convert('CR', { wantValue: true });
      assert.equal(anchor.valueState, 'valid');
      assert.equal(text(anchor.value), 'new');
      await anchor.unlock();
    });

    it('have tokens that rise when a grant excludes an earlier one', async (test) => {
      const space = await reach(test);
      const tokens: string[] = [];
      for (const mode of ['EX', 'PR', 'EX'] as const) await space.withLock('a', { mode }, ({ token }) => tokens.push(token));
      const one = await space.lock('a', { mode: 'PR' });
      const other = await space.lock('a', { mode: 'PR' });
      assert.equal(one.token, other.token);
      tokens.push(one.token);
      assert.deepEqual(tokens, [...new Set(tokens)].sort());
    });

    it('name the rule that a combination breaks', async (test) => {
      const space = await reach(test);
      await assert.rejects(space.lock('a', { flags: ['EXPEDITE'] }), { code: 'DLM_RULE_BROKEN', message: /rule expedite-is-nl/ });
      assert.equal(await codeOf(space.lock('a', { flags: ['toString' as 'NOQUEUE'] })), 'DLM_USAGE');
      assert.equal(await codeOf(space.lock('a'.repeat(65))), 'DLM_NAME_INVALID');
      assert.equal(await codeOf(space.lock('\ud800')), 'DLM_NAME_INVALID');
      assert.deepEqual(await space.locks(), []);
    });

    it('may have any name of 0 to 64 bytes', async (test) => {
      const space = await reach(test);
      const names = ['', 'ä', 'two words', '--name', '\u0000\n"', Uint8Array.of(0xff, 0x0a), 'x'.repeat(64)];
      for (const name of names) {
        const lock = await space.lock(name, { flags: ['NOQUEUE'] });
        const [info] = await space.locks(name);
        assert.equal(info?.id, lock.id);
        assert.equal(info?.resourceHex, Buffer.from(name as string).toString('hex'));
      }
      assert.equal((await space.locks()).length, names.length);
      assert.equal((await space.locks('ä'))[0]?.resource, 'ä');
    });

    it('are given back by withLock and by disposal, whatever happens', async (test) => {
      const space = await reach(test);
      await assert.rejects(
        space.withLock('a', {}, () => {
          throw new Error('work failed');
        }),
        /work failed/,
      );
      assert.equal(await space.withLock('a', { flags: ['NOQUEUE'] }, ({ mode }) => mode), 'EX');
      {
        await using lock = await space.lock('a', { flags: ['NOQUEUE'] });
        assert.equal(lock.mode, 'EX');
      }
      assert.deepEqual(await space.locks(), []);
    });

    it('can be taken back while they wait, by their id', async (test) => {
      const client = await way.reach(test);
      const space = await client.lockspace();
      const held = await space.lock('a');
      const waiting = await queued(space, 'a', { mode: 'PR' });
      const info = (await space.locks('a')).find(({ state }) => state === 'waiting');
      assert.equal(info?.requested, 'PR');
      assert.equal(info?.position, 1);
      assert.equal(await (await client.lockOf(info!.id)).cancel(), true);
      assert.equal(await codeOf(waiting.granted), 'DLM_CANCELLED');
      assert.equal(await held.cancel(), false);
    });
  });
}

/**
 * The session protocol, spoken by hand over a real socket: what a well-behaved
 * client sees, and what becomes of the others.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { pidNamespace } from '../../src/core/host/process-facts.js';
import { served } from '../contract/ports.js';
import { idler } from './troupe.js';
import { WireTap, hello, type Message } from './wire-tap.js';

const token = /^[0-9a-f]{12}\.[0-9a-f]{8}\.[0-9a-f]{8}$/;

async function session(test: TestContext): Promise<{ tap: WireTap; dir: string; another(): Promise<WireTap> }> {
  const { dir } = await served(test);
  const another = async (): Promise<WireTap> => {
    const tap = new WireTap(test, dir);
    await tap.greet();
    return tap;
  };
  const tap = await another();
  await tap.ask({ id: 0, op: 'joinLockspace', lockspace: 'default' });
  return { tap, dir, another };
}

const ask = (id: number, name: string, more: object = {}): object => ({ id, op: 'lock', lockspace: 'default', name, mode: 'EX', ...more });
const codeIn = (message: Message | null): string | undefined => message?.error?.code;

describe('a session', () => {
  it('begins with hello and welcome', async (test) => {
    const { dir, client } = await served(test);
    const welcome = await new WireTap(test, dir).greet();
    assert.deepEqual(welcome, { event: 'welcome', version: 1, node: 1, incarnation: client.port.incarnation });
  });

  it('answers a request first, and then tells what became of it', async (test) => {
    const { tap, another } = await session(test);
    const granted = await tap.ask(ask(1, 'a'));
    const { lkid } = granted!['result'] as { lkid: number };
    assert.deepEqual(granted, { id: 1, result: { lkid } });
    const complete = await tap.next();
    assert.match(String(complete!['token']), token);
    assert.deepEqual({ ...complete, token: '' }, { event: 'complete', lkid, status: 'OK', mode: 'EX', token: '' });

    const other = await another();
    const second = (await other.ask(ask(7, 'a', { mode: 'PR' })))!['result'] as { lkid: number };
    assert.deepEqual(await other.next(), { event: 'waiting', lkid: second.lkid });
    assert.deepEqual(await tap.next(), { event: 'blocking', lkid, mode: 'PR' });
    assert.deepEqual(await tap.ask({ id: 2, op: 'unlock', lockspace: 'default', lkid }), { id: 2, result: { lkid } });
    assert.equal((await tap.next())!['status'], 'EUNLOCK');
    assert.equal((await other.next())!['status'], 'OK');
  });

  it('takes values in hex, padded to the length of the lockspace, and gives them so', async (test) => {
    const { tap } = await session(test);
    await tap.ask(ask(1, 'a', { mode: 'NL' }));
    await tap.next();
    const { lkid } = (await tap.ask(ask(2, 'a')))!['result'] as { lkid: number };
    await tap.next();
    await tap.ask({ id: 3, op: 'convert', lockspace: 'default', lkid, mode: 'PR', valueHex: 'C0ffee' });
    const written = await tap.next();
    assert.equal(written!['valueState'], 'valid');
    await tap.ask(ask(4, 'a', { mode: 'PR', flags: ['VALBLK'] }));
    assert.equal((await tap.next())!['valueHex'], `c0ffee${'00'.repeat(29)}`);
    assert.equal(codeIn(await tap.ask({ id: 5, op: 'unlock', lockspace: 'default', lkid, valueHex: 'f' })), 'DLM_PROTOCOL');
    assert.equal(codeIn(await tap.ask({ id: 6, op: 'unlock', lockspace: 'default', lkid, valueHex: '00'.repeat(33) })), 'DLM_VALUE_TOO_LONG');
  });

  it('names the rule of the law that a request breaks', async (test) => {
    const { tap } = await session(test);
    const refused = await tap.ask(ask(1, 'a', { flags: ['QUECVT'] }));
    assert.equal(codeIn(refused), 'DLM_RULE_BROKEN');
    assert.equal((refused!.error as unknown as { rule: string }).rule, 'quecvt-needs-convert');
  });

  it('gives back what was granted to somebody who has stopped waiting', async (test) => {
    const { tap, another } = await session(test);
    tap.say(ask(1, 'a'), { id: 2, op: 'cancel', lockspace: 'default', request: 1, forNobody: true });
    const heard = [await tap.next(), await tap.next(), await tap.next(), await tap.next()];
    assert.deepEqual(heard[2], { id: 2, result: { cancelled: false } });
    assert.deepEqual([heard[1]!['status'], heard[3]!['status']], ['OK', 'EUNLOCK']);
    const other = await another();
    await other.ask(ask(1, 'a', { flags: ['NOQUEUE'] }));
    assert.equal((await other.next())!['status'], 'OK');
    tap.say(ask(3, 'b'), { id: 4, op: 'cancel', lockspace: 'default', request: 3 });
    assert.deepEqual([(await tap.next())!['id'], (await tap.next())!['status'], (await tap.next())!['id']], [3, 'OK', 4]);
    await other.ask(ask(2, 'b', { flags: ['NOQUEUE'] }));
    assert.equal((await other.next())!['status'], 'EAGAIN');
  });

  it('cancels by lock and by request', async (test) => {
    const { tap, another } = await session(test);
    await tap.ask(ask(1, 'a'));
    await tap.next();
    const other = await another();
    other.say(ask(1, 'a'), { id: 2, op: 'cancel', lockspace: 'default', request: 1 });
    const heard = [await other.next(), await other.next(), await other.next(), await other.next()];
    assert.deepEqual(heard.map((message) => message!['event'] ?? message!['id']), [1, 'waiting', 2, 'complete']);
    assert.deepEqual(heard[2]!['result'], { cancelled: true });
    assert.equal(heard[3]!['status'], 'ECANCEL');
    assert.deepEqual((await other.ask({ id: 3, op: 'cancel', lockspace: 'default', request: 1 }))!['result'], { cancelled: false });
  });

  it('gives up for good what waits: it is not granted any more', async (test) => {
    const { tap, another } = await session(test);
    const { lkid } = (await tap.ask(ask(1, 'a')))!['result'] as { lkid: number };
    await tap.next();
    const other = await another();
    other.say(ask(1, 'a'), { id: 2, op: 'cancel', lockspace: 'default', request: 1, forGood: true });
    const heard = [await other.next(), await other.next(), await other.next(), await other.next()];
    assert.deepEqual(heard.map((message) => message!['event'] ?? message!['id']), [1, 'waiting', 2, 'complete']);
    assert.deepEqual([heard[2]!['result'], heard[3]!['status']], [{ cancelled: true }, 'ECANCEL']);
    assert.equal((await tap.next())!['event'], 'blocking');
    assert.deepEqual((await tap.ask({ id: 2, op: 'cancel', lockspace: 'default', lkid, forGood: true }))!['result'], { cancelled: false });
    assert.deepEqual((await tap.ask({ id: 3, op: 'unlock', lockspace: 'default', lkid }))!['result'], { lkid });
  });

  it('takes with it the conversion that it waited for, and not the lock of another owner', async (test) => {
    const { tap, dir } = await session(test);
    const { pid } = idler(test);
    await tap.ask(ask(1, 'a', { mode: 'PR' }));
    await tap.next();
    const other = new WireTap(test, dir);
    await other.greet({ ...hello, pidns: pidNamespace() });
    const { lkid } = (await other.ask(ask(1, 'a', { mode: 'PR', owner: { pid } })))!['result'] as { lkid: number };
    await other.next();
    await other.ask({ id: 2, op: 'convert', lockspace: 'default', lkid, mode: 'EX' });
    assert.equal((await other.next())!['event'], 'waiting');
    assert.equal((await tap.next())!['event'], 'blocking');
    other.socket.end();
    assert.equal(await other.next(), null);
    const locks = (await tap.ask({ id: 2, op: 'locks', name: 'a' }))!['result'] as { mode: string; state: string; owner: { pid: number } }[];
    assert.deepEqual(locks.filter(({ owner }) => owner.pid === pid).map(({ mode, state }) => [mode, state]), [['PR', 'granted']]);
  });

  it('tells of a lock of somebody else that it has changed', async (test) => {
    const { tap, another } = await session(test);
    const { lkid } = (await tap.ask(ask(1, 'a')))!['result'] as { lkid: number };
    await tap.next();
    const other = await another();
    await other.ask({ id: 1, op: 'convert', lockspace: 'default', lkid, mode: 'PR' });
    assert.equal((await other.next())!['mode'], 'PR');
    assert.equal((await tap.next())!['mode'], 'PR');
    await tap.ask({ id: 2, op: 'unlock', lockspace: 'default', lkid });
    assert.equal((await tap.next())!['status'], 'EUNLOCK');
    assert.equal((await other.next())!['status'], 'EUNLOCK');
  });

  it('ends its locks with the connection, however that ends', async (test) => {
    for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const { tap, another } = await session(test);
      await tap.ask(ask(1, 'a'));
      const other = await another();
      await other.ask(ask(1, 'a'));
      assert.equal((await other.next())!['event'], 'waiting');
      if (end === 'resetAndDestroy') tap.socket.destroy(new Error('reset'));
      else tap.socket[end]();
      assert.equal((await other.next())!['status'], 'OK', end);
    }
  });

  it('carries out what a client said before it hung up, and lets it hear the answers', async (test) => {
    const { dir } = await session(test);
    const tap = new WireTap(test, dir);
    tap.open();
    tap.say(hello, ask(1, 'b'), { id: 2, op: 'status' });
    tap.socket.end();
    const heard = [await tap.next(), await tap.next(), await tap.next(), await tap.next(), await tap.next()];
    assert.deepEqual(heard.map((message) => message && (message['event'] ?? message['id'])), ['welcome', 1, 'complete', 2, null]);
  });

  it('accepts processes only from a client in the same pid namespace', async (test) => {
    const { dir } = await session(test);
    const child = idler(test);
    const { pid } = child;
    for (const [pidns, code] of [[pidNamespace(), undefined], ['1', 'DLM_OWNER_INVALID'], [null, 'DLM_OWNER_INVALID']] as const) {
      const tap = new WireTap(test, dir);
      await tap.greet({ ...hello, pidns });
      assert.equal(codeIn(await tap.ask(ask(1, 'a', { mode: 'PR', owner: { pid } }))), code);
      if (code === undefined) await tap.next();
      assert.equal(codeIn(await tap.ask({ id: 2, op: 'protect', pid })), code);
    }
    child.kill('SIGKILL');
  });
});

describe('a session that goes wrong', () => {
  const lines: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['no JSON', '{"id":1,', /not JSON/],
    ['no object', '[1]', /not a JSON object/],
    ['no text', Uint8Array.of(0x7b, 0xff, 0x7d), /not UTF-8/],
    ['no id', '{"op":"status"}', /needs an id/],
    ['a broken id', '{"id":1.5,"op":"status"}', /needs an id/],
    ['an unknown operation', '{"id":1,"op":"toString"}', /no operation "toString"/],
    ['no operation', '{"id":1}', /no operation null/],
    ['an unknown key', '{"id":1,"op":"status","more":1}', /status has no "more"/],
    ['a forbidden key', '{"id":1,"op":"status","__proto__":{"polluted":1}}', /status has no "__proto__"/],
    ['a key twice', '{"id":1,"op":"status","op":"leave"}', /twice/],
    ['a key twice further in', '{"id":1,"op":"lock","lockspace":"default","name":"a","mode":"EX","owner":{"pid":1,"pid":2}}', /twice/],
    ['a missing key', '{"id":1,"op":"lock","name":"a","mode":"EX"}', /lock needs "lockspace"/],
    ['a value of another kind', '{"id":1,"op":"protect","pid":"1"}', /"pid" of protect must be a whole number/],
    ['a number beyond counting', '{"id":1,"op":"protect","pid":9007199254740993}', /whole number/],
    ['two names', '{"id":1,"op":"locks","name":"a","nameHex":"61"}', /not both/],
    ['too deep', `{"id":1,"op":"locks","name":${'['.repeat(20)}${']'.repeat(20)}}`, /nested/],
    ['hello again', JSON.stringify({ ...hello }), /hello has been said/],
  ];
  for (const [what, line, message] of lines) {
    it(`is told so and goes on: ${what}`, async (test) => {
      const { tap } = await session(test);
      tap.raw(line);
      tap.raw('\n');
      const refused = await tap.next();
      assert.equal(codeIn(refused), 'DLM_PROTOCOL');
      assert.match(refused!.error!.message, message);
      assert.equal(({} as { polluted?: number }).polluted, undefined);
      assert.equal((await tap.ask({ id: 9, op: 'status' }))!['id'], 9);
    });
  }

  it('is ended for a line without end, before it is kept', async (test) => {
    const { tap, another } = await session(test);
    await tap.ask(ask(1, 'a'));
    await tap.next();
    const other = await another();
    await other.ask(ask(1, 'a'));
    await other.next();
    tap.raw('x'.repeat(70_000));
    while ((await tap.next()) !== null);
    assert.equal((await other.next())!['status'], 'OK', 'its locks have ended');
  });

  it('takes a line of the greatest length', async (test) => {
    const { tap } = await session(test);
    const line = JSON.stringify({ id: 1, op: 'status' });
    tap.raw(`${line}${' '.repeat(65_536 - line.length)}\n`);
    assert.equal((await tap.next())!['id'], 1);
  });

  it('is ended without hello, with another version, or with a strange beginning', async (test) => {
    const { dir } = await session(test);
    for (const line of ['{"id":1,"op":"status"}', JSON.stringify({ ...hello, version: 2 }), 'HELO', '{}']) {
      const tap = new WireTap(test, dir);
      tap.open();
      tap.raw(`${line}\n`);
      assert.equal(codeIn(await tap.next()), 'DLM_PROTOCOL');
      assert.equal(await tap.next(), null);
    }
  });

  it('is slowed down while it does not read, and cut off if events pile up', async (test) => {
    const { tap, another } = await session(test);
    const slow = await another();
    slow.socket.pause();
    await tap.ask(ask(1, 'a'));
    await tap.next();
    let wanted = 0;
    const flood = (): void => {
      while (slow.socket.writableLength < 1 << 20) {
        wanted += 1;
        slow.say({ id: wanted, op: 'content', lockspace: 'default' });
      }
    };
    flood();
    assert.equal((await tap.ask({ id: 2, op: 'status' }))!['id'], 2, 'others are served meanwhile');
    assert.ok(slow.socket.writableLength > 0, 'it is not read any further');
    slow.socket.resume();
    for (let answered = 0; answered < wanted; answered += 1) assert.equal((await slow.next())!['id'], answered + 1);
  });

  it('is cut off when it does not read its events, and its locks end', { timeout: 60_000 }, async (test) => {
    const { tap, another } = await session(test);
    const deaf = await another();
    const { lkid } = (await deaf.ask(ask(1, 'a', { mode: 'NL' })))!['result'] as { lkid: number };
    await deaf.next();
    deaf.socket.pause();
    const convert = (mode: string): object => ({ id: 1, op: 'convert', lockspace: 'default', lkid, mode });
    const turns = Array.from({ length: 250 }, () => [convert('EX'), convert('NL')]).flat();
    for (let isThere = true; isThere; ) {
      tap.say(...turns, { id: 2, op: 'locks', lockspace: 'default' });
      for (let message = await tap.next(); message!['id'] !== 2; message = await tap.next()) {
        if (codeIn(message) === 'DLM_LOCK_UNKNOWN') isThere = false;
      }
    }
  });
});

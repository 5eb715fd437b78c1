/**
 * Sessions: the property over every weather, mutants that it must catch, and by hand what
 * a session says about itself.
 *
 *   DLM_WIRE_RUNS=100000 DLM_WIRE_SEED=7 npm test -- test/wire/session.test.ts
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import fc from 'fast-check';
import { incarnation, millis } from '../../src/core/base/ids.js';
import { headBytes } from '../../src/core/wire/frame.js';
import { frameBytesWanted } from '../../src/core/wire/limits.js';
import { PeerSession } from '../../src/core/wire/session.js';
import { breaking, core } from '../sim/broken-core.js';
import { anyMessage, lives, longest, numbered, numberIn } from './messages.js';
import { checkSessions } from './session-property.js';

const numRuns = Number(process.env.DLM_WIRE_RUNS ?? 1_500);
const seed = Number(process.env.DLM_WIRE_SEED ?? 20_05);
const checkout = fileURLToPath(new URL('../../', import.meta.url));

const at = millis;
const one = (backlogBytesMax?: number): PeerSession =>
  new PeerSession({ self: lives.one, peer: lives.other, isLossy: true, ...(backlogBytesMax === undefined ? {} : { backlogBytesMax }) });
const other = (): PeerSession => new PeerSession({ self: lives.other, peer: lives.one, isLossy: true });

const arrived = (session: PeerSession, now: number, frame: Uint8Array): number[] => {
  const outcome = session.receive(at(now), frame);
  assert.equal(outcome.kind, 'messages');
  return outcome.kind === 'messages' ? outcome.messages.map(numberIn) : [];
};

test('exactly once and in order, whatever the network does', (context) => {
  const happened = checkSessions(PeerSession, numRuns, seed);
  context.diagnostic(JSON.stringify(happened));
  for (const [what, count] of Object.entries(happened)) assert.ok(count > 0, `never happened: ${what}`);
});

describe('the property notices', () => {
  const mutants: readonly (readonly [story: string, from: string, to: string])[] = [
    ['what came before is taken again', 'if (head.number < next) {', 'if (head.number < 0) {'],
    ['what came too early is taken at once', 'if (head.number > next) {', 'if (head.number < 0) {'],
    ['a reconnection sends nothing again', 'this.#handedOver = this.#acknowledged;', ''],
    ['an old acknowledgement takes back a newer one', 'if (ack <= this.#acknowledged) return;', ''],
    ['what is acknowledged is kept', 'this.#backlog.dropThrough(ack);', ''],
    ['what was held is never let go', 'if (this.#held.size > 0) this.#releaseHeld(messages);', ''],
    ['frames of another life are heard', 'head.from !== this.#peer ||', ''],
    ['a lost frame is not sent again', 'if (this.#isLossy) this.#resendAt ??=', 'if (false) this.#resendAt ??='],
    ['nobody acknowledges what was repeated', '      this.#ackAt = now;\n      return [];', '      return [];'],
  ];
  let folder = '';
  before(() => {
    mkdirSync(`${checkout}.tmp`, { recursive: true });
    folder = mkdtempSync(`${checkout}.tmp/mutants-`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const copied = async (name: string, plugins: Plugin[]): Promise<typeof PeerSession> => {
    const outfile = `${folder}/${name}.mjs`;
    await build({ entryPoints: [`${core}wire/session.ts`], bundle: true, format: 'esm', outfile, logLevel: 'silent', plugins });
    return ((await import(pathToFileURL(outfile).href)) as { PeerSession: typeof PeerSession }).PeerSession;
  };

  test('nothing in a copy in which nothing is broken', async () => {
    checkSessions(await copied('none', []), numRuns, seed, true);
  });

  for (const [index, [story, from, to]] of mutants.entries()) {
    test(story, async () => {
      const file = 'wire/session.ts';
      assert.equal(readFileSync(`${core}${file}`, 'utf8').split(from).length, 2, `'${from}' occurs once`);
      const mutant = await copied(`${index}`, [breaking({ file, from, to })]);
      assert.throws(() => checkSessions(mutant, numRuns, seed, true));
    });
  }
});

describe('a session', () => {
  test('sends all that was collected in one frame, and nothing if there is nothing', () => {
    const session = one();
    assert.deepEqual(session.flush(at(0)), []);
    for (let number = 0; number < 100; number += 1) session.send(numbered(number));
    assert.ok(session.hasMore);
    const frames = session.flush(at(0));
    assert.equal(frames.length, 1);
    assert.ok(!session.hasMore);
    assert.equal(arrived(other(), 1, frames[0]!).length, 100);
  });

  test('closes a frame that is long enough, and hands over no more than was wanted', () => {
    const session = one();
    for (let count = 0; count < 3; count += 1) session.send(longest());
    const [first] = session.flush(at(0), 1);
    assert.ok(first!.length > frameBytesWanted && session.hasMore);
    assert.equal(session.flush(at(0)).length, 2);
  });

  test('acknowledges by itself after a moment, at once when many have come', () => {
    const [session, peer] = [one(), other()];
    session.send(numbered(1));
    arrived(peer, 5, session.flush(at(0))[0]!);
    assert.equal(peer.nextDeadline(), 15);
    assert.deepEqual(peer.flush(at(14)), []);
    const [ack] = peer.flush(at(15));
    assert.equal(ack!.length, headBytes);
    assert.equal(session.waitingSince, 0);
    assert.deepEqual(arrived(session, 16, ack!), []);
    assert.equal(session.waitingSince, null);
    assert.equal(session.nextDeadline(), null);

    for (let number = 0; number < 32; number += 1) {
      session.send(numbered(number));
      arrived(peer, 20, session.flush(at(20))[0]!);
    }
    assert.equal(peer.nextDeadline(), 20);
  });

  test('lets the acknowledgement ride along with messages', () => {
    const [session, peer] = [one(), other()];
    session.send(numbered(1));
    arrived(peer, 0, session.flush(at(0))[0]!);
    peer.send(numbered(2));
    const [frame] = peer.flush(at(0));
    assert.deepEqual(arrived(session, 1, frame!), [2]);
    assert.equal(session.counts().backlogBytes, 0);
    assert.deepEqual(peer.flush(at(1_000)).length, 1, 'only its own, unacknowledged, is sent again');
  });

  test('sends again after 200 ms, then after twice as long, never more rarely than every 2 s', () => {
    const session = one();
    session.send(numbered(1));
    session.flush(at(0));
    const times: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      times.push(session.nextDeadline()!);
      assert.equal(session.flush(session.nextDeadline()!).length, 1);
    }
    assert.deepEqual(times, [200, 600, 1_400, 3_000, 5_000, 7_000]);
    assert.equal(session.counts().resent, 6);
  });

  test('sends again over a stream after a reconnection only', () => {
    const session = new PeerSession({ self: lives.one, peer: lives.other, isLossy: false });
    session.send(numbered(1));
    session.flush(at(0));
    assert.equal(session.nextDeadline(), null);
    session.reconnected(at(50));
    assert.ok(session.hasMore);
    assert.deepEqual(arrived(other(), 51, session.flush(at(50))[0]!), [1]);
  });

  test('holds nothing that a stream has brought too early, since a stream loses and reorders nothing', () => {
    const session = new PeerSession({ self: lives.one, peer: lives.other, isLossy: false });
    const peer = new PeerSession({ self: lives.other, peer: lives.one, isLossy: false });
    const [first, second] = [1, 2].map((number) => {
      peer.send(numbered(number));
      return peer.flush(at(0))[0]!;
    });
    const outcome = session.receive(at(1), second!);
    assert.ok(outcome.kind === 'malformed' && outcome.error.fault === 'impossible');
    assert.match(outcome.error.message, /frame 2 came where 1 was next/);
    assert.deepEqual([first!, second!, first!].map((frame) => arrived(session, 2, frame)), [[1], [2], []]);
  });

  test('says when more waits than a peer may leave unacknowledged', () => {
    const session = one(5_000_000);
    assert.ok(!session.isOverfull);
    session.send(longest());
    session.flush(at(0));
    assert.ok(!session.isOverfull);
    session.send(longest());
    assert.ok(session.isOverfull);
  });

  test('refuses another life of either side, and says whose', () => {
    const session = one();
    const later = incarnation(lives.other + 1);
    for (const [self, peer] of [[later, lives.one], [lives.other, later]] as const) {
      const stranger = new PeerSession({ self, peer, isLossy: true });
      stranger.send(numbered(1));
      assert.deepEqual(session.receive(at(0), stranger.flush(at(0))[0]!), { kind: 'stranger', from: self, to: peer });
    }
    assert.equal(session.nextDeadline(), null);
  });

  test('refuses the acknowledgement of what it never sent', () => {
    const [session, peer] = [one(), other()];
    const twin = one();
    twin.send(numbered(1));
    arrived(peer, 0, twin.flush(at(0))[0]!);
    const outcome = session.receive(at(1), peer.flush(at(10))[0]!);
    assert.ok(outcome.kind === 'malformed' && outcome.error.fault === 'impossible');
  });

  test('survives frames that were damaged, and takes nothing of one that it refuses', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 6 }), fc.nat(), (messages, place) => {
        const [session, peer] = [one(), other()];
        for (const message of messages) session.send(message);
        const [frame] = session.flush(at(0));
        const damaged = frame!.slice();
        damaged[(place >> 3) % damaged.length]! ^= 1 << (place & 7);
        const outcome = peer.receive(at(0), damaged);
        if (outcome.kind === 'messages' && outcome.messages.length > 0) return;
        const whole = peer.receive(at(0), frame!);
        assert.ok(outcome.kind !== 'messages' || whole.kind === 'messages');
        if (whole.kind === 'messages') assert.deepEqual(whole.messages, messages.slice(0, whole.messages.length || 1));
      }),
      { numRuns, seed, endOnFailure: true },
    );
  });
});

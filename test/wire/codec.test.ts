/**
 * Messages survive the way through bytes, and bytes that are no message are refused.
 *
 * Any message of any kind is written and read again. Then the bytes are damaged, cut and
 * made up: reading throws a `WireError`, or gives a message that is written in exactly
 * those bytes again. There is no third outcome.
 *
 *   DLM_WIRE_RUNS=1000000 DLM_WIRE_SEED=7 npm test -- test/wire/codec.test.ts
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AssertionFailed } from '../../src/core/base/assert.js';
import { lkid, lockspaceId, nodeId, viewId } from '../../src/core/base/ids.js';
import { ByteReader } from '../../src/core/wire/byte-reader.js';
import { ByteWriter } from '../../src/core/wire/byte-writer.js';
import { decodeMessage, encodeMessage } from '../../src/core/wire/codec.js';
import { kindCodes } from '../../src/core/wire/kinds.js';
import { decodeHello, encodeHello, greetingBytesMax, refusals, type HelloFrame } from '../../src/core/wire/hello.js';
import { incarnation } from '../../src/core/base/ids.js';
import { batchSize } from '../../src/core/recovery/errands.js';
import { frameBytesMax, frameBytesWanted, listMax } from '../../src/core/wire/limits.js';
import type { Message } from '../../src/core/wire/message.js';
import { WireError, type WireFault } from '../../src/core/wire/wire-error.js';
import { anyMessage, kinds, longest, messageOf } from './messages.js';

const numRuns = Number(process.env.DLM_WIRE_RUNS ?? 5_000);
const seed = Number(process.env.DLM_WIRE_SEED ?? 20_05);

function encode(message: Message): Uint8Array {
  const writer = new ByteWriter();
  encodeMessage(writer, message);
  return writer.take();
}

function decode(bytes: Uint8Array): Message {
  const reader = new ByteReader(bytes);
  const message = decodeMessage(reader);
  reader.end();
  return message;
}

/** Refused, or written in the same bytes again. */
function judge(bytes: Uint8Array): 'refused' | 'read' {
  let message: Message;
  try {
    message = decode(bytes);
  } catch (error) {
    assert.ok(error instanceof WireError, `not a WireError: ${String(error)}`);
    assert.ok(error.at <= bytes.length, 'the place is in the frame');
    return 'refused';
  }
  assert.deepEqual(encode(message), bytes);
  return 'read';
}

describe('every message survives', () => {
  for (const kind of kinds) {
    test(kind, () => {
      fc.assert(
        fc.property(messageOf(kind), (message) => assert.deepEqual(decode(encode(message)), message)),
        { numRuns: Math.ceil(numRuns / 20), seed },
      );
    });
  }

  test('many in one buffer, each in its place', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 30 }), (messages) => {
        const writer = new ByteWriter();
        for (const message of messages) encodeMessage(writer, message);
        const reader = new ByteReader(writer.take());
        assert.deepEqual(messages.map(() => decodeMessage(reader)), messages);
        reader.end();
      }),
      { numRuns: Math.ceil(numRuns / 20), seed },
    );
  });

  test('the longest one fits into a frame beside those that are wanted there', () => {
    assert.ok(encode(longest()).length + frameBytesWanted + 100 <= frameBytesMax);
    assert.deepEqual(decode(encode(longest())), longest());
  });

  test('a batch of a recovery fits into a list', () => assert.ok(batchSize <= listMax));
});

describe('what is no message is refused', () => {
  test('a bit is flipped', () => {
    const seen = { refused: 0, read: 0 };
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, place) => {
        const bytes = encode(message);
        const bit = place % (bytes.length * 8);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        seen[judge(bytes)] += 1;
      }),
      { numRuns, seed },
    );
    assert.ok(seen.refused > 0 && seen.read > 0, JSON.stringify(seen));
  });

  test('every shorter piece', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, place) => {
        const bytes = encode(message);
        assert.equal(judge(bytes.slice(0, place % bytes.length)), 'refused');
      }),
      { numRuns, seed },
    );
  });

  test('bytes nobody wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(24), (bytes, kind) => {
        if (bytes.length > 0) bytes[0] = kind;
        judge(bytes);
      }),
      { numRuns, seed },
    );
  });

  const head = [0, 0, 0, 1, 1];
  const examples: readonly (readonly [says: string, fault: WireFault, bytes: readonly number[]])[] = [
    ['nothing at all', 'truncated', []],
    ['a kind nobody knows', 'badCode', [99, ...head]],
    ['a mode nobody knows', 'badCode', [10, ...head, 1, 6]],
    ['a number written longer than need be', 'badNumber', [17, ...head, 0x80, 0]],
    ['a number beyond 2^53', 'badNumber', [17, ...head, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a number without end', 'badNumber', [17, ...head, ...Array<number>(12).fill(0x80)]],
    ['a name of 65 bytes', 'tooLong', [12, ...head, 1, 65, ...Array<number>(65).fill(97)]],
    ['a value of 4097 bytes', 'tooLong', [3, ...head, 1, 1, 0, 0x82, 0x20, ...Array<number>(4097).fill(0)]],
    ['words of 401 bytes', 'tooLong', [25, ...head, 3, 1, 2, 0, 0x91, 3, ...Array<number>(401).fill(97)]],
    ['a list longer than any', 'tooLong', [18, ...head, 1, 0xe9, 7]],
    ['a list longer than its bytes', 'truncated', [18, ...head, 1, 100, 0, 0]],
    ['more than the message', 'trailing', [17, ...head, 1, 0]],
    ['neither yes nor no', 'badCode', [13, ...head, 2]],
  ];
  for (const [says, fault, bytes] of examples) {
    test(`${says}: ${fault}`, () => {
      assert.throws(() => decode(Uint8Array.from(bytes)), (error) => error instanceof WireError && error.fault === fault);
    });
  }
});

describe('what breaks a limit is not written', () => {
  const envelope = { lockspace: lockspaceId(1), seq: viewId(1) } as const;
  const examples: readonly (readonly [says: string, message: Message])[] = [
    ['a name of 65 bytes', { kind: 'remove', ...envelope, name: 'x'.repeat(65), mastership: 1 }],
    ['a character of two bytes', { kind: 'remove', ...envelope, name: '\u0100', mastership: 1 }],
    ['half a number', { kind: 'remove', ...envelope, name: 'x', mastership: 1.5 }],
    ['a number below 0', { kind: 'remove', ...envelope, name: 'x', mastership: -1 }],
    ['a value of 4097 bytes', { kind: 'unlock', ...envelope, lkid: lkid(1), masterLkid: lkid(1), flags: 0, value: new Uint8Array(4097) }],
    ['words of 401 bytes', { kind: 'verdict', ...envelope, victim: nodeId(3), incarnation: incarnation(1), verdict: 'acknowledged', words: 'x'.repeat(401), attempts: 0 }],
    ['a list that is too long', { kind: 'masterLookup', ...envelope, batch: 1, names: Array<string>(listMax + 1).fill('x') }],
    ['names without masterships', { kind: 'names', ...envelope, batch: 1, names: ['x'], masterships: [] }],
  ];
  for (const [says, message] of examples) test(says, () => assert.throws(() => encode(message), AssertionFailed));
});

describe('greetings', () => {
  const counts = fc.maxSafeNat();
  const greeting = fc.record(
    {
      type: fc.constantFrom('hello' as const, 'welcome' as const, 'farewell' as const),
      cluster: fc.array(fc.nat(255), { maxLength: 64 }).map((bytes) => String.fromCharCode(...bytes)),
      from: counts.map(nodeId),
      fromIncarnation: counts.map(incarnation),
      to: counts.map(nodeId),
      toIncarnation: counts.map(incarnation),
      session: counts,
      peerSession: fc.option(counts, { nil: null }),
    },
    { noNullPrototype: true },
  );
  const refusal = fc.record({ type: fc.constant('refusal' as const), reason: fc.constantFrom(...refusals) }, { noNullPrototype: true });

  test('survive, and damaged ones are refused or mean exactly what they say', () => {
    fc.assert(
      fc.property(fc.oneof(greeting, refusal), fc.nat(), (hello: HelloFrame, place) => {
        const bytes = encodeHello(hello);
        assert.ok(bytes.length <= greetingBytesMax);
        assert.deepEqual(decodeHello(bytes), hello);
        bytes[(place >> 3) % bytes.length]! ^= 1 << (place & 7);
        try {
          assert.deepEqual(encodeHello(decodeHello(bytes)), bytes);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
        }
      }),
      { numRuns, seed },
    );
  });
});

test('docs/links.md names every kind and its number', () => {
  const rows = readFileSync(new URL('../../docs/links.md', import.meta.url), 'utf8').matchAll(/^\| (\d+)(?:–\d+)? \|((?: `\w+`)+) \|/gm);
  const named = [...rows].flatMap(([, first, words]) => words!.trim().split(' ').map((word, index) => [word.slice(1, -1), Number(first) + index]));
  assert.deepEqual(Object.fromEntries(named), kindCodes);
});

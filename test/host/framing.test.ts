/**
 * Frames come out of a stream whole, however the stream was cut into chunks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader } from '../../src/core/host/framing.js';
import { frameTypes, prologueBytes, putPrologue } from '../../src/core/wire/frame.js';
import { WireError } from '../../src/core/wire/wire-error.js';

function frameOf(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(prologueBytes + body.length);
  frame.set(body, prologueBytes);
  putPrologue(frame, frameTypes.messages);
  return frame;
}

test('whatever the chunks, the frames are the same', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 });
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (all, lengths) => {
      const frames = all.map(frameOf);
      const bytes = Buffer.concat(frames);
      const reader = new FrameReader(1_000);
      const found: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const length = lengths[turn % lengths.length]!;
        reader.push(bytes.subarray(at, at + length));
        for (let frame = reader.next(); frame !== null; frame = reader.next()) found.push(frame.slice());
        at += length;
      }
      assert.deepEqual(found, frames);
    }),
    { numRuns: 2_000, seed: 20_05 },
  );
});

for (const [says, length, fault] of [
  ['one byte too long', 65, 'tooLong'],
  ['the longest that four bytes can say', 0xffff_ffff, 'tooLong'],
  ['too short for what every frame has', prologueBytes - 1, 'truncated'],
  ['none at all', 0, 'truncated'],
] as const) {
  test(`a length is refused as soon as it is read: ${says}`, () => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    for (const pieces of [[bytes], [bytes.subarray(0, 1), bytes.subarray(1)]]) {
      const reader = new FrameReader(64);
      const read = (): void => {
        for (const piece of pieces) {
          reader.push(piece);
          assert.equal(reader.next(), null);
        }
      };
      assert.throws(read, (error) => error instanceof WireError && error.fault === fault);
    }
  });
}

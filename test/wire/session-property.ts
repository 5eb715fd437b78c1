/**
 * The one property of sessions: everything sent arrives, once, in order, and is then
 * forgotten by its sender, whatever the network did meanwhile.
 *
 * Asked by session.test.ts, of the real session and of broken ones.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PeerSession } from '../../src/core/wire/session.js';
import { calm, LossyPair, numbersAt, storm, stream, type Happened, type Side } from './lossy-pair.js';
import { numbered } from './messages.js';

interface Deed {
  readonly what: 'send' | 'cut' | 'wait';
  readonly side: Side;
  /** Messages sent, or milliseconds waited. */
  readonly size: number;
}

const deed = fc.record<Deed>({
  what: fc.constantFrom('send', 'send', 'send', 'send', 'cut', 'wait', 'wait'),
  side: fc.constantFrom(0, 1),
  size: fc.oneof(fc.nat(5), fc.nat(300)),
});

/** Throws unless the property holds: with the shortest script that shows it, or with the first if that is enough. */
export function checkSessions(Session: typeof PeerSession, numRuns: number, seed: number, isFirstEnough = false): Happened {
  const happened: Happened = { frames: 0, lost: 0, repeated: 0, overtaken: 0, strangers: 0, cuts: 0 };
  fc.assert(
    fc.property(fc.constantFrom(storm, storm, calm, stream), fc.array(deed, { maxLength: 40 }), fc.nat(), (weather, deeds, luck) => {
      const pair = new LossyPair(Session, luck, weather);
      const sent: [number, number] = [0, 0];
      for (const one of deeds) play(pair, one, sent);
      pair.settle();
      for (const side of [0, 1] as const) {
        assert.deepEqual(numbersAt(pair, side), Array.from({ length: sent[1 - side]! }, (_, index) => index));
        assert.equal(pair.sessions[side].counts().backlogBytes, 0, 'what has arrived is forgotten');
        assert.equal(pair.sessions[side].nextDeadline(), null);
        assert.equal(pair.sessions[side].waitingSince, null);
      }
      for (const key of Object.keys(happened) as (keyof Happened)[]) happened[key] += pair.happened[key];
    }),
    { numRuns, seed, endOnFailure: isFirstEnough },
  );
  return happened;
}

function play(pair: LossyPair, { what, side, size }: Deed, sent: [number, number]): void {
  if (what === 'wait') return pair.pass(size);
  if (what === 'cut') return pair.cut();
  for (let count = 0; count < size; count += 1) {
    pair.send(side, numbered(sent[side]++));
    if (count % 7 === 6) pair.flush(side);
  }
  pair.flush(side);
}

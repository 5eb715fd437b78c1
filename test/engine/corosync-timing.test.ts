/**
 * When a member on corosync stops and when the others go on without it, as corosync is
 * set up: always in this order, and never because a new ring is made.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { marginFor, timingFor } from '../../src/core/host/engine/corosync-timing.js';

const settings = [
  { token: 200, consensus: 240, stopMillis: 2_440, regrantMillis: 3_140 },
  { token: 1_650, consensus: 1_980, stopMillis: 5_630, regrantMillis: 7_780 },
  { token: 3_650, consensus: 4_380, stopMillis: 11_037.5, regrantMillis: 15_187.5 },
];

for (const { token, consensus, stopMillis, regrantMillis } of settings) {
  it(`a token of ${token} ms: it stops after ${stopMillis} ms, and is gone after ${regrantMillis} ms`, () => {
    assert.deepEqual(timingFor(token, consensus), { heartbeatMillis: 500, stopMillis, regrantMillis });
  });
}

it('what a member needs to end its commands comes on top, for those who wait for it', () => {
  const { stopMillis, regrantMillis } = timingFor(200, 240, { stopMillis: 3_000, graceMillis: 5_000 });
  assert.equal(stopMillis, 3_000);
  assert.equal(regrantMillis, 8_000 + marginFor(200));
});

it('a member that would be out whenever a new ring is made is refused, with both numbers', () => {
  assert.throws(() => timingFor(1_000, 1_200, { stopMillis: 3_000 }), { code: 'DLM_USAGE', message: /after 3000 ms .* 2200 ms for a new ring/ });
});

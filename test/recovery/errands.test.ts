/**
 * What a recovery has to tell a node goes there in batches, and the next one follows an
 * answer: a node that has much to tell must not have its peer counted as one that leaves
 * too much unacknowledged, which would end that peer.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeId, ownerId } from '../../src/core/base/ids.js';
import { Prng } from '../../src/core/base/prng.js';
import { CR } from '../../src/core/lock/mode.js';
import { defaultConfig } from '../../src/core/lockspace/lockspace.js';
import { batchSize, Errands, outMax } from '../../src/core/recovery/errands.js';
import { ByteWriter } from '../../src/core/wire/byte-writer.js';
import { encodeMessage } from '../../src/core/wire/codec.js';
import { backlogBytesMax } from '../../src/core/wire/session.js';
import { Troupe } from '../cluster/troupe.js';
import { longest } from '../wire/messages.js';

const [two, three] = [nodeId(2), nodeId(3)];

describe('batches', () => {
  test('that may be out at once leave room in what a peer may leave unacknowledged, however long they are', () => {
    const writer = new ByteWriter();
    encodeMessage(writer, longest());
    assert.ok(outMax * writer.length < (2 / 3) * backlogBytesMax, `${outMax} of ${writer.length} bytes`);
  });

  test('follow one another, to each node by itself, and end when the last is answered', () => {
    const errands = new Errands();
    const sent: [number, number][] = [];
    const heeded: string[] = [];
    const ask = (node: typeof two, what: string): void => errands.ask(node, (batch) => sent.push([node, batch]), () => heeded.push(what));
    for (let index = 0; index < outMax + 2; index += 1) ask(two, `two ${index}`);
    ask(three, 'three');
    assert.deepEqual(sent.map(([node]) => node), [...Array.from({ length: outMax }, () => 2), 3]);

    for (let at = 0; at < sent.length; at += 1) {
      assert.ok(!errands.areDone);
      errands.end(sent[at]![1], {});
      errands.end(sent[at]![1], {});
    }
    assert.ok(errands.areDone);
    assert.deepEqual(heeded, [...Array.from({ length: outMax }, (_, index) => `two ${index}`), 'three', `two ${outMax}`, `two ${outMax + 1}`]);
  });

  test('that wait are forgotten with the recovery they belong to', () => {
    const errands = new Errands();
    const sent: number[] = [];
    for (let index = 0; index < 2 * outMax; index += 1) errands.ask(two, (batch) => sent.push(batch), () => undefined);
    errands.forgetAll();
    errands.end(sent[0]!, {});
    assert.equal(sent.length, outMax);
    assert.ok(errands.areDone);
  });
});

test('a new master is told of many locks, a few batches at a time', () => {
  const count = outMax * batchSize + 1;
  const prng = new Prng('many locks');
  let [out, most, told] = [0, 0, 0];
  const troupe = new Troupe(
    (choices) => prng.below(choices),
    (_, effect) => {
      if (effect.kind !== 'send') return;
      if (effect.message.kind === 'rebuildLocks') [out, told] = [out + 1, told + effect.message.locks.length];
      if (effect.message.kind === 'rebuildLocksReply') out -= 1;
      most = Math.max(most, out);
    },
    { ...defaultConfig, placement: () => three },
  );
  for (const id of [1, 2, 3]) troupe.start(id);
  troupe.settle();
  troupe.joinAll('a');
  for (const id of [1, 2, 3]) {
    for (let index = 0; index < count; index += 1) {
      troupe.input(id, { kind: 'lock', lockspace: 'a', owner: ownerId(id), cookie: null, name: `r${index}`, mode: CR, flags: 0, value: null });
    }
    troupe.settle();
  }

  troupe.kill(1);
  troupe.settle();
  assert.equal(troupe.standing('a'), 'n2: running, n3: running');
  assert.equal(told, count, 'all are told');
  assert.ok(most <= outMax, `${most} batches were out at once`);
});

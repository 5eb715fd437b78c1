/**
 * What a node tells the others of those who have failed has its limits, however often
 * somebody fails while nothing can be done about it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incarnation, millis, nodeId, viewId } from '../../src/core/base/ids.js';
import type { Member } from '../../src/core/cluster/view.js';
import type { Effect } from '../../src/core/node/effect.js';
import { DlmNode } from '../../src/core/node/node.js';
import { ByteReader } from '../../src/core/wire/byte-reader.js';
import { ByteWriter } from '../../src/core/wire/byte-writer.js';
import { decodeMessage, encodeMessage } from '../../src/core/wire/codec.js';
import { listMax } from '../../src/core/wire/limits.js';

const fencing = { isOn: true, delayMillis: 0, postJoinMillis: 0, retryMillis: 1000, startup: [] };

test('a node fails and comes back more often than a list is long while there is no quorum: what is told then is short', () => {
  const node = new DlmNode({ self: nodeId(1), incarnation: incarnation(1), hasEngine: true, fencing });
  let views = 0;
  const member = (id: number, life: number): Member => ({
    node: nodeId(id),
    incarnation: incarnation(life),
    name: `n${id}`,
    address: '',
    weight: 0,
    lockspaces: new Map([['a', 1]]),
  });
  const follow = (isQuorate: boolean, ...members: Member[]): Effect[] => {
    views += 1;
    return node.step(millis(views), { kind: 'view', view: { id: viewId(views), isQuorate, members, leftCleanly: [] } });
  };

  for (let life = 2; life < listMax + 10; life += 1) {
    follow(false, member(1, 1), member(2, life));
    follow(false, member(1, 1));
  }
  const effects = follow(true, member(1, 1), member(3, 1));

  const told = effects.flatMap((effect) => (effect.kind === 'send' && effect.message.kind === 'census' ? [effect.message] : []));
  assert.equal(told.length, 1);
  const writer = new ByteWriter();
  encodeMessage(writer, told[0]!);
  assert.deepEqual(decodeMessage(new ByteReader(writer.take())), told[0]);
  assert.deepEqual(
    told[0]!.cases.filter(({ verdict }) => verdict === 'open').map(({ victim, incarnation: life }) => [victim, life]),
    [[nodeId(2), listMax + 9]],
    'its last life is still to be dealt with',
  );
});

/**
 * A peer that takes nothing for so long that what waits for it is dropped: nothing is kept
 * for it, and it is told that it cannot go on as this life.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { incarnation, nodeId } from '../../src/core/base/ids.js';
import { longest } from '../wire/messages.js';
import { introduce, open, until } from './link-troupe.js';

describe('a peer for which too much waits', () => {
  test('is reported when too much waits for it, once, and is sent nothing more', async (context) => {
    const one = await open(context, 1, { backlogBytesMax: 9_000_000 });
    const silent = { node: nodeId(9), incarnation: incarnation(9), address: 'tcp:127.0.0.1:1' };
    one.transport.setMembers([silent]);
    for (let count = 0; count < 9; count += 1) one.transport.send(silent.node, longest());
    assert.deepEqual(one.troubles.map(({ kind, node }) => [kind, node]), [['overfull', 9]]);
    assert.ok(one.transport.status()[0]!.counts.backlogBytes < 15_000_000);
  });

  test('is told, whoever dials, that it cannot go on as this life: messages are missing', async (context) => {
    for (const [full, node] of [[1, 2], [2, 1]] as const) {
      const player = await open(context, full, { backlogBytesMax: 4_500_000 });
      const peer = await open(context, node);
      player.transport.setMembers([peer.member]);
      player.send(peer, 0, 5);
      player.transport.send(peer.node, longest());
      player.transport.send(peer.node, longest());
      player.send(peer, 5, 10);
      assert.ok(player.has('overfull'));
      peer.transport.setMembers([player.member]);
      peer.send(player, 0, 5);
      await until('it is told', () => peer.outBy.includes(player.node));
      assert.ok(!player.isConnectedTo(peer) && !peer.isConnectedTo(player));
      assert.deepEqual([...peer.heardFrom(player), ...player.heardFrom(peer), ...player.outBy], []);
      assert.equal(player.transport.status()[0]!.isOverfull, true);
      assert.equal(player.transport.status()[0]!.counts.backlogBytes, 0, 'nothing is kept for it');

      const next = await open(context, node, { life: 2_000 + node });
      player.transport.setMembers([next.member]);
      next.transport.setMembers([player.member]);
      player.send(next, 0, 5);
      await until('another life of it is served', () => next.heardFrom(player).length === 5);
    }
  });

  test('of two that have both dropped messages, the one that dials goes', async (context) => {
    const [one, other] = [await open(context, 1, { backlogBytesMax: 10 }), await open(context, 2, { backlogBytesMax: 10 })];
    const nowhere = 'tcp:127.0.0.1:1';
    for (const [player, peer] of [[one, other], [other, one]] as const) {
      player.transport.setMembers([{ ...peer.member, address: nowhere }]);
      player.send(peer, 0, 3);
      assert.ok(player.has('overfull'));
    }
    introduce(one, other);
    await until('it is told', () => other.outBy.includes(one.node));
    assert.deepEqual(one.outBy, []);
  });
});

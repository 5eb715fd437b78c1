/**
 * Whether a node that has just joined stays: as soon as anybody has its key, and not
 * where it is refused by those who answer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId } from '../../src/core/base/ids.js';
import { awaitAcceptance, type Newcomer } from '../../src/core/host/acceptance.js';
import type { LinkStatus } from '../../src/core/host/transport.js';
import { introduce, open, until } from './link-troupe.js';

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

type SeenLink = ReturnType<Newcomer['links']>[number];

const link = (node: number, seen: Partial<SeenLink> = {}): SeenLink => ({ node: nodeId(node), address: 'tcp:127.0.0.1:1', isConnected: false, hasOtherKey: false, ...seen });

/** It is looked at what is so first, then at the next, and at the last for ever after. */
function inTurn(...states: readonly SeenLink[][]): () => readonly SeenLink[] {
  let at = 0;
  return () => states[Math.min(at++, states.length - 1)]!;
}

test('a node stays that is alone, that has a link with somebody, or that knows its peers from this machine', async () => {
  await awaitAcceptance({ links: () => [] });
  await awaitAcceptance({ links: inTurn([link(1, { hasOtherKey: true }), link(2)], [link(1, { hasOtherKey: true }), link(2, { isConnected: true })]) });
  await awaitAcceptance({ links: () => [link(1, { address: 'unix:/run/one' })] });
});

test('it stays where nobody answers, and where who has refused it is gone', async () => {
  await awaitAcceptance({ links: () => [link(1), link(2)] });
  await awaitAcceptance({ links: inTurn([link(1, { hasOtherKey: true })], []) });
});

test('it does not stay where it is refused, and others say nothing', async () => {
  await assert.rejects(awaitAcceptance({ links: () => [link(3, { hasOtherKey: true }), link(2), link(1, { hasOtherKey: true })] }), { code: 'DLM_CONFIG_INVALID', message: /the handshake with node 1, 3 is refused/ });
});

test('it is said if it has no key at all, and it stays no longer when nobody wants it to', async () => {
  const links = (): SeenLink[] => [link(1, { hasOtherKey: true })];
  await assert.rejects(awaitAcceptance({ links, hasKey: false }), { code: 'DLM_CONFIG_INVALID', message: /^no member accepts this node without a key: the handshake with node 1 is refused/ });
  await assert.rejects(awaitAcceptance({ links, signal: AbortSignal.abort() }), { code: 'DLM_CANCELLED' });
});

test('whoever dials, each side knows that the other has another key, until it has the right one', async (context) => {
  const refuses = (links: readonly LinkStatus[]): boolean => links.every(({ hasOtherKey, isConnected }) => hasOtherKey && !isConnected);
  const one = await open(context, 1, { keys: [key(1)] });
  const other = await open(context, 2, { keys: [key(2)] });
  introduce(one, other);
  await until('both know', () => refuses(one.transport.status()) && refuses(other.transport.status()));
  assert.deepEqual([one, other].map(({ troubles }) => troubles.map(({ kind, node }) => [kind, node])), [[['otherKey', 2]], [['otherKey', 1]]]);

  await other.transport.close();
  const next = await open(context, 2, { keys: [key(1)], life: 5_000 });
  introduce(one, next);
  await until('they are linked', () => one.isConnectedTo(next));
  assert.ok([one, next].every(({ transport }) => transport.status().every(({ hasOtherKey }) => !hasOtherKey)));
});

test('who has a link is not taken for somebody without the key, whatever strangers claim', async (context) => {
  const one = await open(context, 1, { keys: [key(1)] });
  const other = await open(context, 2, { keys: [key(1)] });
  introduce(one, other);
  await until('they are linked', () => one.isConnectedTo(other));
  const stranger = await open(context, 2, { keys: [key(2)], life: 5_000 });
  stranger.transport.setMembers([one.member]);
  await until('it is refused', () => stranger.has('otherKey') && one.has('otherKey'));
  assert.deepEqual(one.troubles.map(({ kind, node }) => [kind, node]), [['otherKey', null]]);
  assert.ok(one.isConnectedTo(other) && !one.transport.status()[0]!.hasOtherKey);
});

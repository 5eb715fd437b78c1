/**
 * Who has which part of the directory: by weights, however great they are, and the same as
 * ever for those that are small.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeId, viewId, type NodeId } from '../../src/core/base/ids.js';
import { hash, Members } from '../../src/core/lockspace/members.js';

const membersOf = (...weights: number[]): Members =>
  new Members(nodeId(1), viewId(1), weights.map((weight, at) => ({ node: nodeId(at + 1), since: viewId(1), weight })));

const names = Array.from({ length: 20_000 }, (_, index) => `name ${index}`);

function partOf(members: Members, node: number): number {
  return names.filter((name) => members.directoryOf(name) === node).length / names.length;
}

describe('the directory', () => {
  test('is shared alike where nobody has a weight, and by the weights where somebody has', () => {
    for (const node of [1, 2, 3, 4]) assert.ok(Math.abs(partOf(membersOf(0, 0, 0, 0), node) - 1 / 4) < 0.02);
    const weighted = membersOf(1, 0, 3);
    assert.ok(Math.abs(partOf(weighted, 1) - 1 / 4) < 0.02);
    assert.equal(partOf(weighted, 2), 0);
  });

  test('is where the names point to when each member is written down as often as its weight says', () => {
    const weights = [2, 0, 1, 5];
    const written = weights.flatMap((weight, at) => new Array<NodeId>(weight).fill(nodeId(at + 1)));
    const members = membersOf(...weights);
    for (const name of names.slice(0, 1000)) assert.equal(members.directoryOf(name), written[(hash(name) >>> 8) % written.length]);
  });

  test('is shared by the greatest weights that can be given, and makes nothing of their size', () => {
    const most = 0x7fff_ffff;
    for (const node of [1, 2, 3]) assert.ok(Math.abs(partOf(membersOf(most, most, most), node) - 1 / 3) < 0.02);
    assert.ok(Math.abs(partOf(membersOf(most, (most - 1) / 2), 2) - 1 / 3) < 0.02);
    assert.equal(partOf(membersOf(most, 0), 1), 1);
  });
});

/**
 * What a million locks cost each of the three nodes concerned with them: the one that holds
 * them, their master, and the directory node that knows who that is.
 *
 * All three are in one heap. What a node has is what becomes free when it is dropped; names
 * come over the wire, so that no two nodes share one. The handles of a program come on top.
 */
import { LittleCluster, nameOf } from './little-cluster.js';
import type { Part, Row } from './table.js';

const count = 1_000_000;
const roles = [
  ['holder', 1],
  ['master', 2],
  ['directory node', 3],
] as const;

function heapUsed(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

export const measure: Part = async (say) => {
  const cluster = new LittleCluster({ 1: 0, 2: 0, 3: 1 });
  for (let index = 0; index < count; index += 1) cluster.hold([1], 2, nameOf(index));
  if (cluster.mastered(2) !== count || cluster.counts(1).locks !== count) throw new Error('not all are held, or mastered elsewhere');

  const rows: Row[] = [];
  let before = heapUsed();
  for (const [role, node] of roles) {
    cluster.drop(node);
    const after = heapUsed();
    rows.push({ what: `heap a lock of ${count.toLocaleString('en')}, ${role}`, ours: `${((before - after) / count).toFixed(0)} bytes` });
    say(`${role}: ${((before - after) / 2 ** 20).toFixed(0)} MiB`);
    before = after;
  }
  return rows;
};

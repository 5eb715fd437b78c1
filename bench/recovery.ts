/**
 * How quickly a cluster goes on after a death: three nodes, of which one that dies was
 * master of everything the other two hold: locks they hold together, two on a resource, so
 * that one tells the other; or locks of their own, which make the holder their new master.
 *
 * The clock runs from the new view until both survivors have recovered. Both run in this
 * process, one after the other, and every message is encoded and decoded; the network
 * itself costs nothing. What N locks cost each is shown for growing N: it should not grow.
 */
import { LittleCluster, nameOf } from './little-cluster.js';
import { median, thousands, type Part, type Row } from './table.js';

const sizes = [1_000, 10_000, 100_000, 1_000_000];
/** So many recoveries of a size, fewer of those that take long. */
const roundsOf = (count: number): number => (count >= 1_000_000 ? 2 : count >= 100_000 ? 5 : 15);

/** Milliseconds from the view to the end, with so many locks, and so many on a resource. */
function recover(count: number, together: 1 | 2): number {
  const cluster = new LittleCluster({ 1: 0, 2: 0, 3: 0 });
  const resources = count / together;
  for (let index = 0; index < resources; index += 1) cluster.hold(together === 2 ? [1, 2] : [1 + (index % 2)], 3, nameOf(index));
  if (cluster.mastered(3) !== resources) throw new Error(`node 3 is master of ${cluster.mastered(3)} of ${resources}`);
  cluster.drop(3);
  globalThis.gc!();
  const start = performance.now();
  cluster.newView();
  const took = performance.now() - start;
  const masters = cluster.mastered(1) + cluster.mastered(2);
  if (cluster.recovered !== 2 || masters !== resources) throw new Error(`${cluster.recovered} recovered, with ${masters} of ${resources}`);
  return took;
}

/** The rows of one kind of locks. */
function curve(what: string, together: 1 | 2, say: (line: string) => void): Row[] {
  const rows: Row[] = [];
  const micros = new Map<number, number>();
  for (const count of sizes) {
    const times = Array.from({ length: roundsOf(count) }, () => recover(count, together));
    say(`${count} locks, ${what}: ${times.map((time) => time.toFixed(1)).join(', ')} ms`);
    const millis = median(times);
    const rate = (count * 1000) / millis;
    micros.set(count, (millis * 1000) / count);
    rows.push({
      what: `recovery of ${count.toLocaleString('en')} locks, ${what}`,
      ours: thousands(rate),
      peer: `${millis.toFixed(1)} ms, ${micros.get(count)!.toFixed(2)} us a lock`,
      ...(count >= 100_000 ? { wanted: { figure: rate, atLeast: 200_000, unit: '/s' } } : {}),
    });
    if (count === 100_000) rows.push({ what: '  the same, after the view', ours: `${millis.toFixed(0)} ms`, wanted: { figure: millis, atMost: 1000, unit: 'ms' } });
  }
  const ratio = micros.get(1_000_000)! / micros.get(10_000)!;
  rows.push({ what: `  one of 1,000,000, ${what}`, ours: `${micros.get(1_000_000)!.toFixed(2)} us`, peer: `one of 10,000 ${micros.get(10_000)!.toFixed(2)} us`, ratio, wanted: { figure: ratio, atMost: 2, unit: 'x' } });
  return rows;
}

export const measure: Part = async (say) => {
  for (const together of [1, 2] as const) recover(20_000, together); // warms up
  return [...curve('two a resource', 2, say), ...curve('one a resource', 1, say)];
};

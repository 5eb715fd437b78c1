/**
 * How quickly a cluster goes on after a death: three nodes, of which one that dies was
 * master of everything the other two hold.
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

function recover(count: number): number {
  const cluster = new LittleCluster({ 1: 0, 2: 0, 3: 0 });
  for (let index = 0; index < count; index += 1) cluster.hold(1 + (index % 2), 3, nameOf(index));
  if (cluster.mastered(3) !== count) throw new Error(`node 3 is master of ${cluster.mastered(3)} of ${count}`);
  cluster.drop(3);
  globalThis.gc!();
  const start = performance.now();
  cluster.newView();
  const took = performance.now() - start;
  const masters = cluster.mastered(1) + cluster.mastered(2);
  if (cluster.recovered !== 2 || masters !== count) throw new Error(`${cluster.recovered} recovered, with ${masters} of ${count}`);
  return took;
}

export const measure: Part = async (say) => {
  recover(20_000); // warms up
  const rows: Row[] = [];
  let perLock = 0;
  for (const count of sizes) {
    const times = Array.from({ length: roundsOf(count) }, () => recover(count));
    const millis = median(times);
    const rate = (count * 1000) / millis;
    const isGreat = count >= 100_000;
    if (count === 100_000) rows.push({ what: 'recovery, 100,000 locks', ours: `${millis.toFixed(0)} ms`, wanted: { figure: millis, atMost: 1000, unit: 'ms' } });
    rows.push({
      what: `locks rebuilt a second, of ${count.toLocaleString('en')}`,
      ours: thousands(rate),
      peer: `${millis.toFixed(1)} ms, ${((millis * 1000) / count).toFixed(2)} us a lock`,
      ...(isGreat ? { wanted: { figure: rate, atLeast: 200_000, unit: '/s' } } : {}),
    });
    say(`${count} locks: ${times.map((time) => time.toFixed(1)).join(', ')} ms`);
    if (count === 100_000) perLock = millis / count;
    if (count === 1_000_000) rows.push({ what: 'a lock of 1,000,000 / a lock of 100,000', ours: `${(millis / count / perLock).toFixed(2)} x`, wanted: { figure: millis / count / perLock, atMost: 1.5, unit: 'x' } });
  }
  return rows;
};

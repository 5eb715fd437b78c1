/**
 * Scripts on three nodes add to one number under a lock, and again and again one of the
 * nodes is killed with -9: while it holds, waits, converts, and decides. It comes back
 * each time. The number is exact, and no two were ever inside together, as the scripts
 * wrote it down themselves.
 *
 * Who is killed, and in which order, comes from a seed; DLM_SEED=N plays another.
 */
import assert from 'node:assert/strict';
import { test } from '../kill/bounded.js';
import { signalAll, until } from '../kill/processes.js';
import { countOf, everybody, Fleet, isRunningWith } from './fleet.js';

const seeds = process.env['DLM_SEED'] === undefined ? [7] : [Number(process.env['DLM_SEED'])];

/** What the one who is killed is doing, each so many times. */
const situations = ['holds', 'waits', 'converts', 'masters'] as const;
const rounds = 2;

/** Numbers from 0 to below `limit`. */
function dice(from: number): (limit: number) => number {
  let state = from;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

async function isIn(situation: (typeof situations)[number], fleet: Fleet, node: number): Promise<boolean> {
  if (situation === 'masters') return (await fleet.masterOf('counter', node)) === node;
  const locks = await fleet.locksOf(node, 'counter');
  return locks.some(({ state, mode }) => {
    if (situation === 'holds') return state === 'granted' && mode === 'EX';
    return state === (situation === 'waits' ? 'waiting' : 'converting');
  });
}

/** The one of them, looked at in this order, that is first seen so. */
async function somebodyWho(situation: (typeof situations)[number], fleet: Fleet, nodes: readonly number[]): Promise<number> {
  return until(`somebody ${situation}`, async () => {
    for (const node of nodes) if (await isIn(situation, fleet, node)) return node;
    return null;
  });
}

for (const seed of seeds) {
  test(`three nodes, one killed again and again: the count is exact (seed ${seed})`, async (test) => {
    const fleet = await Fleet.of();
    test.after(() => fleet.clear());
    const draw = dice(seed);
    const loops = everybody.flatMap((node) => [fleet.scriptAt(node, 'loop.sh', 'a'), fleet.scriptAt(node, 'loop.sh', 'b', 'up')]);
    const bag = Array.from({ length: rounds }, () => situations).flat();
    let killed = 0;
    while (bag.length > 0) {
      const [situation] = bag.splice(draw(bag.length), 1);
      const first = draw(everybody.length);
      const order = everybody.map((_, at) => everybody[(first + at) % everybody.length]!);
      const victim = await somebodyWho(situation!, fleet, order);
      // At times another dies with it, and one is left.
      const victims = draw(3) === 0 ? [victim, (victim % everybody.length) + 1] : [victim];
      // At times one who lives on is stopped meanwhile.
      const stopped = draw(3) === 0 ? everybody.filter((node) => !victims.includes(node)).map((node) => fleet.pidAt(node)) : [];
      signalAll(stopped.slice(0, 1), 'SIGSTOP');
      await Promise.all(victims.map((node) => fleet.kill(node)));
      signalAll(stopped, 'SIGCONT');
      killed += victims.length;
      const written = countOf(fleet).number;
      if (draw(2) === 0) await until('the others go on', () => countOf(fleet).number >= written + 2);
      for (const node of victims) await fleet.join(node);
    }
    await fleet.until(everybody, 'all lock again', isRunningWith(...everybody));
    const written = countOf(fleet).number;
    await until('they get on', () => countOf(fleet).number >= written + 6);
    fleet.tell('stop');
    assert.deepEqual(await Promise.all(loops.map(({ exit }) => exit)), loops.map(() => 0));

    const { number, writers } = countOf(fleet);
    const { overlaps, begun } = fleet.ledger;
    assert.deepEqual(overlaps, []);
    assert.equal(number, writers.size, `as seen one after another:\n${fleet.read('seen')}`);
    for (const node of everybody) assert.deepEqual(await fleet.locksOf(node), []);
    process.stdout.write(`cluster, seed ${seed}: ${killed} nodes killed, ${begun['bump']} sections begun, ${number} additions, ${overlaps.length} overlaps\n`);
  });
}

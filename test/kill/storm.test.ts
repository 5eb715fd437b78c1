/**
 * Scripts fight over one lock while somebody kills, stops and continues whatever
 * he meets: commands, their children, the node. The choices come from a seed;
 * DLM_SEED=N repeats them, as far as real processes repeat anything.
 */
import assert from 'node:assert/strict';
import { test } from './bounded.js';
import { isRunning, signalAll, startedWith, until } from './processes.js';
import { Stage } from './stage.js';

const seed = Number(process.env['DLM_SEED'] ?? 20);
const scripts = 4;
const blows = 60;
const signals = ['SIGTERM', 'SIGKILL', 'SIGKILL', 'SIGSTOP'] as const;

/** Numbers from 0 to below `limit`. */
function dice(from: number): (limit: number) => number {
  let state = from;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

test(`a storm of ${blows} blows: no two are ever inside together, and all goes on afterwards (seed ${seed})`, async (test) => {
  const stage = new Stage();
  test.after(() => stage.clear());
  const draw = dice(seed);
  stage.tell('finish-rival');
  const rivals = Array.from({ length: scripts }, () => stage.script('rival', 'rival.sh'));
  const loops = new Set(rivals.map(({ pid }) => pid));
  let struck = 0;
  while (struck < blows) {
    const targets = [...startedWith(`KILL_STAGE=${stage.folder}`).filter((pid) => !loops.has(pid)), stage.nodePid].filter((pid) => pid > 0);
    const target = targets[draw(targets.length)];
    // The node is one among many; it gets its share.
    const pid = draw(4) === 0 && stage.nodePid > 0 ? stage.nodePid : target;
    if (pid !== undefined) {
      const signal = signals[draw(signals.length)]!;
      signalAll([pid], signal);
      struck += 1;
      if (signal === 'SIGSTOP') setTimeout(() => signalAll([pid], 'SIGCONT'), 100 + draw(900)).unref();
    }
    await new Promise((resolve) => setTimeout(resolve, 20 + draw(300)));
  }
  const ends = (): number => stage.ledger.ended['rival'] ?? 0;
  const before = ends();
  await until('they get on', () => ends() >= before + scripts);
  stage.tell('stop');
  assert.deepEqual(await Promise.all(rivals.map(({ exit }) => exit)), rivals.map(() => 0));
  await until('all locks have ended', async () => (await stage.locks()).length === 0);
  await until('everybody has gone', () => stage.left().filter(isRunning).length === 0);
  const { overlaps, begun, ended } = stage.ledger;
  assert.deepEqual(overlaps, []);
  process.stdout.write(`storm: ${blows} blows, ${begun['rival']} sections begun, ${ended['rival']} ended, ${overlaps.length} overlaps\n`);
});

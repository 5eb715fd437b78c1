/**
 * A command under a lock, inside a command under another one: it runs under both, and
 * whatever is killed between, neither is given on while it can still write.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { test } from './bounded.js';
import { signalAll, statOf, until } from './processes.js';
import { Stage, program } from './stage.js';
import { Terminal, hasScript } from './terminal.js';

/** A command that only waits for its writer. */
const work = 'echo $$ > "$KILL_STAGE/pid-inner"; sh "$SCRIPTS/section.sh" victim; true';

/** A script that has it done under another lock. */
const script = 'echo $$ > "$KILL_STAGE/pid-outer"; "$DLM" lock other -q -- sh -c "$WORK"; true';

const parentOf = (pid: number): number => Number(statOf(pid)![1]);

/** All that stands over the writer is killed at once, while somebody waits for the outer lock; he gets it when the writer has gone. */
async function outlivedBy(stage: Stage): Promise<void> {
  await stage.pidOf('victim');
  const rival = stage.script('rival', 'rival.sh');
  await until('the rival waits', async () => (await stage.locks()).some(({ state }) => state === 'waiting'));
  stage.tell('finish-rival');
  const [outer, inner] = [await stage.pidOf('outer'), await stage.pidOf('inner')];
  signalAll([parentOf(outer), outer, parentOf(inner), inner], 'SIGKILL');
  await until('the rival gets on', () => (stage.ledger.ended['rival'] ?? 0) > 1);
  stage.tell('stop');
  await rival.exit;
  assert.deepEqual(stage.ledger.overlaps, []);
  assert.equal(stage.ledger.ended['victim'], undefined);
}

describe('a writer under two locks keeps the outer one when all that stands over it is killed', { concurrency: true }, () => {
  test('at a terminal, whose session all of them share', { skip: hasScript ? false : 'script(1) is not here' }, async (test) => {
    const terminal = new Terminal(test, { WORK: work, SCRIPT: script });
    terminal.type('dlm lock prey -q -- sh -c "$SCRIPT"\n');
    await outlivedBy(terminal.stage);
  });

  test('without a terminal, where the inner command leads a session of its own', async (test) => {
    const stage = new Stage();
    test.after(() => stage.clear());
    stage.run([program, 'lock', 'prey', '-q', '--', 'sh', '-c', script], { env: { ...stage.env, WORK: work } });
    await outlivedBy(stage);
  });

  test('where the environment was taken away between, as sudo does', async (test) => {
    const stage = new Stage();
    test.after(() => stage.clear());
    const kept = ['PATH', 'DLM', 'DLM_DIR', 'KILL_STAGE', 'SCRIPTS', 'WORK'].map((name) => `${name}="$${name}"`).join(' ');
    const bare = script.replace('"$DLM"', `env -i ${kept} "$DLM"`);
    stage.run([program, 'lock', 'prey', '-q', '--', 'sh', '-c', bare], { env: { ...stage.env, WORK: work } });
    await outlivedBy(stage);
  });
});

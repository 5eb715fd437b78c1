/**
 * What a dead node leaves running is ended, and in which order: whoever guards a script may
 * be stopping it, and a script whose steps are ended before itself goes on with the next one.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ChildRegister } from '../../src/core/host/child-register.js';
import type { ClusterPlaces } from '../../src/core/host/engine/cluster-places.js';
import { LastChildren } from '../../src/core/host/engine/last-children.js';
import { isAlive } from '../../src/core/host/process-facts.js';
import { ProcessFamily } from '../../src/core/host/process-family.js';
import { scratch, silent } from '../host/scratch.js';
import { until } from '../kill/processes.js';

const dead = { pid: 2 ** 22 + 1, started: 1 };

/** Writes down what it is told, and when it is asked. */
const step = 'trap "echo told >> heard" TERM; trap "echo asked >> heard" USR1; echo $$ > pid; while :; do sleep 0.02; done';

/** A script with a step, left behind by a node that has died. */
async function leftBehind(test: TestContext): Promise<{ script: ProcessFamily; stepPid: number; heard(): string[]; lastChildren(): LastChildren }> {
  const folder = resolve(scratch(test));
  const script = spawn('sh', ['-c', `sh -c '${step}' & wait`], { cwd: folder, detached: true, stdio: 'ignore', env: { ...process.env, DLM_LKID: 'left:1.1.00000001' } });
  const family = ProcessFamily.of(script.pid!)!;
  test.after(() => family.signal('SIGKILL'));
  const children = join(folder, 'children');
  new ChildRegister({ children, scope: 'folder' }).add(family);
  writeFileSync(join(folder, `children-of-${dead.pid}.${dead.started}`), children);
  const read = (name: string): string => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  await until('the step runs', () => read('pid') !== '');
  return {
    script: family,
    stepPid: Number(read('pid')),
    heard: () => read('heard').trim().split('\n'),
    lastChildren: () => new LastChildren({ folder } as ClusterPlaces, silent),
  };
}

test('a script that lives is left to whoever guards it, with its steps', async (test) => {
  const { stepPid, heard, lastChildren } = await leftBehind(test);
  const last = lastChildren();
  for (let round = 1; round <= 2; round += 1) {
    assert.equal(last.areGone(dead), false);
    // Whatever it was told before is heard before the second answer.
    process.kill(stepPid, 'SIGUSR1');
    await until('it answers', () => heard().filter((word) => word === 'asked').length >= round);
  }
  assert.deepEqual(heard(), ['asked', 'asked']);
});

test('what a script has left behind that has gone itself is told to stop, once', async (test) => {
  const { script, stepPid, heard, lastChildren } = await leftBehind(test);
  script.signal('SIGKILL', 'root');
  await until('the script has gone', () => !isAlive(script));
  const last = lastChildren();
  assert.equal(last.areGone(dead), false);
  await until('its step is told', () => heard().includes('told'));
  assert.equal(last.areGone(dead), false);
  process.kill(stepPid, 'SIGUSR1');
  await until('it answers', () => heard().includes('asked'));
  assert.deepEqual(heard(), ['told', 'asked']);
  script.signal('SIGKILL');
  await until('all have gone', () => last.areGone(dead));
});

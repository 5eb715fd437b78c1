/**
 * A member that is stopped answers nobody: whoever looks or asks for a lock is told, and is not left to guess.
 */
import assert from 'node:assert/strict';
import { test } from '../kill/bounded.js';
import { signalAll } from '../kill/processes.js';
import { program } from '../kill/stage.js';
import { Fleet, isRunningWith } from './fleet.js';

const silence = 'node 2 does not answer; its locks are not listed';

test('the list of all locks, and a plan, name a member that does not tell', async (test) => {
  const fleet = await Fleet.of([1, 2]);
  test.after(() => fleet.clear());
  await fleet.sayAt(1, 'lvb', 'set', 'ours', '1');
  await fleet.sayAt(2, 'lvb', 'set', 'theirs', '2');
  await fleet.until([1, 2], 'both lock', isRunningWith(1, 2));
  assert.doesNotMatch(await fleet.sayAt(1, 'locks', '-a'), /answer/);
  assert.match(await fleet.sayAt(1, 'locks', '-a'), /theirs/);

  signalAll([fleet.pidAt(2)], 'SIGSTOP');
  const words = await fleet.sayAt(1, 'locks', '-a');
  assert.match(words, new RegExp(`^dlm: ${silence}$`, 'm'));
  assert.match(words, /^ours /m);
  const json = fleet.run(['sh', '-c', `"$0" locks -a --json 2>"$1/words"`, program, fleet.folder], { env: fleet.envOf(1) });
  assert.equal(await json.exit, 0);
  assert.deepEqual((JSON.parse(json.said()) as { resource: string }[]).map(({ resource }) => resource), ['ours']);
  assert.equal(fleet.read('words'), `dlm: ${silence}\n`);
  assert.match(await fleet.sayAt(1, 'recover', 'plan', '--node', '2'), new RegExp(`^dlm: ${silence}$`, 'm'));
  const plan = JSON.parse(await fleet.sayAt(1, 'recover', 'plan', '--node', '2', '--json')) as { unlisted: unknown };
  assert.deepEqual(plan.unlisted, [{ node: 2, why: 'silent' }]);
});

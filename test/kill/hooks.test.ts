/**
 * Programs that are run when something happens to a lock, and several locks at
 * once.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext } from 'node:test';
import { test } from './bounded.js';
import { isRunning, signalAll, until } from './processes.js';
import { Stage, type Actor } from './stage.js';

const wait = (file: string): string => `until [ -e "$KILL_STAGE/${file}" ]; do sleep 0.02; done`;

function stageFor(test: TestContext): Stage {
  const stage = new Stage();
  test.after(() => stage.clear());
  return stage;
}

const held = (stage: Stage, resource: string): Promise<boolean> =>
  until(`${resource} is held`, async () => (await stage.locks()).some((lock) => lock.resource === resource && lock.state === 'granted'));

const waits = (stage: Stage, count = 1): Promise<boolean> =>
  until(`${count} wait`, async () => (await stage.locks()).filter(({ state }) => state === 'waiting').length === count);

describe('the doorbell', { concurrency: true }, () => {
  test('rings when somebody is kept waiting, and says who, for what, and for which lock', async (test) => {
    const stage = stageFor(test);
    const hook = 'env | grep ^DLM_ | sort > "$KILL_STAGE/rung.new"; mv "$KILL_STAGE/rung.new" "$KILL_STAGE/rung"; echo "for people"';
    const holder = stage.dlm('lock', 'a b', '--on-blocked', hook, '-q', '--', 'sh', '-c', `echo $$ > "$KILL_STAGE/pid-child"; ${wait('enough')}`);
    const child = await stage.pidOf('child');
    const reader = stage.dlm('lock', 'a b', '-m', 'PR', '-q', '--', 'echo', 'my turn');
    await until('it has rung', () => stage.has('rung'));
    const found = new Map(stage.read('rung').trim().split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]));
    const wanted = ['DLM_RESOURCE', 'DLM_MODE', 'DLM_BLOCKED_MODE', 'DLM_BLOCKER_PID', 'DLM_BLOCKER_COMMAND', 'DLM_COMMAND_PID'];
    assert.deepEqual(
      wanted.map((name) => found.get(name)),
      ['a b', 'EX', 'PR', String(reader.pid), "echo 'my turn'", String(child)],
    );
    assert.equal(found.get('DLM_LKID'), found.get('DLM_LKIDS'));
    await until('it has said something', () => holder.said().includes('for people'));
    stage.tell('enough');
    assert.deepEqual([await holder.exit, await reader.exit], [0, 0]);
  });

  test('can tell the command to make room', async (test) => {
    const stage = stageFor(test);
    const child = `trap 'exit 0' USR1; echo $$ > "$KILL_STAGE/pid-child"; ${wait('never')}`;
    const holder = stage.dlm('lock', 'prey', '--on-blocked', 'kill -USR1 $DLM_COMMAND_PID', '-q', '--', 'sh', '-c', child);
    await stage.pidOf('child');
    assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'true'), 0);
    assert.equal(await holder.exit, 0);
  });

  test('that hangs keeps neither the lock nor the next one from it', async (test) => {
    const stage = stageFor(test);
    const hook = 'echo $$ > "$KILL_STAGE/pid-hook"; exec sleep 600';
    const holder = stage.dlm('lock', 'prey', '--on-blocked', hook, '-q', '--', 'sh', '-c', `echo $$ > "$KILL_STAGE/pid-child"; ${wait('enough')}`);
    await stage.pidOf('child');
    const next = stage.dlm('lock', 'prey', '-q', '--', 'true');
    const bell = await stage.pidOf('hook');
    stage.tell('enough');
    assert.equal(await next.exit, 0);
    assert.equal(holder.process.exitCode, null, 'the holder gives its program a moment');
    assert.equal(await holder.exit, 0);
    assert.ok(isRunning(bell), 'and then leaves it alone');
  });

  test('rings again for the next one, one at a time', async (test) => {
    const stage = stageFor(test);
    const hook = `echo "$DLM_BLOCKED_MODE" >> "$KILL_STAGE/rung"; ${wait('heard')}`;
    const holder = stage.dlm('lock', 'prey', '-m', 'PR', '--on-blocked', hook, '-q', '--', 'sh', '-c', `echo $$ > "$KILL_STAGE/pid-child"; ${wait('enough')}`);
    await stage.pidOf('child');
    const first = stage.dlm('lock', 'prey', '-m', 'CW', '-q', '--', 'true');
    await until('it has rung', () => stage.read('rung') === 'CW\n');
    const second = stage.dlm('lock', 'prey', '-m', 'EX', '-q', '--', 'true');
    await waits(stage, 2);
    assert.equal(stage.read('rung'), 'CW\n');
    stage.tell('heard');
    await until('it has rung again', () => stage.read('rung') === 'CW\nEX\n');
    stage.tell('enough');
    assert.deepEqual([await holder.exit, await first.exit, await second.exit], [0, 0, 0]);
  });
});

describe('the other two', { concurrency: true }, () => {
  test('--on-grant runs beside the command; that it fails is said, and changes nothing', async (test) => {
    const stage = stageFor(test);
    const granted = stage.dlm('lock', 'prey', '--on-grant', 'echo "granted $DLM_RESOURCE in $DLM_MODE"; exit 3', '-q', '--', 'sh', '-c', 'exit 9');
    assert.equal(await granted.exit, 9);
    assert.match(granted.said(), /granted prey in EX\n/);
    assert.match(granted.said(), /dlm: --on-grant: the program has ended with exit code 3; the lock is not affected\n/);
  });

  test('--on-lost runs while the command is being stopped, and the code is 84', async (test) => {
    const stage = stageFor(test);
    const hook = 'echo "lost $DLM_RESOURCE: $DLM_LOST_REASON" > "$KILL_STAGE/lost"';
    const holder = stage.dlm('lock', 'prey', '--on-lost', hook, '-q', '--', 'sh', '-c', `echo $$ > "$KILL_STAGE/pid-child"; ${wait('never')}`);
    await stage.pidOf('child');
    signalAll([stage.nodePid], 'SIGKILL');
    assert.equal(await holder.exit, 84);
    assert.equal(stage.read('lost'), 'lost prey: the connection to the node has ended\n');
  });

  test('none of them without a command, which would have ended before anything happens', async (test) => {
    const stage = stageFor(test);
    assert.equal(await stage.exitOf('lock', 'prey', '--on-lost', 'true'), 64);
    assert.equal(stage.nodePid, 0);
  });
});

describe('several locks', { concurrency: true }, () => {
  const show = 'printf "%s|" "$DLM_RESOURCE" "$DLM_RESOURCES" "$DLM_LKID" "$DLM_LKIDS" "$DLM_TOKEN" "$DLM_TOKENS"';

  test('are held together; the plain variables are those of the one that was named first', async (test) => {
    const stage = stageFor(test);
    const said = await stage.outputOf('lock', 'c', 'a x', 'b', 'c', '-q', '--', 'sh', '-c', show);
    const [resource, resources, lkid, lkids, token, tokens] = said.split('|') as string[];
    assert.equal(resource, 'c');
    assert.equal(resources, 'c\na x\nb');
    assert.equal(lkids!.split('\n')[0], lkid);
    assert.equal(tokens!.split('\n')[0], token);
    assert.equal(new Set(lkids!.split('\n')).size, 3);
  });

  test('are asked for in the order of their names, whatever the order on the line, so nobody waits in a circle', async (test) => {
    const stage = stageFor(test);
    const orders = [['a', 'b', 'c'], ['c', 'b', 'a'], ['b', 'c', 'a'], ['c', 'a', 'b']];
    const actors = orders.flatMap((names) => [0, 1].map(() => stage.dlm('lock', ...names, '-q', '--', 'sleep', '0.05')));
    assert.deepEqual(await Promise.all(actors.map(({ exit }) => exit)), actors.map(() => 0));
  });

  test('all or none: one is busy, and the others are free again', async (test) => {
    const stage = stageFor(test);
    const holder = stage.dlm('lock', 'b', '-q', '--', 'sh', '-c', wait('enough'));
    await held(stage, 'b');
    const refused = stage.dlm('lock', 'a', 'b', 'c', '-n', '--', 'touch', `${stage.folder}/ran`);
    assert.equal(await refused.exit, 80);
    assert.match(refused.said(), /^dlm: b is busy/);
    assert.equal(await stage.exitOf('lock', 'a', 'c', '-n', '-q', '--', 'true'), 0);
    assert.equal(stage.has('ran'), false);
    stage.tell('enough');
    assert.equal(await holder.exit, 0);
  });

  test('have one patience, and what was held of them is free afterwards', async (test) => {
    const stage = stageFor(test);
    const holder = stage.dlm('lock', 'b', '-q', '--', 'sh', '-c', wait('enough'));
    await held(stage, 'b');
    const late = stage.dlm('lock', 'a', 'b', '-w', '0.5', '--', 'true');
    assert.equal(await late.exit, 81);
    assert.match(late.said(), /^dlm: EX on b was not granted within 0.5 s/);
    assert.equal(await stage.exitOf('lock', 'a', '-n', '-q', '--', 'true'), 0);
    stage.tell('enough');
    assert.equal(await holder.exit, 0);
  });

  test('a signal while one is waited for gives back those that are held', async (test) => {
    const stage = stageFor(test);
    const holder = stage.dlm('lock', 'b', '-q', '--', 'sh', '-c', wait('enough'));
    await held(stage, 'b');
    const waiter = stage.dlm('lock', 'a', 'b', '-q', '--', 'true');
    await waits(stage);
    signalAll([waiter.pid], 'SIGTERM');
    assert.equal(await waiter.exit, 143);
    assert.equal(await stage.exitOf('lock', 'a', '-n', '-q', '--', 'true'), 0);
    stage.tell('enough');
    assert.equal(await holder.exit, 0);
  });

  test('the loss of one is the loss of all', async (test) => {
    const stage = stageFor(test);
    const hook = 'echo "$DLM_RESOURCE" >> "$KILL_STAGE/lost"';
    const holder: Actor = stage.dlm('lock', 'a', 'b', '--on-lost', hook, '-q', '--', 'sh', '-c', `echo $$ > "$KILL_STAGE/pid-child"; ${wait('never')}`);
    await stage.pidOf('child');
    const second = (await stage.locks()).find(({ resource }) => resource === 'b');
    assert.equal(await stage.exitOf('unlock', second!.id, '-q'), 0);
    assert.equal(await holder.exit, 84);
    assert.equal(stage.read('lost'), 'b\n');
    assert.deepEqual(await stage.locks(), []);
  });

  test('need the dashes, and take no option for a name', async (test) => {
    const stage = stageFor(test);
    assert.equal(await stage.exitOf('lock', 'a', 'b'), 64);
    assert.equal(await stage.exitOf('lock', 'a', '--wiat', '--', 'true'), 64);
    assert.equal(await stage.outputOf('lock', '-q', '--', '--wiat', '-n', '--', 'sh', '-c', 'echo $DLM_RESOURCES'), '--wiat -n\n');
  });
});

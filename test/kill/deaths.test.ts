/**
 * Who dies, and what becomes of the command under the lock: the stories behind the
 * matrix, with children that do not make it easy.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext } from 'node:test';
import { test } from './bounded.js';
import { childrenOf, isRunning, signalAll, until } from './processes.js';
import { Stage, program, type Actor } from './stage.js';

function stageFor(test: TestContext): Stage {
  const stage = new Stage();
  test.after(() => stage.clear());
  return stage;
}

/** A command that does not end when it is asked to, nor does what it starts. */
const stubborn = 'trap "" TERM; echo $$ > "$KILL_STAGE/pid-child"; touch "$KILL_STAGE/here"; until [ -e "$KILL_STAGE/enough" ]; do sleep 0.05; done';

/** A command that only waits for its writer, and dies of the first signal. */
const withWriter = 'echo $$ > "$KILL_STAGE/pid-child"; sh "$SCRIPTS/section.sh" victim; true';

async function guarded(stage: Stage, script: string): Promise<{ guard: Actor; child: number }> {
  const guard = stage.dlm('lock', 'prey', '-q', '--', 'sh', '-c', script);
  return { guard, child: await stage.pidOf('child') };
}

/** A script that fails if that process still runs. One that has ended may wait a while for its parent to notice. */
const mustBeGone = (pid: number): string => `case "$(sed -n "s/^State:[[:space:]]*//p" /proc/${pid}/status 2>/dev/null)" in ""|Z*) exit 0;; esac; exit 9`;

const canTake = async (stage: Stage): Promise<boolean> => (await stage.exitOf('lock', 'prey', '-n', '-q', '--', 'true')) === 0;

describe('the command dlm is killed', { concurrency: true }, () => {
  test('89: its child survives and ignores TERM: the lock stays until it has been killed', async (test) => {
    const stage = stageFor(test);
    const { guard, child } = await guarded(stage, stubborn);
    signalAll([guard.pid], 'SIGKILL');
    await guard.exit;
    assert.ok(isRunning(child));
    assert.equal(await stage.exitOf('lock', 'prey', '-w', '1', '-q', '--', 'true'), 81);
    assert.ok(isRunning(child), 'it has its time to tidy up');
    assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'sh', '-c', mustBeGone(child)), 0);
  });

  test('89: its child dies at once, and what that had started is stopped before anybody gets the lock', async (test) => {
    const stage = stageFor(test);
    const { guard } = await guarded(stage, withWriter);
    await stage.pidOf('victim');
    const rival = stage.script('rival', 'rival.sh');
    await until('the rival waits', async () => (await stage.locks()).some(({ state }) => state === 'waiting'));
    stage.tell('finish-rival');
    signalAll([guard.pid], 'SIGKILL');
    await until('the rival gets on', () => (stage.ledger.ended['rival'] ?? 0) > 1);
    stage.tell('stop');
    await rival.exit;
    const { overlaps, ended } = stage.ledger;
    assert.deepEqual(overlaps, []);
    assert.equal(ended['victim'], undefined);
  });

  test('90: it is only stopped: the child works on, and the lock stays', async (test) => {
    const stage = stageFor(test);
    const guard = stage.dlm('lock', 'prey', '-q', '--', 'sh', `${stage.scripts}section.sh`, 'victim');
    await stage.pidOf('victim');
    signalAll([guard.pid], 'SIGSTOP');
    stage.tell('finish-victim');
    await until('the child is done', () => stage.ledger.ended['victim']);
    assert.equal(await canTake(stage), false);
    signalAll([guard.pid], 'SIGCONT');
    assert.equal(await guard.exit, 0);
    assert.equal(await canTake(stage), true);
  });
});

describe('the node is killed', { concurrency: true }, () => {
  test('91: a child that ignores TERM is killed in time, and until then the next node grants nothing', async (test) => {
    const stage = stageFor(test);
    const { guard, child } = await guarded(stage, stubborn);
    signalAll([stage.nodePid], 'SIGKILL');
    assert.equal(await stage.exitOf('lock', 'something else', '-q', '--', 'sh', '-c', mustBeGone(child)), 0);
    assert.equal(await guard.exit, 84);
  });

  test('91: and where nobody starts another node, the command stops it alone', async (test) => {
    const stage = stageFor(test);
    const { guard, child } = await guarded(stage, stubborn);
    signalAll([stage.nodePid], 'SIGKILL');
    assert.equal(await guard.exit, 84);
    assert.equal(isRunning(child), false);
  });

  test('91: the command is held up, so the next node stops the child itself', async (test) => {
    const stage = stageFor(test);
    const { guard, child } = await guarded(stage, stubborn);
    signalAll([guard.pid], 'SIGSTOP');
    signalAll([stage.nodePid], 'SIGKILL');
    assert.equal(await stage.exitOf('lock', 'prey', '-n', '-q', '--', 'true'), 80);
    const status = JSON.parse(await stage.outputOf('node', 'status', '--json')) as { waitingFor: { pid: number }[] };
    assert.deepEqual(status.waitingFor.map(({ pid }) => pid), [child]);
    assert.match(await stage.outputOf('node', 'status'), new RegExp(`^node 1 is healthy, and grants nothing yet\n.* waits for +pid ${child}, protected by its predecessor: sh -c `, 's'));
    const waiter = stage.dlm('lock', 'prey', '--', 'true');
    const named = new RegExp(`^dlm: waiting for EX on prey: the node grants nothing before the protected commands of its predecessor have ended\n  pid ${child}: sh -c `);
    await until('it says for whom it waits', () => named.test(waiter.said()));
    assert.ok(isRunning(child), 'and says so while that is so');
    const hasty = stage.dlm('lock', 'prey', '-w', '0.3', '--', 'true');
    assert.equal(await hasty.exit, 81);
    assert.match(hasty.said(), new RegExp(`^dlm: EX on prey was not granted within 0.3 s\n  the node grants nothing before .*\n  pid ${child}: `));
    assert.equal(await waiter.exit, 0);
    assert.equal(isRunning(child), false);
    signalAll([guard.pid], 'SIGCONT');
    assert.equal(await guard.exit, 84);
  });

  test('both are killed, and a writer is left whose parent is gone: the next node finds and stops it', async (test) => {
    const stage = stageFor(test);
    const { guard, child } = await guarded(stage, withWriter);
    const writer = await stage.pidOf('victim');
    signalAll([stage.nodePid, guard.pid, child], 'SIGKILL');
    await guard.exit;
    assert.ok(isRunning(writer));
    assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'sh', '-c', mustBeGone(writer)), 0);
    assert.equal(isRunning(writer), false);
  });

  test('it is told to leave by force: the child is stopped first, and nobody is granted anything before', async (test) => {
    const stage = stageFor(test);
    const { guard, child } = await guarded(stage, stubborn);
    assert.equal(await stage.exitOf('node', 'leave', '--force', '-q'), 0);
    assert.equal(isRunning(child), false);
    assert.equal(await guard.exit, 84);
  });
});

describe('the child', { concurrency: true }, () => {
  test('is killed, and its writer is stopped before anybody gets the lock', async (test) => {
    const stage = stageFor(test);
    const { guard, child } = await guarded(stage, withWriter);
    const writer = await stage.pidOf('victim');
    signalAll([child], 'SIGKILL');
    assert.equal(await guard.exit, 137);
    assert.equal(isRunning(writer), false);
    assert.equal(await canTake(stage), true);
  });

  test('is told to end and its writer takes its time: the lock stays until that is done', async (test) => {
    const stage = stageFor(test);
    const { guard } = await guarded(stage, 'echo $$ > "$KILL_STAGE/pid-child"; sh -c "trap \\"\\" TERM; sh \\"$SCRIPTS/section.sh\\" victim"; true');
    const writer = await stage.pidOf('victim');
    signalAll([guard.pid], 'SIGTERM');
    await until('it is said', () => guard.said().includes('the lock is kept until then'));
    assert.equal(await canTake(stage), false);
    assert.ok(isRunning(writer));
    stage.tell('finish-victim');
    assert.equal(await guard.exit, 143);
    assert.equal(stage.ledger.ended['victim'], 1);
  });

  test('92: leaves something behind when it ends: the lock is free, and what is left is left alone', async (test) => {
    const stage = stageFor(test);
    const daemon = 'echo $$ > "$KILL_STAGE/pid-$1"; ls -l /proc/$$/fd > "$KILL_STAGE/fd-$1"; exec sleep 60';
    stage.tell('daemon.sh', daemon);
    const start = 'sh "$KILL_STAGE/daemon.sh" near & setsid sh "$KILL_STAGE/daemon.sh" far & until [ -s "$KILL_STAGE/fd-near" ] && [ -s "$KILL_STAGE/fd-far" ]; do sleep 0.05; done';
    assert.equal(await stage.run([program, 'lock', 'prey', '-q', '--', 'sh', '-c', start], { stdio: 'ignore' }).exit, 0);
    assert.equal(await canTake(stage), true);
    const left = [await stage.pidOf('near'), await stage.pidOf('far')];
    assert.deepEqual(left.map(isRunning), [true, true]);
    assert.doesNotMatch(stage.read('fd-near'), /socket/, 'it has none of our connections');
    signalAll([stage.nodePid], 'SIGKILL');
    assert.equal(await canTake(stage), true, 'a new node does not mind them either');
    assert.deepEqual(left.map(isRunning), [true, true]);
  });

  test('92: made a session of its own for a part of itself, which outlives a killed command: that part is on its own', async (test) => {
    const stage = stageFor(test);
    const { guard } = await guarded(stage, 'setsid sh -c "echo \\$\\$ > \\"$KILL_STAGE/pid-far\\"; exec sleep 60" & echo $$ > "$KILL_STAGE/pid-child"; sleep 60');
    const far = await stage.pidOf('far');
    signalAll([guard.pid], 'SIGKILL');
    assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'true'), 0);
    assert.ok(isRunning(far));
  });
});

test('a conversion is taken back when dlm convert is killed, though the script that holds the lock goes on', async (test) => {
  const stage = stageFor(test);
  const reader = stage.dlm('lock', 'prey', '-m', 'PR', '-q', '--', 'sh', `${stage.scripts}section.sh`, 'hold');
  await stage.pidOf('hold');
  const script = 'id=$("$DLM" lock prey -m PR -q); "$DLM" convert "$id" -m EX -q; echo $? > "$KILL_STAGE/converted"; until [ -e "$KILL_STAGE/enough" ]; do sleep 0.05; done';
  const holder = stage.run(['sh', '-c', script]);
  await until('it converts', async () => (await stage.locks()).some(({ state }) => state === 'converting'));
  signalAll(childrenOf(holder.pid), 'SIGKILL');
  await until('it is held as before', async () => (await stage.locks()).every(({ state, mode }) => state === 'granted' && mode === 'PR'));
  await until('the script has heard of it', () => stage.read('converted') === '137\n');
  stage.tell('finish-hold');
  stage.tell('enough');
  assert.deepEqual([await reader.exit, await holder.exit], [0, 0]);
});

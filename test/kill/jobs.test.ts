/**
 * A command under a lock at a terminal and in pipelines: it behaves as it would
 * without the lock. script(1) makes the terminal, an interactive bash is the shell.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, type TestContext } from 'node:test';
import { test } from './bounded.js';
import { childrenOf, isRunning, signalAll, statOf, until } from './processes.js';
import { Stage } from './stage.js';
import { Terminal, hasScript } from './terminal.js';

const hasVi = spawnSync('sh', ['-c', 'command -v vi']).status === 0;

const isStopped = (pid: number): boolean => statOf(pid)?.[0] === 'T';

/** Stopped, or in vfork(2) until a child goes on that is stopped: some shells start programs so. */
const isHeldUp = (pid: number): boolean => isStopped(pid) || (statOf(pid)?.[0] === 'D' && childrenOf(pid).some(isStopped));

describe('at a terminal', { skip: hasScript ? false : 'script(1) is not here', concurrency: true }, () => {
  test('Ctrl-Z stops the command and dlm, and the lock stays; fg lets both go on', async (test) => {
    const terminal = new Terminal(test);
    const { stage } = terminal;
    terminal.type('dlm lock prey -q -- sh "$SCRIPTS/section.sh" victim\n');
    const child = await stage.pidOf('victim');
    terminal.type('\x1a');
    await terminal.shows('Stopped');
    await until('the child is stopped', () => isHeldUp(child));
    assert.equal(await stage.exitOf('lock', 'prey', '-n', '-q', '--', 'true'), 80);
    stage.tell('finish-victim');
    terminal.type('fg; echo "exit=$?"\n');
    await terminal.shows('exit=0');
    assert.equal(stage.ledger.ended['victim'], 1);
    assert.deepEqual(await stage.locks(), []);
  });

  test('Ctrl-Z stops a command whose input is a file, too', async (test) => {
    const terminal = new Terminal(test);
    const { stage } = terminal;
    terminal.type('dlm lock prey -q -- sh "$SCRIPTS/section.sh" victim < /dev/null\n');
    const child = await stage.pidOf('victim');
    terminal.type('\x1a');
    await terminal.shows('Stopped');
    await until('the child is stopped', () => isHeldUp(child));
    stage.tell('finish-victim');
    terminal.type('fg; echo "exit=$?"\n');
    await terminal.shows('exit=0');
  });

  test('Ctrl-C ends the command and what it has started, and the code is that of the signal', async (test) => {
    const terminal = new Terminal(test);
    const { stage } = terminal;
    terminal.type('dlm lock prey -q -- sh -c \'sh "$SCRIPTS/section.sh" victim; true\'; echo "exit=$?"\n');
    const writer = await stage.pidOf('victim');
    terminal.type('\x03');
    terminal.type('echo "exit=$?"\n');
    await terminal.shows('exit=130');
    assert.equal(isRunning(writer), false);
    assert.deepEqual(await stage.locks(), []);
  });

  test('Ctrl-C ends a script whose command is under a lock: nothing after it is done', async (test) => {
    const terminal = new Terminal(test);
    const { stage } = terminal;
    stage.tell('story', '"$DLM" lock prey -q -- sh "$SCRIPTS/section.sh" victim; touch after\n');
    terminal.type('bash story\n');
    await stage.pidOf('victim');
    terminal.type('\x03');
    terminal.type('echo "exit=$?"\n');
    await terminal.shows('exit=130');
    assert.equal(stage.has('after'), false);
    assert.deepEqual(await stage.locks(), []);
  });

  test('Ctrl-C ends a script that waits for a lock, too', async (test) => {
    const terminal = new Terminal(test);
    const { stage } = terminal;
    const holder = stage.dlm('lock', 'prey', '-q', '--', 'sh', `${stage.scripts}section.sh`, 'hold');
    await stage.pidOf('hold');
    stage.tell('story', '"$DLM" lock prey -q -- true; touch after\n');
    terminal.type('bash story\n');
    await until('it waits', async () => (await stage.locks()).some(({ state }) => state === 'waiting'));
    terminal.type('\x03');
    terminal.type('echo "exit=$?"\n');
    await terminal.shows('SIGINT came while waiting for prey');
    await terminal.shows('exit=130');
    assert.equal(stage.has('after'), false);
    assert.equal((await stage.locks()).length, 1);
    stage.tell('finish-hold');
    assert.equal(await holder.exit, 0);
  });

  test('an editor has the terminal', { skip: hasVi ? false : 'vi is not here' }, async (test) => {
    const terminal = new Terminal(test);
    const { stage } = terminal;
    terminal.type('dlm lock prey -q -- vi -u NONE text; echo "exit=$?"\n');
    await until('vi runs under the lock', async () => (await stage.locks()).some(({ owner }) => owner.command.includes('vi')));
    await terminal.shows('text');
    terminal.type('ihello\x1b:wq\r');
    await terminal.shows('exit=0');
    assert.equal(stage.read('text'), 'hello\n');
  });

  test('dlm is killed there: the writer that its command had started is stopped before anybody gets the lock', async (test) => {
    const terminal = new Terminal(test);
    const { stage } = terminal;
    terminal.type('dlm lock prey -q -- sh -c \'echo $$ > pid-child; sh "$SCRIPTS/section.sh" victim; true\'; echo "exit=$?"\n');
    const writer = await stage.pidOf('victim');
    const child = await stage.pidOf('child');
    signalAll([Number(statOf(child)![1])], 'SIGKILL');
    await terminal.shows('exit=137');
    assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'true'), 0);
    assert.equal(isRunning(writer), false);
  });

  test('in a pipeline: only its own part is stopped when the lock is lost', async (test) => {
    const terminal = new Terminal(test);
    const { stage } = terminal;
    terminal.type('dlm lock prey -q -- sh "$SCRIPTS/section.sh" victim | { sleep 600 & echo $! > pid-sleep; wait; }; echo "exit=${PIPESTATUS[*]}"\n');
    const child = await stage.pidOf('victim');
    const sleep = await stage.pidOf('sleep');
    const [lock] = await stage.locks();
    assert.equal(await stage.exitOf('unlock', lock!.id), 0);
    await until('the child has gone', () => !isRunning(child));
    assert.ok(isRunning(sleep));
    signalAll([sleep], 'SIGTERM');
    await terminal.shows('exit=84 0');
  });
});

describe('in a pipeline', { concurrency: true }, () => {
  const pipeline = async (test: TestContext, line: string): Promise<{ stage: Stage; said: string }> => {
    const stage = new Stage();
    test.after(() => stage.clear());
    const shell = stage.run(['bash', '-c', `dlm() { "$DLM" "$@"; }; ${line}; echo "exit=\${PIPESTATUS[*]}"`]);
    await shell.exit;
    return { stage, said: shell.said() };
  };

  test('the command reads and writes as if it stood there itself', async (test) => {
    const { said } = await pipeline(test, 'echo hello | dlm lock prey -q -- tr a-z A-Z | sed s/L/l/');
    assert.match(said, /^HElLO\nexit=0 0 0\n$/);
  });

  test('94: nobody reads what it writes: it ends of that, and the lock is free', async (test) => {
    const { stage, said } = await pipeline(test, 'dlm lock prey -q -- yes | head -n 1');
    assert.match(said, /^y\nexit=141 0\n$/);
    assert.deepEqual(await stage.locks(), []);
  });

  test('94: nobody reads what dlm itself says: the command runs to its end all the same', async (test) => {
    const stage = new Stage();
    test.after(() => stage.clear());
    const holder = stage.dlm('lock', 'prey', '-q', '--', 'sh', `${stage.scripts}section.sh`, 'hold');
    await stage.pidOf('hold');
    const waiter = stage.dlm('lock', 'prey', '--', 'sh', '-c', 'touch "$KILL_STAGE/ran"; exit 7');
    waiter.process.stderr!.destroy();
    waiter.process.stdout!.destroy();
    await until('it waits, and wanted to say so', async () =>
      (await stage.locks()).some(({ state, ageMillis }) => state === 'waiting' && ageMillis > 1_500),
    );
    stage.tell('finish-hold');
    assert.equal(await waiter.exit, 7);
    assert.equal(await holder.exit, 0);
    assert.ok(stage.has('ran'));
  });

  test('two commands of one pipeline under one lock wait for each other only if they must', async (test) => {
    const { said } = await pipeline(test, 'dlm lock one -q -- echo hello | dlm lock two -q -- cat');
    assert.match(said, /^hello\nexit=0 0\n$/);
  });
});

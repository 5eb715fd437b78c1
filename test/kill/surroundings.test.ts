/**
 * Where scripts run: without a terminal, without open files, without a variable,
 * as somebody else, on a full disk, beside a node that does not answer.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, type TestContext } from 'node:test';
import { test } from './bounded.js';
import { isRunning, signalAll, until } from './processes.js';
import { Stage, program } from './stage.js';
import { hasScript } from './terminal.js';

const isRoot = process.getuid?.() === 0;
const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;

function stageFor(test: TestContext): Stage {
  const stage = new Stage();
  test.after(() => stage.clear());
  return stage;
}

/** A script, to its end: its exit code and all it has said. */
async function play(stage: Stage, script: string, env: NodeJS.ProcessEnv = stage.env): Promise<{ exit: number; said: string }> {
  const actor = stage.run(['bash', '-c', script], { env });
  return { exit: await actor.exit, said: actor.said() };
}

describe('a script', { concurrency: true }, () => {
  test('without a terminal, in a session of its own', async (test) => {
    const stage = stageFor(test);
    const { said } = await play(stage, 'setsid -w "$DLM" lock prey -q -- sh -c "echo ran; exit 5" < /dev/null; echo $?');
    assert.equal(said, 'ran\n5\n');
  });

  for (const [what, redirection, expected] of [
    ['standard input', '<&-', 'ran\n5\n'],
    ['standard output', '>&-', '5\n'],
    ['standard error', '2>&-', 'ran\n5\n'],
    ['everything', '<&- >&- 2>&-', '5\n'],
  ] as const) {
    test(`with ${what} closed`, async (test) => {
      const stage = stageFor(test);
      const { said } = await play(stage, `"$DLM" lock prey -q -- sh -c 'echo ran 2>/dev/null; exit 5' ${redirection}; echo $?`);
      assert.equal(said, expected);
      assert.equal(await stage.exitOf('lock', 'prey', '-n', '-q', '--', 'true'), 0);
    });
  }

  test('with an empty environment: only the folder of the node is named', async (test) => {
    const stage = stageFor(test);
    const line = `env -i DLM_DIR="$DLM_DIR" "${process.execPath}" "$DLM" lock prey -q --`;
    const { said } = await play(stage, `${line} sh -c 'echo "$DLM_RESOURCE in $DLM_MODE; $(env | sed "s/=.*//" | grep -v "^DLM_" | sort | tr "\\n" " ")"; exit 5'; echo $?`);
    assert.match(said, /^prey in EX; (PWD )?\n5\n$/, 'nothing was added but what belongs to the lock');
  });

  test('as from a timetable: a short PATH, no terminal, no home', async (test) => {
    const stage = stageFor(test);
    const path = `${process.execPath.replace(/\/node$/, '')}:/usr/bin:/bin`;
    const { said } = await play(stage, 'id=$("$DLM" lock prey -q) && "$DLM" unlock "$id" -q; echo $?', { PATH: path, SHELL: '/bin/sh', DLM: program, DLM_DIR: stage.dir });
    assert.equal(said, '0\n');
  });

  test('TERM at any moment of its start ends it, and nothing is left', async (test) => {
    const stage = stageFor(test);
    assert.equal(await stage.exitOf('lock', 'warm', '-q', '--', 'true'), 0);
    const exits = await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const actor = stage.dlm('lock', `prey ${index}`, '-q', '--', 'sleep', '600');
        await new Promise((resolve) => setTimeout(resolve, index * 60));
        signalAll([actor.pid], 'SIGTERM');
        return actor.exit;
      }),
    );
    assert.deepEqual(exits, exits.map(() => 143));
    await until('nothing is left', async () => stage.left().length === 0 && (await stage.locks()).length === 0);
  });
});

describe('95: exit codes', { concurrency: true }, () => {
  test('of the command are passed through, whatever they are', async (test) => {
    const stage = stageFor(test);
    for (const code of [0, 1, 2, 64, 79, 84, 126, 127, 255]) {
      assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'sh', '-c', `exit ${code}`), code);
    }
  });

  test('of a command that a signal has ended are 128 and its number; of one that asks for an end, dlm dies too', async (test) => {
    const stage = stageFor(test);
    for (const [signal, code, death] of [
      ['INT', 130, 'SIGINT'], ['TERM', 143, 'SIGTERM'], ['HUP', 129, 'SIGHUP'], ['KILL', 137, null], ['SEGV', 139, null], ['USR1', 138, null],
    ] as const) {
      const guard = stage.dlm('lock', 'prey', '-q', '--', 'sh', '-c', `ulimit -c 0; kill -${signal} $$`);
      assert.equal(await guard.exit, code);
      assert.equal(guard.process.signalCode, death);
      assert.deepEqual(await stage.locks(), [], 'and has given the lock back before');
    }
  });

  test('of a wait that was interrupted: dlm has said so, and dies of the signal', async (test) => {
    const stage = stageFor(test);
    const holder = stage.dlm('lock', 'prey', '-q', '--', 'sh', `${stage.scripts}section.sh`, 'hold');
    await stage.pidOf('hold');
    for (const [signal, code, death] of [['SIGINT', 130, 'SIGINT'], ['SIGTERM', 143, 'SIGTERM'], ['SIGHUP', 129, 'SIGHUP'], ['SIGQUIT', 131, null]] as const) {
      const waiter = stage.dlm('lock', 'prey', '--json', '--', 'true');
      await until('it waits', async () => (await stage.locks()).some(({ state }) => state === 'waiting'));
      signalAll([waiter.pid], signal);
      assert.equal(await waiter.exit, code);
      assert.equal(waiter.process.signalCode, death);
      assert.equal((JSON.parse(waiter.said()) as { error: { exit: number } }).error.exit, code);
      assert.equal((await stage.locks()).length, 1, 'nothing is left of it');
    }
    stage.tell('finish-hold');
    assert.equal(await holder.exit, 0);
  });

  for (const [signal, code, death] of [['SIGINT', 130, 'SIGINT'], ['SIGTERM', 143, 'SIGTERM'], ['SIGHUP', 129, 'SIGHUP'], ['SIGQUIT', 131, null]] as const) {
    test(`${signal} reaches the command, and dlm ends as it does`, async (test) => {
      const stage = stageFor(test);
      const started = 'ulimit -c 0; echo $$ > "$KILL_STAGE/pid-child"; exec sleep 600';
      const plain = stage.dlm('lock', 'one', '-q', '--', 'sh', '-c', started);
      const child = await stage.pidOf('child');
      signalAll([plain.pid], signal);
      assert.equal(await plain.exit, code);
      assert.equal(plain.process.signalCode, death);
      assert.equal(isRunning(child), false);
      const ready = `trap "exit 7" ${signal.slice(3)}; echo $$ > "$KILL_STAGE/pid-deaf"; while :; do sleep 0.02; done`;
      const deaf = stage.dlm('lock', 'two', '-q', '--', 'sh', '-c', ready);
      await stage.pidOf('deaf');
      signalAll([deaf.pid], signal);
      assert.equal(await deaf.exit, 7, 'a command that decides for itself is believed');
    });
  }
});

describe('a node that does not answer', { concurrency: true }, () => {
  test('keeps no command that waits from ending when it is told to', async (test) => {
    const stage = stageFor(test);
    const holder = stage.dlm('lock', 'prey', '-q', '--', 'sh', `${stage.scripts}section.sh`, 'hold');
    await stage.pidOf('hold');
    const waiter = stage.dlm('lock', 'prey', '-q', '--', 'true');
    await until('it waits', async () => (await stage.locks()).some(({ state }) => state === 'waiting'));
    const node = stage.nodePid;
    signalAll([node], 'SIGSTOP');
    signalAll([waiter.pid], 'SIGTERM');
    assert.equal(await waiter.exit, 143);
    signalAll([node], 'SIGCONT');
    await until('its request is gone', async () => (await stage.locks()).every(({ state }) => state === 'granted'));
    stage.tell('finish-hold');
    assert.equal(await holder.exit, 0);
  });

  test('keeps no command from ending when its child is done', async (test) => {
    const stage = stageFor(test);
    const holder = stage.dlm('lock', 'prey', '-q', '--on-lost', 'echo lost', '--', 'sh', '-c', `sh "$SCRIPTS/section.sh" hold; exit 7`);
    await stage.pidOf('hold');
    const node = stage.nodePid;
    signalAll([node], 'SIGSTOP');
    stage.tell('finish-hold');
    assert.equal(await holder.exit, 7);
    assert.equal(
      holder.said(),
      'dlm: the command has ended; nobody has answered for 2 s that prey is given back: others may have to wait until the node answers again, or is gone\n',
      'there is no command that could be stopped, and no loss to tell a program of',
    );
    signalAll([node], 'SIGCONT');
    assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'true'), 0);
  });
});

describe('96: a disk that is full', { concurrency: true }, () => {
  const limited = 'trap "" XFSZ; ulimit -f 0; ';

  test('is no place for a node: it cannot keep its state, and does not start', async (test) => {
    const stage = stageFor(test);
    const { said } = await play(stage, `${limited}"$DLM" node join 2>&1 | cat; echo "\${PIPESTATUS[0]}"`);
    assert.match(said, /dlm: cannot write .*state\.json: .*\nhint: make room.*\n104\n$/s);
    assert.equal(stage.nodePid, 0);
  });

  test('nor for one that a command wants to start: it says so, and its command is not run', async (test) => {
    const stage = stageFor(test);
    const { said } = await play(stage, `${limited}"$DLM" lock prey -- echo ran 2>&1 | cat; echo "\${PIPESTATUS[0]}"`);
    assert.match(said, /the node cannot keep its state/);
    assert.match(said, /\n97\n$/);
    assert.doesNotMatch(said, /^ran$/m);
    assert.equal(stage.nodePid, 0);
    assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'true'), 0, 'with room again all is well');
  });

  test('and no room to register a child: the child is not run, and the lock is free', { skip: canMount ? false : 'needs root, to mount a small disk' }, async (test) => {
    const stage = stageFor(test);
    const { said } = await play(
      stage,
      `exec unshare -m bash -c '
        mount -t tmpfs -o size=1m,mode=700,nr_inodes=40 none "$DLM_DIR" && "$DLM" lock prey -q -- true || exit 1
        i=0; while echo > "$DLM_DIR/filler-$i"; do i=$((i + 1)); done 2>/dev/null
        "$DLM" lock prey -q -- echo ran; echo $?
        "$DLM" locks --json
        rm "$DLM_DIR"/filler-*; "$DLM" lock prey -q -- echo room again
        "$DLM" node leave -q; echo $?'`,
    );
    assert.match(said, /cannot register process .*ENOSPC/);
    assert.match(said, /\n104\n\[\]\nroom again\n0\n$/);
    assert.doesNotMatch(said, /^ran$/m);
  });
});

describe('another user', { skip: isRoot ? false : 'needs root, to become somebody else' }, () => {
  test('may not use a node that is not his, and is told so; he starts none beside it', async (test) => {
    const stage = stageFor(test);
    assert.equal(await stage.exitOf('lock', 'prey', '-q', '--', 'true'), 0);
    const { exit, said } = await play(stage, 'setpriv --reuid 65534 --regid 65534 --clear-groups "$DLM" lock prey -- echo ran');
    assert.equal(exit, 77, said);
    assert.doesNotMatch(said, /^ran$/m);
  });

  /** A command of his that becomes somebody else, and writes; `script` is what he does. */
  async function playAsHim(test: TestContext, inside: string, script: string): Promise<{ stage: Stage; said: string }> {
    const stage = stageFor(test);
    mkdirSync(stage.dir, { recursive: true, mode: 0o700 });
    copyFileSync('/bin/sh', `${stage.folder}/other`);
    chmodSync(`${stage.folder}/other`, 0o4755);
    stage.tell('ledger');
    chmodSync(`${stage.folder}/ledger`, 0o666);
    for (const path of [stage.folder, stage.dir]) chownSync(path, 65534, 65534);
    chmodSync(stage.folder, 0o755);
    stage.tell('finish-rival');
    const rest = `
      "$DLM" lock prey -q -- sh "$SCRIPTS/section.sh" rival &
      until "$DLM" locks | grep -q waiting || grep -q rival "$KILL_STAGE/ledger"; do sleep 0.05; done
      : > "$KILL_STAGE/finish-victim"
      wait $!; echo "rival $?"
      "$DLM" node leave -q`;
    const him = 'exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "$SCRIPT" 2>&1';
    const { said } = await play(stage, `cd /; ${inside} ${him}'`, { ...stage.env, SCRIPT: script + rest });
    return { stage, said };
  }

  test('who does not see what has become somebody else: his lock is kept for it all the same', { skip: canMount ? false : 'needs root, to hide processes' }, async (test) => {
    const { stage, said } = await playAsHim(
      test,
      "exec unshare -mpf --kill-child --mount-proc sh -c 'mount -t proc -o hidepid=2 proc /proc &&",
      `"$DLM" lock prey -q -- "$KILL_STAGE/other" -p "$SCRIPTS/section.sh" victim < /dev/null & guard=$!
      until [ -s "$KILL_STAGE/pid-victim" ]; do sleep 0.05; done
      [ -e "/proc/$(cat "$KILL_STAGE/pid-victim")" ] && echo "it is not hidden"
      kill -9 $guard`,
    );
    assert.match(said, /^rival 0$/m);
    assert.doesNotMatch(said, /not hidden/);
    assert.deepEqual([stage.ledger.begun, stage.ledger.overlaps], [{ victim: 1, rival: 1 }, []]);
  });

  test('who cannot see in which environment it was started, at a terminal: nor is his lock given on before it ends', { skip: hasScript ? false : 'script(1) is not here' }, async (test) => {
    const { stage, said } = await playAsHim(
      test,
      "exec sh -c '",
      `export WORK='echo $$ $PPID > "$KILL_STAGE/pids"; "$KILL_STAGE/other" -p "$SCRIPTS/section.sh" victim; true'
      script -qec '"$DLM" lock prey -q -- sh -c "$WORK"; sleep 600' /dev/null < /dev/null > /dev/null 2>&1 &
      until [ -s "$KILL_STAGE/pid-victim" ]; do sleep 0.05; done
      cat "/proc/$(cat "$KILL_STAGE/pid-victim")/environ" > /dev/null 2>&1 && echo "it is shown"
      kill -9 $(cat "$KILL_STAGE/pids")`,
    );
    assert.match(said, /^rival 0$/m);
    assert.doesNotMatch(said, /is shown/);
    assert.deepEqual([stage.ledger.begun, stage.ledger.overlaps], [{ victim: 1, rival: 1 }, []]);
  });

  test('who is in no user database and has no home is told to name a folder; with one all is well', { skip: canMount ? false : 'needs root, to leave /tmp and /run alone' }, async (test) => {
    const stage = stageFor(test);
    const dir = `${stage.folder}/nameless`;
    mkdirSync(dir, { mode: 0o700 });
    chownSync(dir, 12345, 12345);
    chmodSync(stage.folder, 0o755);
    const him = (place: string): string => `env -u HOME DLM_DIR=${place} setpriv --reuid 12345 --regid 12345 --clear-groups "$DLM"`;
    // The checkout may be under /tmp itself: there it would be hidden with the rest.
    const empty = `mount --bind ${dirname(dirname(program))} /mnt && mount -t tmpfs -o mode=1777 none /tmp && mount -t tmpfs none /run || exit 1`;
    const without = await play(stage, `unshare -m sh -c 'DLM=/mnt/bin/dlm; ${empty}; cd /; ${him('')} node join; exit $?'`);
    assert.equal(without.exit, 104, without.said);
    assert.match(without.said, /^dlm: user 12345 has no entry in the user database, so no home folder is known in which to keep state\nhint: name a folder with DLM_DIR\n$/);
    const { exit, said } = await play(stage, `cd /; ${him(dir)} lock prey -q -- sh -c 'id -u'; code=$?; ${him(dir)} node leave -q; exit $code`);
    assert.deepEqual({ exit, said }, { exit: 0, said: '12345\n' });
  });

  test('whose home does not exist is told so, and no folder of his is left', { skip: canMount ? false : 'needs root, to leave /tmp and /run alone' }, async (test) => {
    const stage = stageFor(test);
    const him = 'env -u HOME -u DLM_DIR setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/bin/dlm';
    const empty = `mount --bind ${dirname(dirname(program))} /mnt && mount -t tmpfs -o mode=1777 none /tmp && mount -t tmpfs none /run || exit 1`;
    for (const line of ['lock prey -- echo ran', 'node join']) {
      const { said } = await play(stage, `unshare -m sh -c '${empty}; cd /; ${him} ${line}; echo $?; ls -A /tmp' 2>&1`);
      assert.match(said, /^dlm: cannot make the folder \/nonexistent\/\.local\/state\/dlm: .*\nhint: see who owns it, or name another folder with DLM_DIR\n104\n$/);
    }
  });

  test('has one of his own, and its locks are his', async (test) => {
    const stage = stageFor(test);
    const dir = `${stage.folder}/nobody`;
    mkdirSync(dir, { mode: 0o700 });
    chownSync(dir, 65534, 65534);
    chmodSync(stage.folder, 0o755);
    const him = `DLM_DIR=${dir} setpriv --reuid 65534 --regid 65534 --clear-groups "$DLM"`;
    const { exit, said } = await play(stage, `cd /; ${him} lock prey -q -- sh -c 'id -u'; code=$?; ${him} node leave -q; exit $code`);
    assert.deepEqual({ exit, said }, { exit: 0, said: '65534\n' });
  });
});

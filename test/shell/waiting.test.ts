/**
 * Waiting for a lock in a shell, and what ends it: the grant, the end of patience,
 * an interrupt, the end of the subshell. Nothing that was given up is left behind.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, afterEach, before, describe } from 'node:test';
import { test } from '../kill/bounded.js';
import { until } from '../kill/processes.js';
import { ShellDesk, running, says, shells, type Running } from './shells.js';

for (const shell of shells) {
  describe(`waiting in ${shell.name}`, () => {
    const desk = new ShellDesk();
    before(() => desk.open());
    afterEach(() => desk.endScripts());
    after(() => desk.clear());

    /** A script that has the lock until its standard input ends. */
    const holding = async (name: string): Promise<{ release: () => Promise<number> }> => {
      const holder = desk.start(shell, `dlm_lock ${name}; echo held; read -r line`);
      await says(holder, 'held');
      return {
        release: () => {
          holder.process.stdin!.end();
          return holder.exit;
        },
      };
    };
    /** A person presses the key when the script has said that it waits. To the whole group, as a terminal does it. */
    const interrupt = async (script: Running): Promise<void> => {
      await until('it says that it waits', () => script.err().includes('dlm: waiting for '));
      process.kill(-script.pid, 'SIGINT');
    };

    test('it goes on when the lock is granted', async () => {
      const holder = await holding('a');
      const script = desk.start(shell, 'dlm_lock a; echo "$? $DLM_MODE"');
      await desk.waiter('a');
      await holder.release();
      assert.equal(await script.exit, 0);
      assert.equal(script.out(), '0 EX\n');
    });

    test('a conversion waits too, and keeps its mode where it is given up', async () => {
      const holder = desk.start(shell, 'dlm_lock c PR; echo held; read -r line');
      await says(holder, 'held');
      const script = desk.start(shell, 'dlm_lock c PR; dlm_convert c EX -w 0.1 -q; echo "$? $DLM_MODE"; dlm_convert c EX; echo "$? $DLM_MODE"');
      await says(script, '81 PR');
      await desk.waiter('c');
      holder.process.stdin!.end();
      await script.exit;
      assert.equal(script.out(), '81 PR\n0 EX\n');
    });

    test('after a second it says for whom', async () => {
      const holder = await holding('b');
      const script = desk.start(shell, 'dlm_lock b; echo "$?"');
      await until('it says what it waits for', () => /^dlm: waiting for EX on b, alone in the queue\n {2}held in EX for /.test(script.err()));
      await holder.release();
      await script.exit;
      assert.equal(script.out(), '0\n');
    });

    test('a background job that waits for another one of the same script is not told that it waits for itself', async () => {
      const script = '( dlm_lock side; echo >has; read -r line <go; dlm_unlock side ) & read -r line <has; ( dlm_lock side -w 1.5; echo "$?" ) & wait $!; echo >go; wait';
      const { out, err } = await desk.end(shell, `mkfifo has go; ${script}; rm has go`);
      assert.equal(out, '81\n');
      assert.match(err, /^ {2}held in EX for /m);
      assert.doesNotMatch(err, /wait for each other/);
    });

    test('whoever waits for the end of a process above it is told so', async () => {
      const { out, err } = await desk.end(shell, `dlm_lock up; (dlm_lock up -w 0.2); echo "$? $$"`);
      assert.match(out, /^81 /);
      assert.match(err, new RegExp(`^ {2}pid ${out.trim().slice(3)} has this very command running under that lock, so that the two wait for each other`, 'm'));

      const inner = `eval "$(dlm shellenv ${shell.name})"; dlm_lock again -w 0.2; echo "$?"`;
      const nested = await desk.end(shell, `dlm lock again -q -- ${shell.name} ${shell.options.join(' ')} -c '${inner}'`);
      assert.equal(nested.out, '81\n');
      assert.match(nested.err, /^ {2}pid \d+ has this very command running under that lock/m);
    });

    test('an interrupt ends the script, its exit trap runs, and its request is taken back', async () => {
      const holder = await holding('i1');
      const script = desk.start(shell, 'trap "echo bye" EXIT; dlm_lock i1; echo not reached');
      await interrupt(script);
      assert.equal(await script.exit, 130);
      await desk.noWaiter('i1');
      assert.equal(script.out(), shell.name === 'bash' ? 'bye\n' : '');
      await holder.release();
    });

    test('a trap of the script runs after the function, which gives 130', async () => {
      const holder = await holding('i2');
      const script = desk.start(shell, 'trap "echo trapped" INT; dlm_lock i2; echo "$? <$DLM_LKID>"; dlm_lock i2 -n -q; echo "$?"; read -r line; echo read');
      await interrupt(script);
      await says(script, '130');
      await desk.noWaiter('i2');
      await says(script, '80\n');
      process.kill(-script.pid, 'SIGINT');
      await until('the trap is what it was', () => script.out().match(/trapped/g)?.length === 2);
      script.process.stdin!.end('\n');
      await script.exit;
      assert.match(script.out(), /^trapped\n130 <>\n80\ntrapped\n/);
      await holder.release();
    });

    test('an interrupt that is ignored ends nothing', async () => {
      const holder = await holding('i3');
      const script = desk.start(shell, 'trap "" INT; dlm_lock i3; echo "$?"');
      await interrupt(script);
      await holder.release();
      await script.exit;
      assert.equal(script.out(), '0\n');
    });

    test('other signals find their traps, and the wait goes on', async () => {
      const holder = await holding('u');
      const script = desk.start(shell, 'trap "echo usr" USR1; dlm_lock u; echo "$? $DLM_MODE"');
      await desk.waiter('u');
      process.kill(script.pid, 'SIGUSR1');
      await says(script, 'usr');
      process.kill(script.pid, 'SIGUSR1');
      await until('the second one has come', () => script.out().match(/usr/g)?.length === 2);
      await holder.release();
      await script.exit;
      assert.match(script.out(), /0 EX\n$/);
    });

    test('a trap may leave the script', async () => {
      const holder = await holding('x');
      const script = desk.start(shell, 'trap "exit 9" TERM; dlm_lock x; echo not reached');
      await desk.waiter('x');
      process.kill(script.pid, 'SIGTERM');
      assert.equal(await script.exit, 9);
      await desk.noWaiter('x');
      await holder.release();
    });

    test('a subshell that is killed leaves no request behind', async () => {
      const holder = await holding('k');
      const script = desk.start(shell, '(dlm_lock k) & job=$!; read -r line; kill -9 "$job"; read -r line; dlm_lock k; echo "$?"');
      await desk.waiter('k');
      script.process.stdin!.write('\n');
      await desk.noWaiter('k');
      await holder.release();
      script.process.stdin!.end('\n');
      await script.exit;
      assert.match(script.out(), /0\n$/);
    });

    test('an interrupt in an interactive shell brings back the prompt, and takes the request back', async () => {
      const holder = await holding('p');
      const options = shell.name === 'bash' ? [...shell.options, '--noediting', '-i'] : [...shell.options, '-i', '+Z'];
      const script = running(spawn(shell.name, options, { cwd: desk.work, env: { ...desk.env, PS1: '', PROMPT: '', PS2: '' }, detached: true }));
      script.process.stdin!.write(`eval "$(dlm shellenv ${shell.name})"\ndlm_lock mine\ndlm_lock p; echo not reached\n`);
      await until('it says that it waits', () => script.err().includes('dlm: waiting for '));
      process.kill(script.pid, 'SIGINT');
      await desk.noWaiter('p');
      script.process.stdin!.write('echo "back $?"; dlm_lock p -n -q; echo "busy $?"; dlm_unlock mine; echo "unlocked $?"\n');
      await says(script, 'unlocked 0');
      assert.match(script.out(), /^back 130\nbusy 80\nunlocked 0\n$/);
      script.process.stdin!.end();
      await script.exit;
      await holder.release();
    });
  });
}

/**
 * The end of a shell frees its locks, at once and whatever it has left running; the
 * end of the node is told to the shell, which neither hangs nor dies of it.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe } from 'node:test';
import { test } from '../kill/bounded.js';
import { until } from '../kill/processes.js';
import { ShellDesk, says, shells } from './shells.js';

for (const shell of shells) {
  describe(`the end of a ${shell.name}`, () => {
    const desk = new ShellDesk();
    before(() => desk.open());
    afterEach(() => desk.endScripts());
    after(() => desk.clear());

    test('by itself frees its locks', async () => {
      await desk.end(shell, 'dlm_lock a; dlm_lock b PR');
      assert.ok((await desk.free('a')) < 1_000 && (await desk.free('b')) < 1_000);
    });

    test('by kill -9 frees its locks within a second', async () => {
      const script = desk.start(shell, 'dlm_lock a; echo held; read -r line');
      await says(script, 'held');
      script.process.kill('SIGKILL');
      await script.exit;
      assert.ok((await desk.free('a')) < 1_000);
    });

    test('frees its locks within a second, although what it has started has its files open', async () => {
      const script = desk.start(shell, 'dlm_lock a; sleep 60 & (dlm_lock b; sleep 60) & until [[ $(dlm locks) == *b* ]]; do :; done; echo "held $!"; read -r line');
      await says(script, 'held');
      process.kill(script.pid, 'SIGKILL');
      await script.exit;
      assert.ok((await desk.free('a')) < 1_000 && (await desk.free('b')) < 1_000);
      process.kill(-script.pid, 'SIGKILL');
    });

    test('while it waits takes the request back', async () => {
      const holder = desk.start(shell, 'dlm_lock w; echo held; read -r line');
      await says(holder, 'held');
      const script = desk.start(shell, 'dlm_lock w');
      await desk.waiter('w');
      script.process.kill('SIGKILL');
      await desk.noWaiter('w');
      holder.process.stdin!.end();
      await holder.exit;
    });

    test('that is stopped frees nothing before it goes on', async () => {
      const script = desk.start(shell, 'dlm_lock a; echo held; read -r line');
      await says(script, 'held');
      script.process.kill('SIGSTOP');
      const other = await desk.end(shell, 'dlm_lock a -w 0.6 -q');
      assert.equal(other.exit, 81);
      script.process.kill('SIGCONT');
      script.process.stdin!.end();
      await script.exit;
      await desk.free('a');
    });

    test('is seen when it closes the pipe, too', async () => {
      const script = desk.start(shell, 'dlm_lock a; echo held; read -r line; exec {__dlm_to}>&-; read -r line');
      await says(script, 'held');
      script.process.stdin!.write('\n');
      await desk.free('a');
      script.process.stdin!.end();
      await script.exit;
    });

    test('leaves no pipes behind', async () => {
      await desk.end(shell, 'dlm_lock a; (dlm_lock b); x=$(dlm_lvb get a)');
      const folder = join(desk.dir, 'shells');
      await until('the folder is gone', () => readdirSync(folder).length === 0);
    });

    test('that was asked for and never began is forgotten without harm', async () => {
      const { exit } = await desk.end(shell, `dlm shellenv ${shell.name} >/dev/null; dlm_lock a`);
      assert.equal(exit, 0);
    });
  });

  describe(`the end of the node, in ${shell.name}`, () => {
    let desk = new ShellDesk();
    beforeEach(async () => {
      desk = new ShellDesk();
      await desk.open();
    });
    afterEach(() => desk.clear());

    const kill = async (signal: NodeJS.Signals): Promise<void> => {
      process.kill((await (await desk.client()).status()).pid, signal);
      if (signal === 'SIGKILL') await desk.forgetClient();
    };

    test('by kill -9 is told at once: lost for what was held, no node for what is asked', async () => {
      const script = desk.start(
        shell,
        `dlm_lock a; dlm_lock b; echo held; read -r line
        for call in "unlock a" "convert b PR" "lock a" "lvb get a" "unlock b"; do eval "dlm_$call" 2>/dev/null; echo "$?"; done
        (dlm_lock c 2>/dev/null); echo "$?"; x=$(dlm_lvb get a 2>/dev/null); echo "$?"; echo "<$DLM_LKID>"; dlm_unlock a`,
      );
      await says(script, 'held');
      await kill('SIGKILL');
      script.process.stdin!.end('\n');
      assert.equal(await script.exit, 84);
      assert.equal(script.out(), 'held\n84\n84\n95\n95\n84\n95\n95\n<>\n');
      assert.match(script.err(), /^dlm: the node has ended the session of this shell, and its locks are lost\nhint: stop touching .*\n$/);
    });

    test('ends a wait', async () => {
      const holder = desk.start(shell, 'dlm_lock a; echo held; read -r line');
      await says(holder, 'held');
      const script = desk.start(shell, 'dlm_lock a; echo "$?"; (dlm_lock a); echo "$?"');
      await desk.waiter('a');
      await kill('SIGKILL');
      await script.exit;
      assert.equal(script.out(), '95\n95\n');
      holder.process.stdin!.end();
      await holder.exit;
    });

    test('that is asked to leave by force: holders have lost, those who wait have no node', async () => {
      const holder = desk.start(shell, 'dlm_lock a; echo held; read -r line; dlm_unlock a -q 2>/dev/null; echo "$?"');
      await says(holder, 'held');
      const script = desk.start(shell, 'dlm_lock a 2>/dev/null; echo "$?"');
      await desk.waiter('a');
      await desk.forgetClient();
      assert.equal((await desk.dlm('node', 'leave', '--force')).exit, 0);
      await script.exit;
      holder.process.stdin!.end('\n');
      await holder.exit;
      assert.deepEqual([script.out(), holder.out()], ['95\n', 'held\n84\n']);
    });

    test('is survived: the same eval begins again', async () => {
      const script = desk.start(shell, `dlm_lock a; echo held; read -r line; eval "$(dlm shellenv ${shell.name} -q)"; dlm_lock a; echo "$?"`);
      await says(script, 'held');
      await kill('SIGKILL');
      script.process.stdin!.end('\n');
      await script.exit;
      assert.equal(script.out(), 'held\n0\n');
    });

    test('is survived a thousand times: a script that does not care does not hang', async () => {
      const script = desk.start(shell, 'echo ready; read -r line; for ((n = 0; n < 3000; n++)); do dlm_lock "name-$n" -q 2>/dev/null; done; echo "$?"');
      await says(script, 'ready');
      await kill('SIGKILL');
      script.process.stdin!.end('\n');
      await script.exit;
      assert.equal(script.out(), 'ready\n95\n');
    });

    test('that has only stopped is waited for', async () => {
      const script = desk.start(shell, 'echo ready; read -r line; echo asking; dlm_lock a; echo "$?"');
      await says(script, 'ready');
      const { pid } = await (await desk.client()).status();
      process.kill(pid, 'SIGSTOP');
      script.process.stdin!.end('\n');
      await says(script, 'asking');
      process.kill(pid, 'SIGCONT');
      await script.exit;
      assert.equal(script.out(), 'ready\nasking\n0\n');
    });

    test('that has stopped is not waited for by those who have given an option', async () => {
      const script = desk.start(shell, 'dlm_lock a; echo ready; read -r line; dlm_lock b -w 5; echo "$?"; read -r line; dlm_lock c; dlm_unlock b 2>/dev/null; echo "$?"; dlm_unlock a; echo "$?"');
      await says(script, 'ready');
      const { pid } = await (await desk.client()).status();
      process.kill(pid, 'SIGSTOP');
      script.process.stdin!.write('\n');
      await says(script, '95');
      process.kill(pid, 'SIGCONT');
      script.process.stdin!.end('\n');
      await script.exit;
      assert.equal(script.out(), 'ready\n95\n89\n0\n');
    });

    test('leaves pipes that its successor clears away', async () => {
      const script = desk.start(shell, 'dlm_lock a; echo held; read -r line');
      await says(script, 'held');
      await kill('SIGKILL');
      writeFileSync(join(desk.dir, 'shells', 'old'), '');
      await desk.open();
      assert.equal(existsSync(join(desk.dir, 'shells', 'old')), false);
      script.process.stdin!.end();
      await script.exit;
    });
  });
}

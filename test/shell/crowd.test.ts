/**
 * Many: shells that exclude each other, subshells of one shell that ask all at
 * once, and thousands of locks in one session.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe } from 'node:test';
import { test } from '../kill/bounded.js';
import { ShellDesk, shells } from './shells.js';

for (const shell of shells) {
  describe(`many, in ${shell.name}`, () => {
    const desk = new ShellDesk();
    before(() => desk.open());
    afterEach(() => desk.endScripts());
    after(() => desk.clear());

    /** Reads, adds one, and writes: two at a time lose something. */
    const count = 'read -r n <count; echo "$((n + 1))" >count';
    const counted = (): number => Number(readFileSync(join(desk.work, 'count'), 'utf8'));
    const begin = (): void => writeFileSync(join(desk.work, 'count'), '0\n');

    test('three shells count to 1500 together, and every time counts', async () => {
      begin();
      const script = `for ((i = 0; i < 500; i++)); do dlm_lock count || exit; ${count}; dlm_unlock count || exit; done`;
      const ended = await Promise.all([1, 2, 3].map(() => desk.end(shell, script)));
      assert.deepEqual(ended.map(({ exit, err }) => [exit, err]), [[0, ''], [0, ''], [0, '']]);
      assert.equal(counted(), 1_500);
    });

    test('so do the subshells of one shell', async () => {
      begin();
      const loop = `for ((i = 0; i < 100; i++)); do dlm_lock count || exit; ${count}; dlm_unlock count || exit; done`;
      const { exit, err } = await desk.end(shell, `(${loop}) & (${loop}) & (${loop}) & (${loop}) & ${loop}; wait`);
      assert.deepEqual([exit, err], [0, '']);
      assert.equal(counted(), 500);
    });

    test('a token is greater each time, as text', async () => {
      const { out } = await desk.end(shell, 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do dlm_lock t; echo "$DLM_TOKEN"; dlm_unlock t; done');
      const tokens = out.trimEnd().split('\n');
      assert.equal(new Set(tokens).size, 12);
      assert.deepEqual(tokens, [...tokens].sort());
    });

    test('ten thousand locks in one session, each given back by its name', async () => {
      const script = `for ((i = 0; i < 10000; i++)); do dlm_lock "n$i" || exit; done; dlm lockspace list --json | tr -d ' \\n'; echo
        for ((i = 0; i < 10000; i++)); do dlm_unlock "n$i" || exit; done; dlm lockspace list --json | tr -d ' \\n'`;
      const { exit, out } = await desk.end(shell, script);
      assert.equal(exit, 0);
      assert.match(out, /"locks":10000,.*\n.*"locks":0,/);
    });

    test('a hundred subshells, one after the other, leave nothing open in the node', async () => {
      const { pid } = await (await desk.client()).status();
      const files = `ls /proc/${pid}/fd | wc -l`;
      const script = `dlm_lock a; x=$(dlm_lvb get a 2>/dev/null); before=$(${files})
        for ((i = 0; i < 100; i++)); do x=$(dlm_lock a -n -q); done
        for ((i = 0; i < 100; i++)); do (( $(${files}) <= before + 2 )) && echo few && break; sleep 0.05; done`;
      assert.equal((await desk.end(shell, script)).out, 'few\n');
    });
  });
}

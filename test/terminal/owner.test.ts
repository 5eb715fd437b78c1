/**
 * A lock without a command belongs to whoever called: that one which ends at once is
 * named, and no lock is left to somebody who cannot know its id.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Desk } from './shell.js';

const bounded = { timeout: 60_000 };

describe('the owner of a lock without a command', () => {
  const desk = new Desk();
  after(() => desk.clear());

  for (const [who, line] of [
    ['timeout', 'timeout 20 dlm lock a -q'],
    ['xargs', 'echo a | xargs dlm lock -q'],
    ['the subshell of $( … )', 'id=$(dlm lock a -q; true)'],
    ['the subshell of $( … )', 'id=$(dlm lock a -q || exit)'],
    ['the subshell of $( … )', "sh -c 'id=$(dlm lock a -q; true)'"],
  ] as const) {
    test(`is named where it ends at once: ${line}`, bounded, async () => {
      const { err } = await desk.shell(`${line}; true`);
      const words = err.split('\n');
      const named = `dlm: the lock on a belongs to ${who}, pid N, which called dlm, and ends with it`;
      assert.deepEqual(words.map((words) => words.replace(/pid \d+/, 'pid N')), [named, 'hint: if your script shall own it, add: --owner-pid $$', '']);
    });
  }

  for (const line of [
    'id=$(dlm lock b -q)',
    'dlm lock b -q',
    'dlm lock b -q | cat',
    '(dlm lock b -q; true)',
    '(dlm lock b -q; true) | cat',
    'nice env A=1 dlm lock b -q',
    'timeout 20 dlm lock b -q --owner-pid $$',
    'done=$(id=$(dlm lock b -q); dlm unlock "$id"; echo done)',
  ]) {
    test(`is not spoken of where it may be meant: ${line}`, bounded, async () => {
      const { exit, err } = await desk.shell(`dlm node join --detach -q; ${line}; true`);
      assert.deepEqual([exit, err.replace(/.*is running already.*\nhint.*\n/, '').replace(/.*runs in the background.*\n/, '')], [0, '']);
    });
  }
});

describe('a lock whose id cannot be written', () => {
  const desk = new Desk();
  after(() => desk.clear());

  for (const [what, line, code] of [
    ['on a full disk', 'dlm lock a >/dev/full', 'ENOSPC'],
    ['on a full disk, as JSON', 'dlm lock a --json >/dev/full', 'ENOSPC'],
    ['where nobody reads', '{ read -r _ <&3; dlm lock a --owner-pid $$; echo "exit $?" >&2; } 3<ready | { exec <&-; echo >ready; }', 'EPIPE'],
  ] as const) {
    test(`is given back, ${what}`, bounded, async () => {
      const { exit, out, err } = await desk.shell(`rm -f ready; mkfifo ready; exec 4<>ready; ${line}; code=$?; dlm locks --json; exit $code`);
      assert.match(err, new RegExp(`the id of the lock on a could not be written, so the lock was given back: ${code}`));
      if (code === 'EPIPE') assert.match(err, /^exit 74$/m);
      else assert.equal(exit, 74);
      assert.equal(out, '[]\n');
    });
  }

  test('is kept where standard output is closed, which is as good as /dev/null; the id is among the words', bounded, async () => {
    const { exit, out, err } = await desk.shell('dlm lock a >&-; dlm unlock "$(dlm locks a --json | sed -n \'s/.*"id": "\\(.*\\)".*/\\1/p\')"');
    assert.deepEqual([exit, out], [0, '']);
    assert.match(err, /a is held in EX for pid \d+ .*dlm unlock default:/);
  });
});

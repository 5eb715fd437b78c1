/**
 * What the functions do, what they leave in `$?` and in variables, and what they
 * say: in every shell that is installed, against a real node.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { test } from '../kill/bounded.js';
import { until } from '../kill/processes.js';
import { ShellDesk, says, shells } from './shells.js';

for (const shell of shells) {
  describe(`the functions in ${shell.name}`, () => {
    const desk = new ShellDesk();
    before(() => desk.open());
    afterEach(() => desk.endScripts());
    after(() => desk.clear());

    /** What each line of a script gives: its exit code, and whatever it prints. */
    const codes = async (...lines: string[]): Promise<string[]> => {
      const { out } = await desk.end(shell, lines.map((line) => `${line} 2>/dev/null; echo "$?"`).join('\n'));
      return out.trimEnd().split('\n');
    };
    const wordsOf = async (script: string): Promise<string> => (await desk.end(shell, script)).err;

    test('a lock leaves its id, its mode and its token in variables', async () => {
      const { exit, out, err } = await desk.end(shell, 'dlm_lock a PR; echo "$DLM_LKID $DLM_MODE $DLM_TOKEN"');
      assert.match(out, /^default:1\.\d+\.[0-9a-f]{8} PR [0-9a-f]{12}\.[0-9a-f]{8}\.[0-9a-f]{8}\n$/);
      assert.deepEqual([exit, err], [0, '']);
    });

    test('a lock is converted and given back by its id', async () => {
      assert.deepEqual(await codes('dlm_lock a PR', 'dlm_convert "$DLM_LKID" EX', 'echo $DLM_MODE', 'dlm_unlock "$DLM_LKID"'), ['0', '0', 'EX', '0', '0']);
    });

    test('or by the name it was taken on', async () => {
      assert.deepEqual(await codes('dlm_lock a', 'dlm_convert a NL', 'dlm_unlock a', 'dlm_unlock a'), ['0', '0', '0', '89']);
    });

    test('a name with several locks means the latest', async () => {
      const script = 'dlm_lock a NL; first=$DLM_LKID; dlm_lock a CR; dlm_unlock a; dlm locks --json >locks; dlm_unlock "$first"; grep -c \'"mode"\' locks; grep -o \'"mode": "NL"\' locks';
      assert.equal((await desk.end(shell, script)).out, '1\n"mode": "NL"\n');
    });

    test('the exit codes are those of the dictionary', async () => {
      const other = desk.start(shell, 'dlm_lock held; echo held; read -r line');
      await says(other, 'held');
      assert.deepEqual(
        await codes('dlm_lock held -n', 'dlm_lock held -w 0.1', 'dlm_lock held -w 0', 'dlm_lock', 'dlm_lock a XX', 'dlm_lock a --no-such', 'dlm_lock a -l nowhere', 'dlm_convert a PR', 'dlm_lvb get nothing', 'dlm_unlock default:1.1.00000001'),
        ['80', '81', '80', '64', '64', '64', '92', '89', '85', '89'],
      );
      other.process.stdin!.end();
      await other.exit;
    });

    test('what went wrong is said on standard error: what, why, and what to do', async () => {
      const err = await wordsOf('dlm_lock a; (dlm_lock a -n)');
      assert.match(err, /^dlm: a is busy: EX cannot be granted now\n {2}held in EX for .* by pid \d+ on node 1: .*\nhint: .*\n$/s);
      assert.equal(await wordsOf('dlm_lock a; (dlm_lock a -n -q)'), '');
    });

    test('a failed lock leaves no id behind', async () => {
      assert.deepEqual(await codes('dlm_lock a', '(dlm_lock a -n)', 'dlm_lock b --no-such', 'echo "<$DLM_LKID>"'), ['0', '80', '64', '<>', '0']);
    });

    test('a shell is not left to wait for itself', async () => {
      const { exit, err } = await desk.end(shell, 'dlm_lock a; dlm_lock a');
      assert.equal(exit, 82);
      assert.match(err, /this shell has a in EX already, and would wait for itself/);
      assert.deepEqual(await codes('dlm_lock a PR', 'dlm_lock a PR', 'dlm_convert a EX', 'dlm_convert a EX -n'), ['0', '0', '82', '80']);
    });

    test('values are written and read, with the lock and without', async () => {
      assert.deepEqual(
        await codes('dlm_lvb set v "one two"', 'dlm_lvb get v', 'dlm_lock v', 'dlm_lvb set v three', 'dlm_unlock v', 'dlm_lvb get v', 'dlm_lvb drop v', 'dlm_lvb get v'),
        ['0', 'one two', '0', '0', '0', '0', 'three', '0', '0', '85'],
      );
    });

    test('a number is counted on, with the lock and without', async () => {
      assert.deepEqual(
        await codes('dlm_lvb incr n', 'dlm_lvb incr n --by=41', 'dlm_lock n', 'dlm_lvb incr n', 'dlm_unlock n', 'dlm_lvb get n', 'dlm_lvb incr n --by x', 'dlm_lvb set n word', 'dlm_lvb incr n', 'dlm_lvb drop n'),
        ['1', '0', '42', '0', '0', '43', '0', '0', '43', '0', '64', '0', '108', '0'],
      );
    });

    test('subshells that count at the same time, under the lock of their shell, lose nothing', async () => {
      const script = 'dlm_lock n; for i in 1 2 3 4 5 6 7 8; do ( for j in 1 2 3 4 5; do dlm_lvb incr n >>counted; done ) & done; wait; dlm_unlock n; dlm_lvb get n; dlm_lvb drop n; sort -u counted | wc -l; rm counted';
      assert.deepEqual((await desk.end(shell, script)).out.split(/\s+/), ['40', '40', '']);
    });

    test('a value is exchanged if it is the one that is expected', async () => {
      assert.deepEqual(
        await codes('dlm_lvb cas x --absent one', 'dlm_lvb cas x --absent two', 'dlm_lvb cas x two three', 'dlm_lvb cas x one two', 'dlm_lock x', 'dlm_lvb cas x two three', 'dlm_unlock x', 'dlm_lvb get x', 'dlm_lvb cas x', 'dlm_lvb drop x'),
        ['0', '107', '107', '0', '0', '0', '0', 'three', '0', '64', '0'],
      );
      assert.match(await wordsOf('dlm_lvb cas y one two'), /^dlm: y has no value, and 'one' was expected\nhint: /);
    });

    test('a change that was refused leaves a value not valid', async () => {
      assert.deepEqual(
        await codes('dlm_lvb set z 1', 'dlm_lock z', 'dlm_unlock z --invalidate', 'dlm_lvb incr z', 'dlm_lvb get z', 'dlm_lvb incr z --allow-invalid', 'dlm_lvb drop z'),
        ['0', '0', '0', '86', '86', '2', '0', '0'],
      );
    });

    test('a value that does not fit is refused', async () => {
      assert.deepEqual(await codes(`dlm_lvb set v ${'x'.repeat(33)}`, `dlm_lvb set v ${'x'.repeat(1000)}`, 'dlm_lock v'), ['87', '64', '0']);
    });

    test('a value that a dead writer has left is not valid', async () => {
      const script = 'dlm_lvb set w old; dlm_lock w; dlm_unlock w --invalidate; dlm_lvb get w; echo "$?"; dlm_lvb get w --allow-invalid; dlm_lvb drop w';
      const { out, err } = await desk.end(shell, script);
      assert.equal(out, '86\nold\n');
      assert.match(err, /not valid.*\n.*\ndlm: the value of w is not valid; this is the last one written\n$/s);
    });

    test('names and values may hold blanks, backslashes, tabs, newlines and any letters', async () => {
      const script = `
        dlm_lock ' ä \\ 錠 $x *' && dlm_unlock ' ä \\ 錠 $x *'; echo $?
        dlm_lvb set 'two words' $'a\\tb\\nc\\\\n' && dlm_lvb get 'two words'; dlm_lvb drop 'two words'
        dlm_lock $'a\\nb' 2>/dev/null; echo $?`;
      assert.equal((await desk.end(shell, script)).out, '0\na\\x09b\\x0ac\\\\n\n102\n');
    });

    test('a name may begin with a dash, after --', async () => {
      assert.deepEqual(await codes('dlm_lock -- -n', 'dlm_unlock -- -n', 'dlm_lock --name-hex 00ff', 'dlm_unlock --name-hex 00FF'), ['0', '0', '0', '0']);
    });

    test('every function has --help', async () => {
      const { exit, out } = await desk.end(shell, 'dlm_lock --help && dlm_convert -h && dlm_unlock -h && dlm_lvb get -h && dlm_lvb --help && dlm_lvb -h');
      assert.equal(exit, 0);
      assert.deepEqual(out.match(/^usage: \S+/gm), ['usage: dlm_lock', 'usage: dlm_convert', 'usage: dlm_unlock', ...Array<string>(3).fill('usage: dlm_lvb')]);
      assert.deepEqual(new Set(out.match(/dlm_lvb \w+ NAME/g)), new Set(['get', 'set', 'incr', 'cas', 'drop'].map((verb) => `dlm_lvb ${verb} NAME`)));
    });

    test('dlm_lock runs no command, and says which does', async () => {
      const { err } = await desk.end(shell, 'dlm_lock x -- true; dlm_lock -n x -- sleep 1');
      assert.equal(err, 'dlm: dlm_lock runs no command\nhint: use: dlm lock NAME -- COMMAND\n'.repeat(2));
      assert.deepEqual(await codes('dlm_lock x -- true', 'dlm_lock x -- PR'), ['64', '0']);
    });

    test('the lockspace is that of the session, or the one that is named', async () => {
      await desk.dlm('lockspace', 'create', 'other');
      const script = `eval "$(dlm shellenv ${shell.name} -l other)"; dlm_lock a; echo "\${DLM_LKID%%:*}"; dlm_lock a -l default; echo "\${DLM_LKID%%:*}"`;
      assert.equal((await desk.end(shell, script)).out, 'other\ndefault\n');
    });

    test('a second eval goes on with the session that there is', async () => {
      const script = `dlm_lock a; eval "$(dlm shellenv ${shell.name})"; dlm_unlock a`;
      assert.equal((await desk.end(shell, script)).exit, 0);
    });
  });
}

describe('dlm shellenv', () => {
  const desk = new ShellDesk();
  afterEach(() => desk.endScripts());
  after(() => desk.clear());

  test('lets eval fail where no node can be reached', async () => {
    const { exit, out, err } = await desk.shell('eval "$(dlm shellenv bash --no-start)"; echo "$?"; type -t dlm_lock');
    assert.deepEqual([exit, out], [1, '95\n']);
    assert.match(err, /^dlm: no node answers on /);
  });

  test('knows the shell that called it', async () => {
    assert.match((await desk.shell('dlm shellenv -q | tail -n 1; true')).out, /^__dlm_open '\/.*' \d+ 'default'\n$/);
  });

  test('refuses a shell that it has no functions for', async () => {
    const { exit, out, err } = await desk.dlm('shellenv', 'fish');
    assert.deepEqual([exit, out], [64, '(exit 64)\n']);
    assert.match(err, /there are no functions for the shell 'fish'/);
  });

  test('a shell without a session is told so', async () => {
    const { exit, err } = await desk.shell('eval "$(dlm shellenv bash -q | head -n -1)"; dlm_lock a');
    assert.equal(exit, 95);
    assert.match(err, /this shell has no session with a node/);
  });
});

test('under its lock a script reads and writes the value also while the node drains', async () => {
  const desk = new ShellDesk();
  try {
    await desk.open();
    const script = 'dlm_lock n; dlm_lvb set n 41; echo ready; read -r line; for call in "incr n" "get n" "get m" "set m 1"; do dlm_lvb $call 2>/dev/null; echo $?; done; dlm_unlock n';
    const worker = desk.start(shells[0]!, script);
    await says(worker, 'ready');
    const draining = desk.dlm('node', 'leave', '--drain');
    await until('the node drains', async () => (await desk.dlm('node', 'status')).out.startsWith('node 1 is draining'));
    worker.process.stdin!.write('go on\n');
    assert.equal(await worker.exit, 0);
    assert.equal(worker.out(), 'ready\n42\n0\n42\n0\n95\n95\n');
    assert.equal((await draining).exit, 0);
  } finally {
    await desk.clear();
  }
});

/**
 * The functions as guests in a script: they get along with its options, its traps,
 * its subshells and its variables, and leave all of it as they found it.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from '../kill/bounded.js';
import { ShellDesk, says, shells } from './shells.js';

for (const shell of shells) {
  describe(`a script in ${shell.name}`, () => {
    const desk = new ShellDesk();
    before(() => desk.open());
    afterEach(() => desk.endScripts());
    after(() => desk.clear());

    const outOf = async (script: string): Promise<string> => (await desk.end(shell, script)).out;

    test('with set -eu and pipefail goes on while all is well', async () => {
      const script = `set -eu -o pipefail
        dlm_lock a PR; dlm_convert a EX; dlm_lvb set a 1; x=$(dlm_lvb get a); dlm_lvb get a | cat >/dev/null; dlm_unlock a
        dlm_lock b -n; dlm_lock c -w 1; dlm_lvb drop a; echo "end $x"`;
      assert.deepEqual(await desk.end(shell, script), { exit: 0, out: 'end 1\n', err: '' });
    });

    test('with set -e ends where a function fails, with its code', async () => {
      const { exit, out } = await desk.end(shell, 'set -e; trap "echo trap" EXIT; dlm_lock a; echo one; (dlm_lock a -n); echo two');
      assert.deepEqual([exit, out], [80, 'one\ntrap\n']);
    });

    test('with set -e goes on where it asks whether a function fails', async () => {
      assert.equal(await outOf('set -e; dlm_lock a; if (dlm_lock a -n -q); then echo got; else echo "$?"; fi; dlm_unlock nothing -q 2>/dev/null || echo "$?"'), '80\n89\n');
    });

    test('finds its IFS, its positional parameters, its traps and its options as they were', async () => {
      const look = `{ printf %q "$IFS"; echo; echo "$# $1 $2"; trap; echo "$-"; set -o; } 2>&1`;
      const script = `IFS=x:; set -- one 'two words'; trap 'echo int' INT; trap 'echo usr' USR1; set -f
        ${look} >before
        dlm_lock a; dlm_lock xax -n; dlm_convert a PR -w 1; dlm_lvb set a x; (dlm_lock a EX -w 0.05 2>/dev/null); dlm_unlock a; dlm_unlock xax
        ${look} >after
        cmp before after && echo same`;
      assert.equal(await outOf(script), 'same\n');
    });

    test('has no new variables but those that begin with DLM_ and __dlm_', async () => {
      const names = shell.name === 'bash' ? 'compgen -v' : 'print -l ${(k)parameters}';
      const script = `${names} | sort >before; dlm_lock a; dlm_lock b -n; dlm_lvb set a 'x\\y'; dlm_unlock a; ${names} | sort >after
        comm -13 before after | grep -v -e '^DLM_' -e '^__dlm_' -e '^_$' -e PIPESTATUS -e pipestatus`;
      assert.equal(await outOf(script), '');
    });

    test('keeps its standard input', async () => {
      assert.equal(await outOf('printf "1\\n2\\n3\\n" | while read -r n; do dlm_lock "n$n"; echo "$n"; done'), '1\n2\n3\n');
    });

    test('may set variables of the names that shells like: REPLY, IFS, line, code', async () => {
      assert.equal(await outOf('REPLY=r line=l code=c IFS=; dlm_lock a; dlm_unlock a; echo "$REPLY$line$code"'), 'rlc\n');
    });

    test('locks in a subshell, and has the lock afterwards', async () => {
      const script = '(dlm_lock sub; echo "$?"); dlm locks | grep -c "^sub "; (dlm_unlock sub); echo "$?"; dlm_unlock sub -q 2>/dev/null; echo "$?"';
      assert.equal(await outOf(script), '0\n1\n0\n89\n');
    });

    test('locks in a subshell of a subshell, and in a function', async () => {
      assert.equal(await outOf('f() { (x=$(dlm_lock deep; echo "$?"); echo "$x"); }; f; dlm_unlock deep; echo "$?"'), '0\n0\n');
    });

    test('locks in every part of a pipeline', async () => {
      assert.equal(await outOf('{ dlm_lock p1; echo "$?"; } | { read -r one; dlm_lock p2; echo "$one $?"; } | cat; dlm_unlock p1 && dlm_unlock p2; echo "$?"'), '0 0\n0\n');
    });

    test('reads a value by command substitution', async () => {
      assert.equal(await outOf('dlm_lvb set v 41; v=$(dlm_lvb get v); dlm_lvb set v "$((v + 1))"; echo "$(dlm_lvb get v)"; dlm_lvb drop v'), '42\n');
    });

    test('sees the exit code through a command substitution', async () => {
      assert.equal(await outOf('dlm_lock a; x=$(dlm_lock a -n -q); echo "$?<$x>"; y=$(dlm_lvb get nothing 2>&1); echo "$?"; echo "$y" | head -n 1'), '80<>\n85\ndlm: nothing has no value\n');
    });

    test('may give its reader up', async () => {
      assert.equal(await outOf('dlm_lvb set v 1; dlm_lvb get v | true; (dlm_lock w; exec >&-; dlm_lvb get v) 2>/dev/null; dlm_lock x; echo "$?"; dlm_lvb drop v'), '0\n');
    });

    test('a process that it becomes still has the lock', async () => {
      const { out } = await desk.end(shell, 'dlm_lock exec; exec dlm locks');
      assert.match(out, /^exec .* granted .* EX /m);
    });

    test('another session in a subshell owns its own locks', async () => {
      const script = `dlm_lock a; ( eval "$(dlm shellenv ${shell.name})"; dlm_lock a -n -q; echo "$?"; dlm_lock b; echo "$?" ); dlm_unlock b 2>/dev/null; echo "$?"; dlm_unlock a; echo "$?"`;
      assert.equal(await outOf(script), '80\n0\n89\n0\n');
    });
  });
}

describe('a script in bash', () => {
  const desk = new ShellDesk();
  before(() => desk.open());
  afterEach(() => desk.endScripts());
  after(() => desk.clear());
  const bash = shells.find(({ name }) => name === 'bash')!;

  test('with a time limit for every read waits for a lock all the same', async () => {
    const holder = desk.start(bash, 'dlm_lock t; echo held; read -r line');
    await says(holder, 'held');
    const script = desk.start(bash, 'TMOUT=1; dlm_lock t; echo "$?"');
    await desk.waiter('t');
    // As long as the time limit, and a little longer.
    await pause(1_300);
    holder.process.stdin!.end();
    await script.exit;
    assert.equal(script.out(), '0\n');
  });

  test('hands on functions, and a script that inherits them is told that it has no session', async () => {
    const { out, err } = await desk.end(bash, 'export -f dlm_lock __dlm_call __dlm_join __dlm_say; bash -c "dlm_lock a"; echo "$?"');
    assert.equal(out, '95\n');
    assert.match(err, /this shell has no session with a node/);
  });

  test('works in posix mode, with aliases for what the functions use, and with functions of those names', async () => {
    const script = `set -o posix; shopt -s expand_aliases; alias printf=false read=false local=false
      eval "$(dlm shellenv bash)"
      unalias -a; set +o posix; printf() { return 9; }; read() { return 9; }; set -o posix
      dlm_lock a; echo "$? $DLM_MODE"`;
    assert.equal((await desk.end(bash, script)).out, '0 EX\n');
  });
});

/**
 * Exit codes are the same with --json and without, on every bad path; and whatever
 * dlm itself says is then one JSON document with the same code in it.
 *
 * Each line is run twice, with a node that stays, and a few locks that are in the way.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Desk, type Ended } from './shell.js';

/** A line, its exit code, and the error it reports; null where the code is the child's own. */
type Row = readonly [line: string, exit: number, code: string | null];

const usage: readonly Row[] = [
  ['lock', 64, 'DLM_USAGE'],
  ['lock n true', 64, 'DLM_USAGE'],
  ['lock n --', 64, 'DLM_USAGE'],
  ['lock -- --', 64, 'DLM_USAGE'],
  ['lock n -n -w 1 -- true', 64, 'DLM_USAGE'],
  ['lock n -w soon -- true', 64, 'DLM_USAGE'],
  ['lock n -w -- true', 64, 'DLM_USAGE'],
  ['lock n -w 1 -w 2 -- true', 64, 'DLM_USAGE'],
  ['lock n -E 300 -- true', 64, 'DLM_USAGE'],
  ['lock n -E x -- true', 64, 'DLM_USAGE'],
  ['lock n -m XX -- true', 64, 'DLM_USAGE'],
  ['lock n --nonsense -- true', 64, 'DLM_USAGE'],
  ['lock n -o -- true', 64, 'DLM_USAGE'],
  ['lock n --quiet=1 -- true', 64, 'DLM_USAGE'],
  ['lock n --flag CANCEL', 64, 'DLM_USAGE'],
  ['lock n -c true -- true', 64, 'DLM_USAGE'],
  ['lock n --alone -- true', 64, 'DLM_USAGE'],
  ['lock n --on-lost true', 64, 'DLM_USAGE'],
  ['lokc n', 64, 'DLM_USAGE'],
  ['modes XX', 64, 'DLM_USAGE'],
  ['unlock', 64, 'DLM_USAGE'],
  ['unlock bogus', 64, 'DLM_USAGE'],
  ['unlock bogus --name n', 64, 'DLM_USAGE'],
  ['unlock --name twice --owner-pid $PID', 64, 'DLM_USAGE'],
  ['convert default:1.7.0000002a', 64, 'DLM_USAGE'],
  ['lvb cas n one', 64, 'DLM_USAGE'],
  ['lvb incr n --by x', 64, 'DLM_USAGE'],
  ["lock '' -- true", 102, 'DLM_NAME_INVALID'],
  ['lock --name-hex 0 -- true', 102, 'DLM_NAME_INVALID'],
];

const refused: readonly Row[] = [
  ['lock held -n -- true', 80, 'DLM_BUSY'],
  ['lock held -n', 80, 'DLM_BUSY'],
  ['lock held -w 0 -c true', 80, 'DLM_BUSY'],
  ['lock held -w 0.05 -- true', 81, 'DLM_TIMED_OUT'],
  ['lock held -nE 7 -- true', 7, 'DLM_BUSY'],
  ['lock held -w 0.05 -E 7 -- true', 7, 'DLM_TIMED_OUT'],
  ['lock a held b -n -- true', 80, 'DLM_BUSY'],
  ['lvb set held x -n', 80, 'DLM_BUSY'],
  ['lvb incr held -w 0.05', 81, 'DLM_TIMED_OUT'],
  ['lvb cas held a b -n -E 3', 3, 'DLM_BUSY'],
  ['convert $SHARED -m EX -n', 80, 'DLM_BUSY'],
  ['convert $PATIENT -m EX -w 0.05', 81, 'DLM_TIMED_OUT'],
  ['convert $SECOND -m EX', 82, 'DLM_DEADLOCK'],
  ['convert $FIRST -m CR', 90, 'DLM_LOCK_IN_PROGRESS'],
  ['lock n -m EX --flag EXPEDITE', 101, 'DLM_RULE_BROKEN'],
  ['lock n --in-process -- true', 96, 'DLM_START_REFUSED'],
  ['lock n --owner-pid 4194304', 103, 'DLM_OWNER_INVALID'],
  ['lock n -l nowhere -- true', 92, 'DLM_LOCKSPACE_UNKNOWN'],
  ['unlock --name n -l nowhere', 92, 'DLM_LOCKSPACE_UNKNOWN'],
  ['unlock default:1.7.0000002a', 89, 'DLM_LOCK_UNKNOWN'],
  ['unlock --name nothing', 89, 'DLM_LOCK_UNKNOWN'],
  ['cancel $SHARED', 88, 'DLM_NOTHING_TO_CANCEL'],
  ['lockspace create default --new', 93, 'DLM_LOCKSPACE_EXISTS'],
  ['lockspace remove default', 94, 'DLM_LOCKSPACE_IN_USE'],
  ['orphans adopt nothing -m EX', 91, 'DLM_ORPHAN_UNKNOWN'],
  ['node join', 98, 'DLM_NODE_EXISTS'],
  ['node leave', 99, 'DLM_NODE_IN_USE'],
];

const values: readonly Row[] = [
  ['lvb get nothing', 85, 'DLM_NO_VALUE'],
  ['lvb drop nothing', 85, 'DLM_NO_VALUE'],
  ['lvb get spoilt', 86, 'DLM_VALUE_INVALID'],
  ['lvb incr spoilt', 86, 'DLM_VALUE_INVALID'],
  ['lvb cas spoilt 1 2', 86, 'DLM_VALUE_INVALID'],
  ['lvb set word 0123456789012345678901234567890123', 87, 'DLM_VALUE_TOO_LONG'],
  ['lvb cas word one two', 107, 'DLM_VALUE_DIFFERS'],
  ['lvb cas word --absent two', 107, 'DLM_VALUE_DIFFERS'],
  ['lvb incr word', 108, 'DLM_VALUE_NO_NUMBER'],
];

const children: readonly Row[] = [
  ['lock n -- sh -c "exit 7"', 7, null],
  ['lock n -- sh -c "exit 80"', 80, null],
  ["lock n -c 'kill -KILL $$'", 137, null],
  ["lock l -- sh -c 'dlm unlock $DLM_LKID; sleep 9'", 84, 'DLM_LOST'],
  ['lock n -- ./no-such-program', 127, 'DLM_USAGE'],
  ['lock n -- /etc/passwd', 126, 'DLM_USAGE'],
];

describe('with --json and without', { concurrency: 2 }, () => {
  const desk = new Desk();
  const ids: Record<string, string> = { PID: String(process.pid) };

  before(async () => {
    const take = async (line: string): Promise<string> => (await run(`lock ${line} -q --owner-pid $PID`)).out.trim();
    await take('held');
    ids['SHARED'] = await take('shared -m PR');
    ids['PATIENT'] = await take('shared -m PR');
    ids['FIRST'] = await take('circle -m PR');
    ids['SECOND'] = await take('circle -m PR');
    await take('twice -m PR');
    await take('twice -m PR');
    await run('lvb set word word');
    await run('lvb set spoilt 1');
    await run(`unlock ${await take('spoilt')} --invalidate`);
    await run('convert $FIRST -m EX -q >first 2>&1 & until dlm locks circle | grep -q converting; do sleep 0.02; done');
  });
  after(() => desk.clear());

  function run(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const settings = Object.entries({ ...ids, ...env }).map(([name, value]) => `export ${name}='${value}'; `);
    return desk.shell(`${settings.join('')}dlm ${line}`);
  }

  async function same([line, exit, code]: Row, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const plain = await run(line, env);
    const json = await run(line.replace(/( -- .*| --)?$/, ' --json$1'), env);
    assert.deepEqual([plain.exit, json.exit], [exit, exit], `${plain.err}${json.err}`);
    if (code === null) return;
    assert.match(plain.err, /^dlm: .+\n([^]*\n)?hint: .+\n$/);
    const { error } = JSON.parse(json.err) as { error: { code: string; exit: number; message: string; hint: string } };
    assert.deepEqual([error.code, error.exit], [code, exit]);
    assert.ok(error.message.length > 0 && error.hint.length > 0);
  }

  for (const row of [...usage, ...refused, ...values, ...children]) {
    test(`dlm ${row[0]} ends with ${row[1]}`, { timeout: 60_000 }, () => same(row));
  }

  test('where no node is and none shall be started', { timeout: 60_000 }, async () => {
    const env = { DLM_DIR: `${desk.folder}/nobody` };
    for (const line of ['lock n --no-start -- true', 'lvb get n --no-start', 'lvb incr n --no-start', 'locks', 'unlock --name n', 'node leave']) {
      await same([line, 95, 'DLM_NO_NODE'], env);
    }
  });

  for (const options of ['', '--json']) {
    test(`a wait that is cancelled, or interrupted${options === '' ? '' : ', with --json'}`, { timeout: 60_000 }, async () => {
      const waiting = `until dlm locks w | grep -q waiting; do sleep 0.02; done`;
      const cancelled = await run(`lock w -q >id; dlm lock w ${options} >out 2>&1 & waiter=$!; ${waiting}; dlm cancel --name w; wait $waiter; e=$?; cat out; dlm unlock "$(cat id)"; exit $e`);
      assert.equal(cancelled.exit, 83, cancelled.out + cancelled.err);
      const interrupted = await run(`lock w -q >id; dlm lock w ${options} -- true >out 2>&1 & waiter=$!; ${waiting}; kill -TERM $waiter; wait $waiter; e=$?; cat out; dlm unlock "$(cat id)"; exit $e`);
      assert.equal(interrupted.exit, 143, interrupted.out + interrupted.err);
      if (options === '') return;
      assert.match(cancelled.out, /^\{"error":\{"code":"DLM_CANCELLED",.*"exit":83\}\}$/m);
      assert.match(interrupted.out, /^\{"error":\{"code":"DLM_CANCELLED",.*"exit":143\}\}$/m);
    });
  }
});

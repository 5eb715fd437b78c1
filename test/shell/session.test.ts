/**
 * `dlm session`: lines of JSON over standard input and output, and how it ends.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe } from 'node:test';
import { test } from '../kill/bounded.js';
import { checkout } from '../terminal/shell.js';
import { ShellDesk, running, says, type Running } from './shells.js';

const join1 = '{"id":1,"op":"joinLockspace","lockspace":"default"}';
const lock2 = (name: string): string => JSON.stringify({ id: 2, op: 'lock', lockspace: 'default', name, mode: 'EX' });

describe('dlm session', () => {
  const desk = new ShellDesk();
  before(() => desk.open());
  afterEach(() => desk.endScripts());
  after(() => desk.clear());

  const start = (words: readonly string[]): Running => running(spawn(words[0]!, words.slice(1), { cwd: desk.work, env: desk.env, detached: true }));
  const holding = async (name: string): Promise<Running> => {
    const session = start(['dlm', 'session']);
    session.process.stdin!.write(`${join1}\n${lock2(name)}\n`);
    await says(session, '"event":"complete"');
    return session;
  };

  test('greets, answers every line, and ends at the end of its input', async () => {
    const { exit, out, err } = await desk.run('dlm', ['session'], `${join1}\n${lock2('a')}\nnonsense\n{"id":4,"op":"status"}\n`);
    const lines = out.trimEnd().split('\n').map((line) => JSON.parse(line) as { id?: number; event?: string; error?: { code: string } });
    assert.deepEqual(lines.map(({ id, event, error }) => event ?? error?.code ?? id), ['welcome', 1, 2, 'complete', 'DLM_PROTOCOL', 4]);
    assert.deepEqual([exit, err], [0, '']);
    await desk.free('a');
  });

  test('its locks are shown as those of the program that called it', async () => {
    const session = await holding('b');
    const [lock] = await desk.locks('b');
    assert.equal(lock?.owner.pid, process.pid);
    session.process.stdin!.end();
    assert.equal(await session.exit, 0);
    await desk.free('b');
  });

  test('frees its locks when it is killed', async () => {
    const session = await holding('c');
    session.process.kill('SIGKILL');
    assert.ok((await desk.free('c')) < 1_000);
  });

  test('ends when its parent is gone, although somebody still has its input open', async () => {
    const parent = start(['bash', '-c', 'exec 3<&0; { sleep 60 & dlm session <&3; } & echo "child $!"; sleep 60']);
    await says(parent, 'child');
    const middle = Number(/child (\d+)/.exec(parent.out())![1]);
    parent.process.stdin!.write(`${join1}\n${lock2('d')}\n`);
    await says(parent, '"event":"complete"');
    process.kill(middle, 'SIGKILL');
    assert.ok((await desk.free('d')) < 2_000);
    process.kill(-parent.pid, 'SIGKILL');
  });

  test('ends when nobody reads what it says', async () => {
    const session = await holding('e');
    session.process.stdout!.destroy();
    session.process.stdin!.write('{"id":3,"op":"status"}\n');
    assert.equal(await session.exit, 0);
    await desk.free('e');
  });

  test('does with a closed or an empty input', async () => {
    const { exit, out } = await desk.shell('dlm session <&- | grep -c welcome; dlm session </dev/null | grep -c welcome');
    assert.deepEqual([exit, out], [0, '1\n1\n']);
  });

  test('tells that the node is gone', async () => {
    const session = await holding('f');
    await desk.forgetClient();
    await desk.dlm('node', 'leave', '--force');
    assert.equal(await session.exit, 84);
    assert.match(session.out(), /"event":"lost"/);
    assert.match(session.err(), /^dlm: the node has ended the session, and whatever it held is lost\n/);
  });

  test('starts a node if there is none, or says that there is none', async () => {
    const { exit, err } = await desk.dlm('session', '--no-start');
    assert.equal(exit, 95);
    assert.match(err, /^dlm: no node answers/);
    const started = await desk.dlm('session');
    assert.match(started.out, /^\{"event":"welcome"/);
    assert.equal(started.err, '', 'nobody at a terminal is to be told of the node');
    assert.equal((await desk.dlm('node', 'status')).exit, 0);
  });

  describe('the examples of docs/session.md', () => {
    const page = readFileSync(join(checkout, 'docs/session.md'), 'utf8');
    const example = (language: string): string => new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(page)![1]!;

    test('bash', async () => {
      const { exit, out, err } = await desk.shell(example('bash'));
      assert.match(out, /^counter is ours: \{"event":"complete"/);
      assert.deepEqual([exit, err], [0, '']);
    });

    test('Python', { skip: spawnSync('python3', ['-c', '']).status !== 0 && 'python3 is not here' }, async () => {
      writeFileSync(join(desk.work, 'example.py'), example('python'));
      const { exit, out, err } = await desk.run('python3', ['example.py']);
      assert.match(out, /^counter is ours, token [0-9a-f.]{30}\n$/);
      assert.deepEqual([exit, err], [0, '']);
    });
  });
});

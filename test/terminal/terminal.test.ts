/**
 * In front of a terminal: the keys that end things, and lines that fit.
 *
 * script(1) makes the terminal.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { Desk } from './shell.js';

const hasScript = spawnSync('script', ['--version']).status === 0;

describe('at a terminal', { skip: hasScript ? false : 'script(1) is not here' }, () => {
  const desk = new Desk();
  after(() => desk.clear());

  /** Type `keys` as soon as `cue` is seen, and see what comes of it. */
  function atTerminal(line: string, cue: string, keys: string, env: NodeJS.ProcessEnv = {}): Promise<{ exit: number | null; screen: string }> {
    const child = spawn('script', ['-qec', line, '/dev/null'], { cwd: desk.work, env: { ...desk.env, TERM: 'xterm', ...env } });
    let screen = '';
    let isTyped = false;
    child.stdout.on('data', (text: Buffer) => {
      screen += text.toString('utf8');
      if (!isTyped && screen.includes(cue)) isTyped = child.stdin.write(keys);
    });
    return new Promise((resolve) => child.once('close', (exit) => resolve({ exit, screen })));
  }

  test('Ctrl-C reaches a command under a lock once, and its exit code counts', { timeout: 30_000 }, async () => {
    const script = 'trap "echo interrupted; exit 3" INT; echo ready; while :; do sleep 0.05; done';
    const { exit, screen } = await atTerminal(`exec dlm lock counter -q -- sh -c '${script}'`, 'ready', '\x03');
    assert.equal(exit, 3, screen);
    assert.equal(screen.match(/interrupted/g)?.length, 1);
  });

  test('Ctrl-C ends the wait for a lock, and nothing is left of it', { timeout: 30_000 }, async () => {
    await desk.dlm('lock', 'counter', '-q', '--owner-pid', String(process.pid));
    const { exit, screen } = await atTerminal('exec dlm lock counter -- echo never', 'waiting for EX', '\x03');
    assert.equal(exit, 130);
    assert.match(screen, /SIGINT came while waiting for counter/);
    const locks = JSON.parse((await desk.dlm('locks', 'counter', '--json')).out) as unknown[];
    assert.equal(locks.length, 1);
  });

  test('the terminal belongs to the command', { timeout: 30_000 }, async () => {
    const { exit, screen } = await atTerminal('exec dlm lock other -q -- sh -c "echo go; cat"', 'go', 'hello\n\x04');
    assert.equal(exit, 0);
    assert.equal(screen.match(/hello/g)?.length, 2, 'typed, and said again by cat');
  });

  test('a table fits eighty columns, whatever the names and the commands; nothing is cut in a pipe', { timeout: 30_000 }, async () => {
    const name = 'n'.repeat(64);
    await desk.dlm('lock', name, '-q', '--owner-pid', String(process.pid));
    const { screen } = await atTerminal('stty cols 80; exec dlm locks', 'RESOURCE', '', { NO_COLOR: '1' });
    const lines = screen.trimEnd().split('\r\n');
    assert.deepEqual(lines.filter((line) => line.length > 80), []);
    assert.match(screen, /^RESOURCE +LOCK +STATE +MODE +PLACE +AGE +PID\r\n/);
    assert.match(screen, new RegExp(`\\r\\nn{7,}… +default:\\S+ +granted +EX .* ${process.pid}\\r\\n    \\S`));
    const { out } = await desk.shell('dlm locks | cat');
    assert.match(out, new RegExp(`\\n${name} +default:\\S+ .* ${process.pid} +\\S`));
  });

  test('the head of a table is bold, unless NO_COLOR says otherwise', { timeout: 30_000 }, async () => {
    assert.match((await atTerminal('exec dlm locks', 'RESOURCE', '')).screen, /\x1b\[1mRESOURCE/);
    assert.doesNotMatch((await atTerminal('exec dlm locks', 'RESOURCE', '', { NO_COLOR: '1' })).screen, /\x1b\[/);
  });
});

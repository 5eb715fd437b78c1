/**
 * Many commands at once, and nobody has started a node: one of them does, and all
 * of them take turns.
 */
import assert from 'node:assert/strict';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Desk } from './shell.js';

/** Reads, thinks, writes back: two at a time lose an addition. */
const addOne = 'n=$(cat count); sleep 0.01; echo $((n + 1)) > count';

describe('fifty commands race against the socket of a dead node', () => {
  const desk = new Desk();
  before(async () => {
    await desk.dlm('lock', 'warm', '-q', '--', 'true');
    const { pid } = JSON.parse((await desk.dlm('node', 'status', '--json')).out) as { pid: number };
    process.kill(pid, 'SIGKILL');
  });
  after(() => desk.clear());

  test('which is there, and nobody answers', async () => {
    assert.ok(lstatSync(join(desk.dir, 'control.sock')).isSocket());
    assert.equal((await desk.dlm('node', 'status')).exit, 1);
  });

  test('one node, exact count', { timeout: 120_000 }, async () => {
    writeFileSync(join(desk.work, 'count'), '0\n');
    const ends = await Promise.all(Array.from({ length: 50 }, () => desk.dlm('lock', 'counter', '--verbose', '--', 'sh', '-c', addOne)));

    assert.deepEqual(ends.filter(({ exit }) => exit !== 0), []);
    assert.equal(readFileSync(join(desk.work, 'count'), 'utf8'), '50\n');
    const starts = ends.filter(({ err }) => err.includes('started a node in the background'));
    assert.equal(starts.length, 1);
    const log = readFileSync(join(desk.dir, 'node.log'), 'utf8');
    assert.equal(log.match(/ listens on /g)?.length, 2, 'the dead node and its successor');
  });

  test('and nothing is left held', async () => {
    assert.deepEqual(JSON.parse((await desk.dlm('locks', '--json')).out), []);
  });
});

test('nodes inside commands, alone: each runs, and nobody starts a node for others', async () => {
  const desk = new Desk();
  try {
    const ends = await Promise.all(
      Array.from({ length: 5 }, () => desk.dlm('lock', 'counter', '--in-process', '--alone', '--', 'echo', 'ran')),
    );
    assert.deepEqual(ends, Array.from({ length: 5 }, () => ({ exit: 0, out: 'ran\n', err: '' })));
    assert.equal((await desk.dlm('node', 'status')).exit, 1);
  } finally {
    await desk.clear();
  }
});

test('a grant and the end of patience at the same moment: one outcome, and nothing left held', { timeout: 120_000 }, async () => {
  const desk = new Desk();
  try {
    await desk.dlm('lock', 'warm', '-q', '--', 'true');
    const rounds = Array.from({ length: 12 }, async (_, round) => {
      const name = `n${round}`;
      const holder = desk.shell(`dlm lock ${name} -q -- sh -c 'echo held > ${name}; sleep 0.${round + 30}'`);
      const waiter = desk.shell(`until [ -e ${name} ]; do sleep 0.01; done; dlm lock ${name} -q -w 0.15 -- echo ran`);
      await holder;
      return waiter;
    });
    for (const { exit, out } of await Promise.all(rounds)) {
      assert.ok((exit === 0 && out === 'ran\n') || (exit === 81 && out === ''), `exit code ${exit}, said '${out}'`);
    }
    assert.deepEqual(JSON.parse((await desk.dlm('locks', '--json')).out), []);
  } finally {
    await desk.clear();
  }
});

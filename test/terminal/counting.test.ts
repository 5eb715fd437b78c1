/**
 * Many count at the same time, and some exchange: each number is given out once.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Desk } from './shell.js';

const writerCount = 24;

describe('many at the same time', () => {
  const desk = new Desk();
  before(() => desk.dlm('lock', 'warm', '-q', '--', 'true'));
  after(() => desk.clear());

  test('count, and each gets a number of its own', { timeout: 120_000 }, async () => {
    const ends = await Promise.all(Array.from({ length: writerCount }, () => desk.dlm('lvb', 'incr', 'tickets')));
    assert.deepEqual(ends.filter(({ exit }) => exit !== 0), []);
    const numbers = ends.map(({ out }) => Number(out)).sort((one, other) => one - other);
    assert.deepEqual(numbers, Array.from({ length: writerCount }, (_, place) => place + 1));
    const locks = JSON.parse((await desk.dlm('locks', 'tickets', '--json')).out) as { mode: string }[];
    assert.deepEqual(locks.map(({ mode }) => mode), ['NL'], 'one lock keeps the value');
  });

  test('want to be the first, and one is', { timeout: 120_000 }, async () => {
    const ends = await Promise.all(Array.from({ length: writerCount }, (_, place) => desk.dlm('lvb', 'cas', 'leader', '--absent', `w${place}`, '-q')));
    const { out } = await desk.dlm('lvb', 'get', 'leader');
    const winners = ends.flatMap(({ exit }, place) => (exit === 0 ? [`w${place}\n`] : []));
    assert.deepEqual(winners, [out]);
    assert.deepEqual(ends.filter(({ exit, out: shown }) => exit !== 0 && (exit !== 107 || shown !== out)), []);
  });

  test('one that is killed while it waits has changed nothing', { timeout: 60_000 }, async () => {
    const script = `id=$(dlm lock tickets -q); dlm lvb incr tickets -q & waiter=$!
      until dlm locks tickets | grep -q waiting; do sleep 0.02; done
      kill -KILL $waiter; wait $waiter; e=$?; dlm unlock "$id"; echo $e; dlm lvb get tickets`;
    assert.equal((await desk.shell(script)).out, `137\n${writerCount}\n`);
  });
});

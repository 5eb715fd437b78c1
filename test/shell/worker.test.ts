/**
 * The script that docs/shell.md shows, as it lies in demo/: several workers, and one
 * that is killed, do each job once.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe } from 'node:test';
import { test } from '../kill/bounded.js';
import { until } from '../kill/processes.js';
import { checkout } from '../terminal/shell.js';
import { ShellDesk, running, says, shells, type Running } from './shells.js';

const path = join(checkout, 'demo/worker.sh');

describe('the worker of docs/shell.md', { skip: shells.some(({ name }) => name === 'bash') ? false : 'bash is not here' }, () => {
  const desk = new ShellDesk();
  before(() => desk.open());
  afterEach(() => desk.endScripts());
  after(() => desk.clear());

  const worker = (folder: string): Running => running(spawn('bash', [path, folder], { cwd: desk.work, env: desk.env, detached: true }));
  /** Jobs that write into a journal that they were done. */
  const folderWith = (name: string, count: number): string => {
    const folder = join(desk.work, name);
    mkdirSync(folder);
    for (let job = 0; job < count; job += 1) writeFileSync(join(folder, `${name}-${job}.job`), `sleep 0.02; echo ${job} >>journal\n`);
    return folder;
  };
  const journal = (folder: string): number[] =>
    readFileSync(join(folder, 'journal'), 'utf8').trimEnd().split('\n').map(Number).sort((one, other) => one - other);
  const every = (count: number): number[] => Array.from({ length: count }, (_, job) => job);

  test('is shown there as it is', () => {
    assert.ok(readFileSync(join(checkout, 'docs/shell.md'), 'utf8').includes(`\`\`\`bash\n${readFileSync(path, 'utf8')}\`\`\`\n`));
    return Promise.resolve();
  });

  test('three of them do twenty jobs, each once', async () => {
    const folder = folderWith('many', 20);
    const workers = [1, 2, 3].map(() => worker(folder));
    assert.deepEqual(await Promise.all(workers.map(({ exit }) => exit)), [0, 0, 0]);
    assert.deepEqual(workers.map(({ err }) => err()), ['', '', '']);
    assert.deepEqual(journal(folder), every(20));
    assert.equal(readdirSync(folder).filter((name) => name.endsWith('.done')).length, 20);
  });

  test('one that is killed leaves its job to the next one', async () => {
    const folder = folderWith('killed', 3);
    writeFileSync(join(folder, 'killed-1.job'), '[ -e slow ] || { echo >slow; sleep 600; }; echo 1 >>journal\n');
    const first = worker(folder);
    await until('it is at the slow job', () => readdirSync(folder).includes('slow'));
    const other = worker(folder);
    await says(other, 'killed-1.job: another worker is at it\nkilled-2.job: done\n');
    assert.equal(await other.exit, 0);
    process.kill(-first.pid, 'SIGKILL');
    assert.equal(await first.exit, 137);
    await desk.free('killed-1.job');
    assert.equal(await worker(folder).exit, 0);
    assert.deepEqual(journal(folder), every(3));
  });
});

/**
 * Do the recordings notice when the law is broken? Each mutant is one broken line
 * in a copy of the core, and must differ from the recordings, throw, or hang.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { forkScript } from '../script.js';
import { writeCore } from '../sim/broken-core.js';
import { mutants } from './mutants.js';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const noDifference = '476 scenarios, 6314 steps, 0 differ';
const workerCount = 2;
/**
 * A mutant that runs longer than this has lost its way. A copy that has not takes some seconds where it has a processor to
 * itself, and it has none while other tests run.
 */
const patienceMillis = 180_000;

/** Processes that run copies of the core; each is started when it is first needed. */
class Workers {
  readonly #idle: ChildProcess[] = [];

  /** How the run of this copy ended, as a line. */
  async run(core: string): Promise<string> {
    const worker = this.#idle.pop() ?? forkScript(fileURLToPath(new URL('mutant-worker.ts', import.meta.url)), { cwd: checkout, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const line = await new Promise<string>((resolve) => {
      const patience = setTimeout(() => resolve('did not come back'), patienceMillis);
      worker.once('exit', () => resolve('died'));
      worker.once('message', (message) => resolve(String(message)));
      worker.once('message', () => clearTimeout(patience));
      worker.send(core);
    });
    worker.removeAllListeners('exit');
    if (line.endsWith('differ')) this.#idle.push(worker);
    else worker.kill('SIGKILL');
    return line;
  }

  end(): void {
    for (const worker of this.#idle.splice(0)) worker.kill();
  }
}

test('there are enough of them, no two alike', () => {
  assert.ok(mutants.length >= 24);
  assert.equal(new Set(mutants.map(({ file, from, to }) => `${file} ${from} ${to}`)).size, mutants.length);
});

test('each breaks a place that exists, exactly once', () => {
  for (const { file, from, to, story } of mutants) {
    const text = readFileSync(`${checkout}src/core/${file}`, 'utf8');
    assert.equal(text.split(from).length - 1, 1, `${file}: '${from}' (${story})`);
    assert.notEqual(from, to);
  }
});

describe('mutants', { concurrency: workerCount }, () => {
  const workers = new Workers();
  let folder = '';
  before(() => {
    mkdirSync(`${checkout}.tmp`, { recursive: true });
    folder = mkdtempSync(`${checkout}.tmp/mutants-`);
  });
  after(() => {
    workers.end();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a copy in which nothing is broken differs nowhere', async () => {
    await writeCore(`${folder}/none.js`, null);
    assert.equal(await workers.run(`${folder}/none.js`), noDifference);
  });

  for (const [index, mutant] of mutants.entries()) {
    test(`${mutant.file}: ${mutant.story}`, async (context) => {
      const path = `${folder}/${index}.js`;
      await writeCore(path, mutant);
      const line = await workers.run(path);
      context.diagnostic(line);
      assert.notEqual(line, noDifference, `the recordings do not notice '${mutant.from}' becoming '${mutant.to}'`);
    });
  }
});

/**
 * Does every checker notice what it is there for? Each mutant is one broken line in a
 * copy of the core, and in its world the checker of that property must be the one who
 * complains; the same world with nothing broken is right.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Panel } from '../../src/core/sim/checkers/panel.js';
import { mutants, type Mutant } from './mutants.js';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const rooms = ['base', 'lock', 'wire', 'cluster', 'lockspace', 'recovery', 'application', 'node', 'sim'];

/** Which property a world of this copy breaks, and in what words; null: none. */
async function broken(core: string, { seed, nodes, kind }: Mutant): Promise<{ property: string; message: string } | null> {
  const load = (file: string): Promise<unknown> => import(pathToFileURL(`${core}/${file}`).href);
  const { drawOptions, plainly } = (await load('sim/options.ts')) as typeof import('../../src/core/sim/options.js');
  const { realBreed, runWith } = (await load('sim/run.ts')) as typeof import('../../src/core/sim/run.js');
  const drawn = drawOptions(seed, nodes, 60_000);
  const options = { ...(kind === 'full' ? drawn : plainly(drawn)), lockspace: { nodir: kind === 'nodir', asInKernel: [] } };
  return runWith(options, realBreed(nodes)).failure;
}

function copyCore(folder: string, { file, from, to }: Mutant): string {
  for (const room of rooms) cpSync(`${checkout}src/core/${room}`, `${folder}/${room}`, { recursive: true });
  const path = `${folder}/${file}`;
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, () => to));
  return folder;
}

test('every checker has one', () => {
  assert.deepEqual([...new Set(mutants.map(({ property }) => property))].sort(), Object.keys(new Panel().says()).sort());
});

test('each breaks a place that exists, exactly once', () => {
  for (const { file, from, to, story } of mutants) {
    const text = readFileSync(`${checkout}src/core/${file}`, 'utf8');
    assert.equal(text.split(from).length - 1, 1, `${file}: '${from}' (${story})`);
    assert.notEqual(from, to);
  }
});

describe('mutants of the nodes', () => {
  let folder = '';
  before(() => {
    mkdirSync(`${checkout}.tmp`, { recursive: true });
    folder = mkdtempSync(`${checkout}.tmp/world-mutants-`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [index, mutant] of mutants.entries()) {
    test(`${mutant.property}: ${mutant.story}`, async (context) => {
      assert.equal(await broken(`${checkout}src/core`, mutant), null);
      const found = await broken(copyCore(`${folder}/${index}`, mutant), mutant);
      context.diagnostic(found?.message ?? 'nobody complained');
      assert.equal(found?.property, mutant.property, `'${mutant.from}' became '${mutant.to}'`);
    });
  }
});

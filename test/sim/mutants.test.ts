/**
 * Does every checker notice what it is there for? Each mutant is one broken line in a
 * copy of the core, and in its world the checker of that property must be the one who
 * complains; the same world with nothing broken is right.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Panel } from '../../src/core/sim/checkers/panel.js';
import type { Failure } from '../../src/core/sim/run.js';
import { mutants, type Mutant } from './mutants.js';

const nodes = 3;
/** The first is known to do; in the others it is sought for when the nodes have learned to do things at other times. */
const worldsMax = 30;

const checkout = fileURLToPath(new URL('../../', import.meta.url));
/** Every room but the one that touches the machine. */
const rooms = readdirSync(`${checkout}src/core`, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== 'host').map(({ name }) => name);

/** What worlds of this copy break, by seed. */
async function loadWorlds(core: string): Promise<(seed: number, isFull: boolean) => Failure | null> {
  const load = (file: string): Promise<unknown> => import(pathToFileURL(`${core}/${file}`).href);
  const { drawOptions, plainly } = (await load('sim/options.ts')) as typeof import('../../src/core/sim/options.js');
  const { realBreed, runWith } = (await load('sim/run.ts')) as typeof import('../../src/core/sim/run.js');
  return (seed, isFull) => {
    const drawn = drawOptions(seed, nodes, 60_000);
    return runWith({ ...(isFull ? drawn : plainly(drawn)), lockspace: { nodir: false, asInKernel: [] } }, realBreed(nodes)).failure;
  };
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
  let ours: (seed: number, isFull: boolean) => Failure | null;
  before(async () => {
    ours = await loadWorlds(`${checkout}src/core`);
    mkdirSync(`${checkout}.tmp`, { recursive: true });
    folder = mkdtempSync(`${checkout}.tmp/world-mutants-`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [index, mutant] of mutants.entries()) {
    test(`${mutant.property}: ${mutant.story}`, async (context) => {
      const failureOf = await loadWorlds(copyCore(`${folder}/${index}`, mutant));
      const others: string[] = [];
      for (let seed = mutant.seed; seed < mutant.seed + worldsMax; seed += 1) {
        const failure = failureOf(seed, mutant.isFull);
        if (failure?.property !== mutant.property) {
          others.push(`${seed}: ${failure?.property ?? 'nobody'}`);
          continue;
        }
        assert.equal(ours(seed, mutant.isFull), null);
        context.diagnostic(`seed ${seed}: ${failure.message}`);
        return;
      }
      assert.fail(`${mutant.property} does not notice that '${mutant.from}' became '${mutant.to}'; who does: ${others.join(', ')}`);
    });
  }
});

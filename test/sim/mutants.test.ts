/**
 * Does every checker notice what it is there for? Each mutant is one broken line in a
 * copy of the core, and in its world the checker of that property must be the one who
 * complains; the same world with nothing broken is right.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Panel } from '../../src/core/sim/checkers/panel.js';
import type { Failure } from '../../src/core/sim/run.js';
import { readCore, writeCore } from './broken-core.js';
import { mutants, type Mutant } from './mutants.js';

const nodes = 3;
/** The first is known to do; in the others it is sought for when the nodes have learned to do things at other times. */
const worldsMax = 30;

const checkout = fileURLToPath(new URL('../../', import.meta.url));
/** What worlds of this copy break, by seed. */
function loadWorlds(path: string): (seed: number, kind: Mutant['kind']) => Failure | null {
  const { asBefore, drawOptions, plainly, realBreed, runWith } = readCore(path);
  const made = { plain: plainly, full: asBefore, late: (options: ReturnType<typeof drawOptions>) => options };
  return (seed, kind) => {
    const drawn = made[kind](drawOptions(seed, nodes, 60_000));
    return runWith({ ...drawn, lockspace: { nodir: false, asInKernel: [] } }, realBreed(nodes)).failure;
  };
}

test('every checker has one, and so has what is asserted', () => {
  assert.deepEqual([...new Set(mutants.map(({ property }) => property))].sort(), ['assertion', ...Object.keys(new Panel().says())].sort());
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
  let ours: (seed: number, kind: Mutant['kind']) => Failure | null;
  before(async () => {
    mkdirSync(`${checkout}.tmp`, { recursive: true });
    folder = mkdtempSync(`${checkout}.tmp/world-mutants-`);
    await writeCore(`${folder}/ours.js`, null);
    ours = loadWorlds(`${folder}/ours.js`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [index, mutant] of mutants.entries()) {
    test(`${mutant.property}: ${mutant.story}`, async (context) => {
      const path = `${folder}/${index}.js`;
      await writeCore(path, mutant);
      const failureOf = loadWorlds(path);
      const others: string[] = [];
      for (let seed = mutant.seed; seed < mutant.seed + worldsMax; seed += 1) {
        const failure = failureOf(seed, mutant.kind);
        if (failure?.property !== mutant.property) {
          others.push(`${seed}: ${failure?.property ?? 'nobody'}`);
          continue;
        }
        assert.equal(ours(seed, mutant.kind), null);
        context.diagnostic(`seed ${seed}: ${failure.message}`);
        return;
      }
      assert.fail(`${mutant.property} does not notice that '${mutant.from}' became '${mutant.to}'; who does: ${others.join(', ')}`);
    });
  }
});

/**
 * The number of a node's life: it rises, whatever happens to the file.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { nodePlaces } from '../../src/core/host/places.js';
import { keepGeneration, lastJoin, markClustered, nextLife, wasEverClustered } from '../../src/core/host/state-file.js';
import { openNode } from '../../src/core/index.js';
import { scratch } from './scratch.js';

const noon = 1_700_000_000_000;

const incarnationAt = async (...words: Parameters<typeof nextLife>): Promise<number> => (await nextLife(...words)).incarnation;

describe('an incarnation', () => {
  it('is the time in seconds at first, and then always greater', async (test) => {
    const places = nodePlaces(scratch(test));
    assert.equal(await incarnationAt(places, noon), 1_700_000_000);
    assert.equal(await incarnationAt(places, noon), 1_700_000_001);
    assert.equal(await incarnationAt(places, noon - 1e9), 1_700_000_002);
    assert.equal(await incarnationAt(places, noon + 10_000), 1_700_000_010);
  });

  it('still rises when the file is lost', async (test) => {
    const places = nodePlaces(scratch(test));
    const before = await incarnationAt(places, noon);
    rmSync(places.stateFile);
    assert.ok((await incarnationAt(places, noon + 1_000)) > before);
  });

  it('is given to one only, when many ask at a time', async (test) => {
    const places = nodePlaces(scratch(test));
    const all = await Promise.all(Array.from({ length: 20 }, () => incarnationAt(places, noon)));
    assert.equal(new Set(all).size, 20);
  });

  it('does not believe a clock that runs centuries ahead', async (test) => {
    const places = nodePlaces(scratch(test));
    assert.equal(await incarnationAt(places, 1e16), 1);
  });

  it('leaves a whole file and no draft', async (test) => {
    const folder = scratch(test);
    const places = nodePlaces(folder);
    await incarnationAt(places, noon);
    assert.deepEqual(JSON.parse(readFileSync(places.stateFile, 'utf8')), { incarnation: 1_700_000_000, everClustered: false, generation: 1_700_000_000 });
    assert.deepEqual(readdirSync(folder).sort(), ['state.json', 'state.lock']);
  });
});

describe('a state that cannot be used', () => {
  for (const text of ['', '{', '{"incarnation":0,"everClustered":false}', '{"incarnation":1.5,"everClustered":false}', '{"incarnation":4294967296,"everClustered":true}', '[]', 'null']) {
    it(`is refused when the file is damaged: ${JSON.stringify(text)}`, async (test) => {
      const places = nodePlaces(scratch(test));
      writeFileSync(places.stateFile, text);
      await assert.rejects(incarnationAt(places), { code: 'DLM_STATE_UNUSABLE', message: /damaged/, hint: /move it away/ });
      assert.equal(readFileSync(places.stateFile, 'utf8'), text);
    });
  }

  it('is refused when it cannot be written, and no node opens', async (test) => {
    const folder = scratch(test);
    mkdirSync(`${folder}/state.json.new`);
    await assert.rejects(openNode({ dir: folder }), { code: 'DLM_STATE_UNUSABLE', message: /cannot write/ });
    await assert.rejects(openNode({ dir: '/proc/self/none' }), { code: 'DLM_STATE_UNUSABLE' });
  });

  it('is refused when the incarnations are used up', async (test) => {
    const places = nodePlaces(scratch(test));
    writeFileSync(places.stateFile, '{"incarnation":4294967295,"everClustered":false}');
    await assert.rejects(incarnationAt(places), { code: 'DLM_STATE_UNUSABLE', message: /used up/ });
  });
});

describe('the memory of a cluster', () => {
  it('has the options with which the last one was joined, or its name, and may lack it', async (test) => {
    const places = nodePlaces(scratch(test));
    await nextLife(places, noon);
    assert.equal(lastJoin(places), null);
    for (const name of ['web', 'west']) {
      await markClustered(places, name);
      await nextLife(places, noon);
      assert.equal(lastJoin(places), `--cluster ${name}`);
    }
    await markClustered(places, 'west', '--cluster west --node 3');
    await nextLife(places, noon);
    assert.equal(lastJoin(places), '--cluster west --node 3');
    writeFileSync(places.stateFile, '{"incarnation":5,"everClustered":true,"cluster":"east"}');
    assert.equal(lastJoin(places), '--cluster east');
    writeFileSync(places.stateFile, '{"incarnation":5,"everClustered":true}');
    assert.equal(lastJoin(places), null);
    await markClustered(places, 'web');
    assert.equal(lastJoin(places), '--cluster web');
  });

  it('is there if the file says so, and outlives further lives', async (test) => {
    const places = nodePlaces(scratch(test));
    assert.equal(wasEverClustered(places), false);
    writeFileSync(places.stateFile, '{"incarnation":5,"everClustered":true}');
    assert.equal(wasEverClustered(places), true);
    await incarnationAt(places);
    assert.equal(wasEverClustered(places), true);
  });

  it('is written while others take incarnations, and nobody forgets anything', async (test) => {
    const places = nodePlaces(scratch(test));
    await nextLife(places, noon);
    await Promise.all([nextLife(places, noon), markClustered(places, 'web'), nextLife(places, noon)]);
    assert.equal(wasEverClustered(places), true);
    assert.equal(await incarnationAt(places, noon), 1_700_000_003);
  });

  it('knows the generations of every life, also of those that live at the same time', async (test) => {
    const places = nodePlaces(scratch(test));
    const [one, other] = [await nextLife(places, noon), await nextLife(places, noon)];
    keepGeneration(places, one, 1_800_000_000);
    keepGeneration(places, other, 1_900_000_000);
    keepGeneration(places, one, 1_850_000_000);
    assert.equal((await nextLife(places, noon)).generation, 1_900_000_001);
  });

  it('forgets the file of a life that has ended, not what was in it', async (test) => {
    const folder = scratch(test);
    const places = nodePlaces(folder);
    const dead = 'life-999999999.1.1700000000';
    writeFileSync(`${folder}/${dead}`, '1900000000\n');
    keepGeneration(places, await nextLife(places, noon), 1_900_000_002);
    assert.equal(readdirSync(folder).includes(dead), false);
    assert.equal((await nextLife(places, noon)).generation, 1_900_000_003);
    assert.equal((await nextLife(places, noon)).generation, 1_900_000_004);
  });
});

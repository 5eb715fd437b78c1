/**
 * Seeds that once found something, each with its story. A seed alone makes another world
 * as soon as more is drawn; so what was drawn beside it is given here.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drawOptions, plainly, type LockspaceOptions } from '../../src/core/sim/options.js';
import { realBreed, runWith } from '../../src/core/sim/run.js';

interface Fame extends LockspaceOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly story: string;
}

const plain: LockspaceOptions = { nodir: false, asInKernel: [] };
const nodir: LockspaceOptions = { nodir: true, asInKernel: [] };

const fames: readonly Fame[] = [
  { seed: 20620, nodes: 3, ...plain, story: 'a life that is out adopts its orphan and gives it back itself, and somebody is granted that: no fault' },
  { seed: 30361, nodes: 5, ...plain, story: 'a conversion that offered its mode has lost it and still waits when all is quiet: its owner need not know' },
  { seed: 4, nodes: 4, ...nodir, story: 'a resource moves, and the copy of a value of somebody who never read it was counted as older than none' },
  { seed: 1, nodes: 4, ...nodir, story: 'a resource moves, and what the owner of a lock had brought was taken for what is written there' },
  { seed: 49, nodes: 4, ...nodir, story: 'a resource comes and goes in a recovery that is abandoned, and an old value of an earlier mastership was given on' },
  { seed: 9, nodes: 3, ...nodir, story: 'a resource moves there and back, and those who waited for it on the master lost their places' },
  { seed: 25, nodes: 4, ...nodir, story: 'a resource moves while a grant is on its way, and one who waited on the old master got a place before it' },
  { seed: 516, nodes: 3, ...nodir, story: 'two orphans of one owner on one name, one of them doubtful, were taken for each other: no fault' },
];

describe('the hall of fame', () => {
  for (const { seed, nodes, story, ...lockspace } of fames) {
    test(`seed ${seed}: ${story}`, () => {
      const { failure } = runWith({ ...plainly(drawOptions(seed, nodes, 60_000)), lockspace }, realBreed(nodes));
      assert.equal(failure, null, `${failure?.property}: ${failure?.message}\n${failure?.story.join('\n')}`);
    });
  }
});

/**
 * A recovery is abandoned when its new master has heard of some of a node's locks on a
 * resource and not of the others, which takes more of them than one message carries.
 *
 * What was asked for a lock that the master knows is answered once: the story is told in
 * words (sim/scenario), with as many locks as it takes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchSize } from '../../src/core/recovery/errands.js';
import { tellStory } from '../../src/core/sim/scenario/story.js';

const others = Array.from({ length: batchSize }, (_, place) => `lock 2 disk0.x${place} NL`);

/** Lowered without a quorum, the first lock is converted again before its master has heard of that. */
const story = `# ${others.length + 1} locks of one node, of which the new master has heard of all but one.
cluster 4 disk0@4
lock 4 disk0 NL
lock 2 disk0.a EX
${others.join('\n')}
lock 3 disk0 NL
hold 2>3 rebuildLocks
hold 2>1 masterLookup
crash 4
view
deliver 2>1
deliver 2>3
view quorate=no
convert 2 disk0.a PR
expect 2 disk0.a PR granted
release
hold 1>3 proceed:done
view
expect n2 abandons the recovery of view 2 in phase locks
expect n3 keeps convert of n2 for later
convert 2 disk0.a PW
expect 2 disk0.a PR>PW waits
release
expect 2 disk0.a PW granted
audit
----
`;

test('what a master has been told of outlives a recovery that was abandoned, and is answered once', () => {
  const { failure, blocks } = tellStory(story);
  assert.equal(failure, null);
  assert.equal(blocks[0]!.printed.at(-1), 'all agree');
});

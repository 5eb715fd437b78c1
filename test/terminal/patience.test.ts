/**
 * A node that says nothing at all is a lock not granted in time only when that time is over.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Unanswered } from '../../src/core/index.js';
import { reachedInTime } from '../../src/terminal/patience.js';

test('a node that says nothing is no node, unless that was waited for no longer than was wanted', async () => {
  const silent = async (): Promise<never> => {
    await pause(5);
    throw new Unanswered('DLM_NO_NODE', 'the node says nothing');
  };
  const wish = (wait: number) => ({ shown: 'disk', mode: 'EX', isQuiet: false, patience: { nonblock: false, wait } }) as const;
  await assert.rejects(reachedInTime(wish(60_000), silent), { code: 'DLM_NO_NODE' });
  await assert.rejects(reachedInTime(wish(1), silent), { message: /^EX on disk was not granted within .*: the node says nothing$/ });
});

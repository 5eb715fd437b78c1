/**
 * A command whose lock has gone before it could begin is not begun.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { runUnderLock } from '../../src/terminal/under-lock.js';
import { SignalWatch } from '../../src/terminal/signals.js';
import { served } from '../contract/ports.js';
import { scratch, silent } from '../host/scratch.js';

test('a command is not begun when its lock is lost while it is being started', async (context) => {
  const { client, another } = await served(context);
  const lock = await (await client.lockspace()).lock('a');
  const lost = new Promise((resolve) => lock.on('lost', resolve));
  await (await (await another()).lockOf(lock.id)).unlock();
  await lost;
  const mark = `${scratch(context)}/begun`;
  const signals = new SignalWatch();
  context.after(() => signals.stop());
  const guard = { client, hooks: {}, warn: silent, locks: [{ lock, name: 'a', typed: 'a', shown: 'a' }], lockspace: 'default', wantsValue: false };
  await assert.rejects(runUnderLock(guard, ['touch', mark], signals), { code: 'DLM_LOST', message: /^the command was not begun: a is no longer held: / });
  assert.equal(existsSync(mark), false);
});

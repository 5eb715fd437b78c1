/**
 * What the hooks of an application leave running, where neither they nor dlm app attach are there any more.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { ChildRegister } from '../../src/core/host/child-register.js';
import { ProcessFamily } from '../../src/core/host/process-family.js';
import { AppHooks } from '../../src/terminal/app-hooks.js';
import { scratch } from '../host/scratch.js';
import { isRunning, until } from '../kill/processes.js';

test('what a hook has left running is known to the next node and to whoever fences this one', async (test) => {
  const folder = resolve(scratch(test));
  const register = (): ChildRegister => new ChildRegister({ children: `${folder}/children`, scope: 'folder' });
  const protect = async (pid: number): Promise<void> => register().add((await ProcessFamily.whenSeen(pid))!);
  const hooks = new AppHooks({ handOn: [], protect });
  test.after(() => hooks.end());
  await hooks.run(`sleep 1000 & echo $! > ${folder}/pid`, { do: 'resume', lockspace: 'store', generation: 1, slot: 1 });
  assert.ok(existsSync(`${folder}/pid`));
  const worker = Number(readFileSync(`${folder}/pid`, 'utf8'));
  const [family, ...others] = register().survivors();
  assert.deepEqual([family?.members(), others.length], [[worker], 0]);
  family!.signal('SIGKILL');
  await until('it has ended', () => !isRunning(worker));
  assert.deepEqual(register().survivors(), []);
});

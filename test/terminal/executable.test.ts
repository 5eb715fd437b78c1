/**
 * What can be run and what cannot, told before a lock is asked for.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { whyNotExecutable } from '../../src/terminal/executable.js';
import { checkout } from './shell.js';

describe('a command', () => {
  const folder = join(checkout, '.tmp', `executable-${process.pid}`);
  const path = [join(folder, 'first'), join(folder, 'second')].join(':');
  before(() => {
    mkdirSync(join(folder, 'first', 'folder'), { recursive: true });
    mkdirSync(join(folder, 'second'));
    writeFileSync(join(folder, 'first', 'plain'), '');
    writeFileSync(join(folder, 'first', 'both'), '');
    writeFileSync(join(folder, 'second', 'both'), '');
    chmodSync(join(folder, 'second', 'both'), 0o755);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('is found along the path, past a file that cannot be run', () => assert.equal(whyNotExecutable('both', path), null));
  test('may be a path itself', () => assert.equal(whyNotExecutable(join(folder, 'second', 'both'), ''), null));
  test('that is nowhere ends with 127', () => {
    assert.equal(whyNotExecutable('nowhere', path)?.exit, 127);
    assert.equal(whyNotExecutable(join(folder, 'nowhere'), path)?.exit, 127);
    assert.equal(whyNotExecutable('folder', path)?.exit, 127);
  });
  test('that cannot be run ends with 126', () => {
    assert.equal(whyNotExecutable('plain', path)?.exit, 126);
    assert.equal(whyNotExecutable(join(folder, 'first', 'folder'), path)?.exit, 126);
  });
});

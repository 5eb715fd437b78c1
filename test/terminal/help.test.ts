/**
 * The pages of help as programs meet them: written whole, or an error like any other.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Desk } from './shell.js';

describe('help that cannot be written', () => {
  const desk = new Desk();
  after(() => desk.clear());

  for (const line of ['--help', 'help lock', 'fence --help', 'lock --help', '--version']) {
    test(`is an error in plain words: dlm ${line}`, { timeout: 30_000 }, async () => {
      const ended = await desk.shell(`dlm ${line} > /dev/full`);
      assert.deepEqual(ended, { exit: 74, out: '', err: 'dlm: the result could not be written: ENOSPC\nhint: see where standard output goes\n' });
    });
    test(`is none where nobody reads it to its end: dlm ${line}`, { timeout: 30_000 }, async () => {
      assert.deepEqual(await desk.shell(`set -o pipefail; dlm ${line} | true`), { exit: 0, out: '', err: '' });
    });
  }
});

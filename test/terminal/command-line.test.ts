/**
 * Where our words end and the command begins.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nameAndCommand, splitAtDashes } from '../../src/terminal/command-line.js';

describe('the first --', () => {
  test('ends our words, and the rest is left as it was', () => {
    assert.deepEqual(splitAtDashes(['x', '-n', '--', 'echo', 'a', 'b', 'a', '--', '-n']), {
      line: ['x', '-n'],
      after: ['echo', 'a', 'b', 'a', '--', '-n'],
    });
  });

  test('need not be there', () => assert.deepEqual(splitAtDashes(['x']), { line: ['x'], after: null }));
});

describe('after it comes', () => {
  test('the command, if the name was before it', () => {
    assert.deepEqual(nameAndCommand('x', false, ['sh', '-c', 'true']), { words: ['x'], command: ['sh', '-c', 'true'] });
    assert.deepEqual(nameAndCommand(undefined, true, ['true']), { words: [], command: ['true'] });
  });

  test('the name, if there was none', () => {
    assert.deepEqual(nameAndCommand(undefined, false, ['--x']), { words: ['--x'], command: [] });
    assert.deepEqual(nameAndCommand(undefined, false, ['--x', '--', 'true', '--']), { words: ['--x'], command: ['true', '--'] });
  });

  test('nothing that makes sense', () => {
    assert.throws(() => nameAndCommand('x', false, []), { code: 'DLM_USAGE', message: 'there is no command after the --' });
    assert.throws(() => nameAndCommand(undefined, false, ['--x', '--']), { code: 'DLM_USAGE' });
    assert.throws(() => nameAndCommand(undefined, false, ['true', 'x']), { code: 'DLM_USAGE', message: 'no name was given before the --' });
  });
});

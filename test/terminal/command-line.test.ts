/**
 * Where our words end and the command begins.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { namesAndCommand, splitAtDashes, wordsOf } from '../../src/terminal/command-line.js';

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
    assert.deepEqual(namesAndCommand(['x'], false, ['sh', '-c', 'true']), { names: ['x'], command: ['sh', '-c', 'true'] });
    assert.deepEqual(namesAndCommand([], true, ['true']), { names: [], command: ['true'] });
  });

  test('the name, if there was none', () => {
    assert.deepEqual(namesAndCommand([], false, ['--x']), { names: ['--x'], command: [] });
    assert.deepEqual(namesAndCommand([], false, ['--x', '--', 'true', '--']), { names: ['--x'], command: ['true', '--'] });
  });

  test('the command, behind as many names as there are', () => {
    assert.deepEqual(namesAndCommand(['a', 'b c'], false, ['true']), { names: ['a', 'b c'], command: ['true'] });
    assert.deepEqual(namesAndCommand(['a'], true, ['true']), { names: ['a'], command: ['true'] });
    assert.deepEqual(namesAndCommand([], false, ['-a', '-b', '--', 'true']), { names: ['-a', '-b'], command: ['true'] });
  });

  test('nothing that makes sense', () => {
    assert.throws(() => namesAndCommand(['x'], false, []), { code: 'DLM_USAGE', message: 'there is no command after the --' });
    assert.throws(() => namesAndCommand([], false, ['--x', '--']), { code: 'DLM_USAGE' });
    assert.throws(() => namesAndCommand([], false, ['--']), { code: 'DLM_USAGE', message: 'no name was given before the --' });
    assert.throws(() => namesAndCommand([], false, ['--', '--']), { code: 'DLM_USAGE', message: 'no name was given before the --' });
    assert.throws(() => namesAndCommand(['a', '--wiat', '5'], false, ['true']), { code: 'DLM_USAGE', message: 'there is no option --wiat' });
    assert.throws(() => namesAndCommand([], false, ['true', 'x']), { code: 'DLM_USAGE', message: 'no name was given before the --' });
  });
});

describe('with -c', () => {
  const command = ['sh', '-c', 'echo'];
  test('the shell is the command, and there is one name', () => {
    assert.deepEqual(namesAndCommand(['x'], false, null, 'echo'), { names: ['x'], command });
    assert.deepEqual(namesAndCommand([], true, null, 'echo'), { names: [], command });
    assert.deepEqual(namesAndCommand([], false, ['--x'], 'echo'), { names: ['--x'], command });
  });
  test('nothing else makes sense', () => {
    assert.throws(() => namesAndCommand(['x', 'bash'], false, null, 'echo'), { code: 'DLM_USAGE', message: "'bash' was not expected here" });
    assert.throws(() => namesAndCommand(['x'], false, ['true'], 'echo'), { code: 'DLM_USAGE', hint: 'leave out one of them' });
    assert.throws(() => namesAndCommand(['x'], false, [], 'echo'), { code: 'DLM_USAGE', message: 'there is no command after the --' });
    assert.throws(() => namesAndCommand([], false, ['--x', '--', 'true'], 'echo'), { code: 'DLM_USAGE', hint: 'leave out one of them' });
    assert.throws(() => namesAndCommand([], false, ['--'], 'echo'), { code: 'DLM_USAGE' });
  });
});

test('words keep their order, whatever options stand between them', () => {
  const arg = (input: string): { type: string; input: string } => ({ type: 'arg', input });
  assert.deepEqual(wordsOf([{ type: 'flag', input: 'PR' }, arg('x'), arg('PR'), arg('x')]), ['x', 'PR', 'x']);
});

describe('without it there is one name', () => {
  test('because a second word is a command that lacks its dashes', () => {
    assert.deepEqual(namesAndCommand(['x'], false, null), { names: ['x'], command: [] });
    assert.throws(() => namesAndCommand(['x', 'ls', '/'], false, null), {
      code: 'DLM_USAGE',
      message: "'ls' '/' were not expected here",
      hint: 'put -- before the command: dlm lock NAME -- COMMAND',
    });
  });
});

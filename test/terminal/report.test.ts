/**
 * Errors as words and as JSON, and the exit code they end in.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { DlmError } from '../../src/core/index.js';
import { Failure, report } from '../../src/terminal/report.js';

describe('an error', () => {
  let said = '';
  beforeEach(() => {
    said = '';
    mock.method(process.stderr, 'write', (text: string) => {
      said += text;
      return true;
    });
  });
  afterEach(() => mock.restoreAll());

  test('is what happened, a hint, and the exit code of the catalogue', () => {
    assert.equal(report(new DlmError('DLM_NO_NODE', 'nobody answers', 'start one'), false), 95);
    assert.equal(said, 'dlm: nobody answers\nhint: start one\n');
  });

  test('may have details, and an exit code that the command line decides', () => {
    const error = new DlmError('DLM_BUSY', 'x is busy', 'wait');
    assert.equal(report(new Failure(error, { exit: 3, details: ['held in EX'] }), false), 3);
    assert.equal(said, 'dlm: x is busy\n  held in EX\nhint: wait\n');
  });

  test('may be silent, but not in JSON', () => {
    const failure = new Failure(new DlmError('DLM_BUSY', 'x is busy', 'wait'), { isSilent: true, facts: { holders: [] } });
    assert.equal(report(failure, false), 80);
    assert.equal(said, '');
    assert.equal(report(failure, true), 80);
    assert.deepEqual(JSON.parse(said), { error: { code: 'DLM_BUSY', message: 'x is busy', hint: 'wait', exit: 80, holders: [] } });
  });

  test('that nobody has foreseen is ours, and says where', () => {
    assert.equal(report(new TypeError('x is not a function'), false), 70);
    assert.match(said, /^dlm: something went wrong that should not: TypeError: x is not a function\n/);
  });
});

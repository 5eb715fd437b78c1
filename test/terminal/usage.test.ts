/**
 * A switch that is given a value is refused before the parser makes a name of it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as Errors from '@oclif/core/errors';
import { inOurWords, refuseSwitchValues } from '../../src/terminal/usage.js';

const flags = { quiet: { type: 'boolean' }, nonblock: { type: 'boolean', aliases: ['nb'] }, value: { type: 'option' } } as const;

describe('a value', () => {
  test('of a switch is refused', () => {
    const hint = 'write --quiet alone; see: dlm lvb get --help';
    assert.throws(() => refuseSwitchValues(['n', '--quiet=1'], flags, 'lvb:get'), { code: 'DLM_USAGE', message: '--quiet takes no value', hint });
    assert.throws(() => refuseSwitchValues(['--nb='], flags, 'lock'), { code: 'DLM_USAGE', message: '--nb takes no value' });
  });

  test('of an option is not, whatever it looks like, nor a word after the --', () => {
    for (const line of [['--value=1'], ['--value', '--quiet=1'], ['--quiet', 'a=b'], ['--', '--quiet=1'], ['--nonsense=1']]) {
      refuseSwitchValues(line, flags, 'lock');
    }
  });
});

test('of several options that need another one each is told', () => {
  const needs = ['--name', '--node'].map((name) => `All of the following must be provided when using ${name}: --cluster`);
  const complaint = new Errors.CLIError(`The following errors occurred:\n  ${needs.join('\n  ')}\nSee more help with --help`);
  assert.equal((inOurWords(complaint, 'node:join') as Error).message, '--name goes with --cluster; --node goes with --cluster');
});

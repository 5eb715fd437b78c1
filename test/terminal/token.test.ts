/**
 * A resource that refuses older tokens: dlm token check, with tokens of real grants.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Desk } from './shell.js';

const oldExit = 116;
const timedOutExit = 81;
const unusableExit = 104;

const first = '00006b035023.00000001.00000001';
const second = '00006b035023.00000001.00000002';
const afterRecovery = '00006b035024.00000001.00000001';

describe('a file that keeps the highest token', () => {
  const desk = new Desk();
  after(() => desk.clear());
  const kept = (name = 'token'): string => readFileSync(join(desk.work, name), 'utf8').trim();
  const check = async (token: string, ...words: string[]): Promise<number> => (await desk.dlm('token', 'check', 'token', token, ...words)).exit;

  test('is made, goes up, lets the same one in again, and refuses an older one with both', async () => {
    assert.equal(await check(second), 0);
    assert.equal(kept(), second);
    assert.equal(await check(second), 0);
    const old = await desk.dlm('token', 'check', 'token', first, '--', 'touch', 'written');
    assert.equal(old.exit, oldExit);
    assert.match(old.err, new RegExp(`token ${first} is older than ${second}`));
    assert.equal(await check(afterRecovery), 0);
    assert.equal(await check(second), oldExit);
    assert.equal(kept(), afterRecovery);
    assert.equal((await desk.run('ls', ['written'])).exit, 2, 'the command was not run');
  });

  test('parts are compared as numbers, however many digits they have', async () => {
    assert.equal(await check('100000000000000.00000001.00000001'), 0);
    assert.equal(await check('fffffffffffff.00000001.00000001'), oldExit);
  });

  test('a token of a real grant is greater than that of the one before', async () => {
    const line = 'dlm token check real "$DLM_TOKEN" && echo "$DLM_TOKEN"';
    const one = await desk.dlm('lock', 'counter', '-q', '-c', line);
    const two = await desk.dlm('lock', 'counter', '-q', '-c', line);
    assert.deepEqual([one.exit, two.exit], [0, 0]);
    assert.equal((await desk.dlm('token', 'check', 'real', one.out.trim())).exit, oldExit);
    assert.equal(kept('real'), two.out.trim());
  });

  test('with a command: nobody else is let in before it has ended, even if dlm is killed', async () => {
    const script = `
      dlm token check busy ${first} -- sh -c 'echo $PPID > guard; while [ ! -e go ]; do sleep 0.02; done' &
      until [ -s guard ]; do sleep 0.02; done
      kill -9 "$(cat guard)"
      dlm token check busy ${second} -w 0.3 && exit 1
      [ $? = ${timedOutExit} ] || exit 2
      touch go
      dlm token check busy ${second} -- sh -c 'exit 7'`;
    const ended = await desk.shell(script);
    assert.equal(ended.exit, 7, ended.err);
  });

  test('what holds no token is no file that has seen nothing', async () => {
    writeFileSync(join(desk.work, 'strange'), 'something\n');
    assert.equal((await desk.dlm('token', 'check', 'strange', first)).exit, unusableExit);
    const nowhere = await desk.dlm('token', 'check', 'nowhere/token', first);
    assert.equal(nowhere.exit, unusableExit);
    assert.match(nowhere.err, /nowhere\/token\.lock.*it does not exist.*\nhint: see that its folder is there/);
    const misspelt = await desk.dlm('token', 'check', 'token', '200000000000000.00000001.00000001', '--', 'no-such-command');
    assert.equal(misspelt.exit, 127);
    assert.match(misspelt.err, /was not found\nhint: the token was not looked at/);
    assert.equal((await desk.dlm('token', 'check', 'token', 'junk')).exit, 64);
  });
});

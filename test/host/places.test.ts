/**
 * Where things are, and which folders are not to be trusted.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { nodePlaces, placesToTry, prepareFolder, socketAddress } from '../../src/core/host/places.js';
import { scratch } from './scratch.js';

/** As if this process had another uid, and other variables. */
function as(test: TestContext, uid: number, dir?: string): void {
  const { DLM_DIR } = process.env;
  test.mock.method(process as Required<NodeJS.Process>, 'getuid', () => uid);
  if (dir === undefined) delete process.env['DLM_DIR'];
  else process.env['DLM_DIR'] = dir;
  test.after(() => {
    if (DLM_DIR === undefined) delete process.env['DLM_DIR'];
    else process.env['DLM_DIR'] = DLM_DIR;
  });
}

describe('the places of a node', () => {
  it('are those of the machine for root', (test) => {
    as(test, 0);
    const { scope, socket, state, log } = nodePlaces();
    assert.deepEqual({ scope, socket, state, log }, { scope: 'machine', socket: '/run/dlm/control.sock', state: '/var/lib/dlm', log: '/run/dlm/node.log' });
    assert.deepEqual(placesToTry().map((places) => places.socket), ['/run/dlm/control.sock']);
  });

  it('follow from the uid alone for a user, and the node of the machine is tried first', (test) => {
    as(test, 1234);
    Object.assign(process.env, { XDG_RUNTIME_DIR: '/x', TMPDIR: '/x', HOME: '/x' });
    const { scope, socket, state } = nodePlaces();
    assert.equal(scope, 'user');
    assert.equal(socket, '/tmp/dlm-1234/control.sock');
    assert.doesNotMatch(state, /^\/x/);
    assert.match(state, /\/\.local\/state\/dlm$/);
    assert.deepEqual(placesToTry().map((places) => places.socket), ['/run/dlm/control.sock', '/tmp/dlm-1234/control.sock']);
  });

  it('are one folder where one is named', (test) => {
    as(test, 1234, 'some/folder');
    const { scope, socket, state, config } = nodePlaces();
    assert.equal(scope, 'folder');
    assert.equal(socket, `${process.cwd()}/some/folder/control.sock`);
    assert.equal(state, `${process.cwd()}/some/folder`);
    assert.equal(config, `${process.cwd()}/some/folder/dlm.conf`);
    assert.equal(nodePlaces('/other').socket, '/other/control.sock');
    assert.equal(placesToTry().length, 1);
  });
});

describe('the address of a socket', () => {
  it('is its path, from here if only that is short enough, or is refused', () => {
    const deep = `${'d'.repeat(60)}/${'e'.repeat(46)}`;
    assert.equal(socketAddress('/run/dlm/control.sock'), '/run/dlm/control.sock');
    assert.equal(socketAddress(`${process.cwd()}/${deep}`), deep);
    assert.throws(() => socketAddress(`/${deep}x`), { code: 'DLM_STATE_UNUSABLE', message: /109 bytes and the system allows 107/ });
  });
});

describe('a folder of ours', () => {
  it('is made for us alone, and for everybody to enter where the machine is served', (test) => {
    const folder = scratch(test);
    prepareFolder(`${folder}/a/b`, 'user');
    prepareFolder(`${folder}/c`, 'machine');
    assert.equal(statSync(`${folder}/a/b`).mode & 0o777, 0o700);
    assert.equal(statSync(`${folder}/c`).mode & 0o777, 0o755);
  });

  it('is refused if others may write there, if it is a link, or somebody else owns it', (test) => {
    const folder = scratch(test);
    mkdirSync(`${folder}/open`);
    chmodSync(`${folder}/open`, 0o777);
    symlinkSync('open', `${folder}/link`);
    writeFileSync(`${folder}/file`, '');
    assert.throws(() => prepareFolder(`${folder}/open`, 'user'), { code: 'DLM_NOT_PERMITTED', hint: /chmod go-w/ });
    for (const name of ['link', 'file']) {
      assert.throws(() => prepareFolder(`${folder}/${name}`, 'user'), { code: 'DLM_NOT_PERMITTED', message: /not a folder of its own/ });
    }
    mkdirSync(`${folder}/theirs`);
    test.mock.method(process as Required<NodeJS.Process>, 'getuid', () => 4321);
    assert.throws(() => prepareFolder(`${folder}/theirs`, 'user'), { code: 'DLM_NOT_PERMITTED', message: /belongs to user/ });
  });
});

/**
 * `dlm fence test` as an operator uses it: before there is a node, on a file of devices.
 */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Hosts } from '../fence/hosts.js';
import { Desk, type Ended } from './shell.js';

describe('dlm fence test', { timeout: 120_000 }, () => {
  interface Fleet {
    readonly hosts: Hosts;
    readonly fence: (...words: string[]) => Promise<Ended>;
    readonly write: (text: string, mode?: number) => void;
  }

  /** Two hosts, and a dlm.conf in the folder of a node that does not run. */
  function fleet(t: TestContext): Fleet {
    const hosts = new Hosts(t);
    for (const name of ['one', 'two']) hosts.host(name);
    const desk = new Desk();
    t.after(() => desk.clear());
    const file = join(hosts.folder, 'dlm.conf');
    return {
      hosts,
      fence: (...words) => desk.dlm('fence', 'test', '--config', file, ...words),
      write: (text, mode = 0o600) => {
        writeFileSync(file, text.replaceAll('AGENT', hosts.agent).replaceAll('FOLDER', hosts.folder));
        chmodSync(file, mode);
      },
    };
  }

  const two = 'device a AGENT passwd=s3cret\nconnect a node=1 folder=FOLDER/one\nconnect a node=2 folder=FOLDER/two\n';

  test('asks the devices of a node and turns nothing off', async (t) => {
    const { hosts, fence, write } = fleet(t);
    write(two);
    const { exit, out, err } = await fence('1');
    assert.deepEqual([exit, err], [0, '']);
    assert.match(out, /^NODE +LEVEL +DEVICE +AGENT +ASKED +ANSWER +TIME\n1 +1 +a +\S+agent\.sh +status +is on /);
    assert.deepEqual([hosts.calls('one'), hosts.calls('two')], [['status'], []]);
  });

  test('asks for all nodes, and as JSON, without a secret', async (t) => {
    const { fence, write } = fleet(t);
    write(`${two}\npost_joyn_delay=1\n`);
    const { exit, out, err } = await fence('--all', '--json');
    assert.equal(exit, 0);
    const found = JSON.parse(out) as { isWell: boolean; warnings: { line: number }[]; nodes: { node: number; attempts: { verdict: string }[] }[] };
    assert.deepEqual([found.isWell, found.warnings.map(({ line }) => line)], [true, [5]]);
    assert.deepEqual(found.nodes.map(({ node, attempts }) => [node, attempts[0]!.verdict]), [[1, 'is on'], [2, 'is on']]);
    assert.ok(!`${out}${err}`.includes('s3cret'));
  });

  test('ends with 1 where a device does not answer, or nothing is connected', async (t) => {
    const { fence, write } = fleet(t);
    write('device a AGENT\nconnect a node=1 folder=FOLDER/nowhere\n\ndevice b fence_nobody_has\nconnect b node=1\n');
    const { exit, out, err } = await fence('--all');
    assert.equal(exit, 1);
    assert.match(out, /\n1 +2 +b +fence_nobody_has +monitor +the fence agent \/usr\/sbin\/fence_nobody_has is not installed/);
    assert.match(err, /dlm: .*dlm\.conf line 4, b: the fence agent \/usr\/sbin\/fence_nobody_has is not installed\n/);
    const other = await fence('7');
    assert.deepEqual([other.exit, other.out.includes('no fence device is connected to node 7')], [1, true]);
  });

  test('ends with 78 where the configuration cannot be used, and says which line', async (t) => {
    const { fence, write } = fleet(t);
    write(two, 0o644);
    const open = await fence('1');
    assert.deepEqual([open.exit, open.out], [78, '']);
    assert.match(open.err, /holds a secret, and others than its owner may read it\n.*chmod go-r/s);
    write('device a AGENT method=cycle passwd=s3cret\nconnect a node=1\n');
    const unsafe = await fence('1', '--json');
    assert.equal(unsafe.exit, 78);
    const { error } = JSON.parse(unsafe.err) as { error: { code: string; message: string } };
    assert.equal(error.code, 'DLM_CONFIG_INVALID');
    assert.match(error.message, /line 1: method=cycle says that a node was off before it is known$/);
    assert.ok(!unsafe.err.includes('s3cret'));
  });

  test('wants a node or all of them', async (t) => {
    const { fence, write } = fleet(t);
    write(two);
    assert.deepEqual([(await fence()).exit, (await fence('1', '--all')).exit, (await fence('x')).exit], [64, 64, 64]);
  });
});

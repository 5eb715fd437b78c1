/**
 * What may stand in dlm.conf, what it means, and what is said of a line that makes no sense.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { DlmError } from '../../src/core/base/errors.js';
import { fencedBy, parseConfig, readConfig, type DlmConfig, type FenceConfig } from '../../src/core/host/config.js';
import { fenceMethods } from '../../src/core/host/fence-methods.js';
import { scratch } from '../host/scratch.js';

function good(text: string): DlmConfig {
  const { config, errors } = parseConfig(text, 'dlm.conf');
  assert.deepEqual(errors, []);
  return config;
}

const levelsOf = (fence: FenceConfig, node: number): string[] =>
  fenceMethods(fence, {}).methodsFor(node).map(({ devices }) => devices.map(({ device, agent }) => `${device} ${agent}`).join(' + '));

describe('devices', () => {
  const text = `
# Two power supplies, and a switch if that fails
device  power:1 fence_apc ipaddr=1.1.1.1 login=x passwd=y
connect power:1 node=1 port=1
connect power:1 node=2 port=2

device  power:2 fence_apc ipaddr=5.5.5.5 login=x passwd=y delay=1.5
connect power:2 node=1 port=1 delay=3
connect power:2 node=2 port=2

device  switch fence_ifmib ip=6.6.6.6 community=private action=reboot agent_timeout=20
connect switch node=2 port=12
unfence switch
`;

  test('are tried in the order of the file, and those that are parallel together', () => {
    const { fence } = good(text);
    assert.deepEqual(levelsOf(fence, 1), ['power:1 fence_apc + power:2 fence_apc']);
    assert.deepEqual(levelsOf(fence, 2), ['power:1 fence_apc + power:2 fence_apc', 'switch fence_ifmib']);
    assert.deepEqual(levelsOf(fence, 3), []);
    assert.deepEqual(fenceMethods(fence, {}).nodes, [1, 2]);
  });

  test('have what is written for them, and what a node has of its own', () => {
    const [, second, last] = good(text).fence.devices;
    assert.deepEqual(second!.parameters.shown(), { ipaddr: '5.5.5.5', login: 'x', passwd: '***' });
    assert.equal(second!.delayMillis, 1500);
    assert.ok(second!.nodes !== 'every');
    assert.deepEqual([second!.nodes.get(1)!.delayMillis, second!.nodes.get(2)!.delayMillis], [3000, null]);
    assert.deepEqual(second!.nodes.get(1)!.parameters.shown(), { port: '1' });
    assert.deepEqual([last!.turnsOnAgain, last!.isForUnfencing, last!.timeoutMillis], [true, true, 20_000]);
    assert.deepEqual(last!.parameters.shown(), { ip: '6.6.6.6', community: '***' });
  });

  test('may be connected before they are described, as in the manual', () => {
    const { fence } = good('device foo:1 fence_foo\nconnect foo:2 node=2\n\ndevice foo:2 fence_foo\n');
    assert.deepEqual(levelsOf(fence, 2), ['foo:2 fence_foo']);
  });

  test('may be one line for all nodes', () => {
    const { fence } = good('fence_all dlm_stonith\nunfence_all\n');
    assert.deepEqual(levelsOf(fence, 17), ['fence_all dlm_stonith']);
    assert.equal(fence.devices[0]!.isForUnfencing, true);
  });

  test('may be a way of ours, or none on purpose', () => {
    assert.deepEqual(levelsOf(fencedBy('process'), 4), ['fence_all process']);
    assert.deepEqual(levelsOf(fencedBy('none'), 4), []);
    assert.deepEqual(levelsOf(good('fence_all none\n').fence, 4), []);
  });

  test('may take longer for one node, so that it survives when two fence each other', () => {
    assert.deepEqual([...good('node id=1 delay=5\n').fence.nodeDelays], [[1, 5000]]);
  });

  test('that are not parted by blank lines are understood, with a warning that others do not', () => {
    const { warnings } = good('device a fence_a\nconnect a node=1\ndevice b fence_b\nconnect b node=1\n');
    assert.deepEqual(warnings.map(({ line, says }) => `${line}: ${says}`), ['3: dlm_controld takes this for a part of what stands above']);
  });
});

describe('settings', () => {
  test('are those of dlm_controld, and only those that are there', () => {
    const { settings } = good('enable_fencing=1\nenable_startup_fencing = 0\npost_join_delay=10\nrepeat_failed_fencing=0\n');
    assert.deepEqual(settings, { enableFencing: true, enableStartupFencing: false, postJoinDelaySeconds: 10, repeatFailedFencing: false });
  });

  test('that are unknown, or without effect, are warnings', () => {
    const { warnings } = good('enable_fencng=1\nprotocol=tcp\nlockspace foo nodir=1\n');
    assert.deepEqual(
      warnings.map(({ line, says }) => `${line}: ${says}`),
      [
        '1: there is no setting of that name, and the line has no effect',
        "2: protocol concerns the kernel's lock manager and has no effect",
        '3: what a lockspace is like is not taken from here',
      ],
    );
  });
});

describe('a line that makes no sense', () => {
  const cases: [text: string, line: number, says: RegExp, instead: RegExp][] = [
    ['\ndevise power fence_apc\n', 2, /neither a SETTING=VALUE nor begins with device/, /#/],
    ['device power\n', 1, /needs a name and an agent/, /device NAME AGENT/],
    ['device power ip=1\n', 1, /needs a name and an agent/, /device NAME AGENT/],
    ['device po/wer fence_apc\n', 1, /cannot be the name/, /letters/],
    ['device power fence_apc ip\n', 1, /word 1 of the arguments is not KEY=VALUE/, /passwd_file/],
    ['device power fence_apc ip=1 ip=2\n', 1, /ip stands here twice/, /leave out/],
    ['device power fence_apc node=1\n', 1, /by a connect line/, /connect NAME node=N/],
    ['device power fence_apc method=cycle\n', 1, /before it is known/, /method=onoff/],
    ['device power fence_apc action=status\n', 1, /off or reboot/, /turned off/],
    ['device power fence_apc delay=soon\n', 1, /delay must be a number of seconds/, /delay=5/],
    ['device power fence_apc agent_timeout=0\n', 1, /agent_timeout must be/, /agent_timeout=5/],
    ['device power fence_apc\n\ndevice power fence_apc\n', 3, /power is already in line 1/, /name of its own/],
    ['device power fence_apc\nconnect power\n', 2, /the number of a node/, /node=N/],
    ['device power fence_apc\nconnect power node=0\n', 2, /the number of a node/, /node=N/],
    ['device power fence_apc\nconnect powr node=1\n', 2, /no device of that name/, /the devices are: power/],
    ['device power fence_apc\nconnect power node=1\nconnect power node=1\n', 3, /already connected to power in line 2/, /too many/],
    ['device power fence_apc\nconnect power node=1 action=off\n', 2, /said by the device line/, /there/],
    ['unfence power\n', 1, /no device of that name/, /the devices are: none/],
    ['fence_all\n', 1, /needs an agent/, /fence_all AGENT/],
    ['fence_all dlm_stonith\n\ndevice power fence_apc\nconnect power node=1\n', 1, /does not go together/, /one or the other/],
    ['device no none\nconnect no node=1\n', 1, /no way to fence/, /fence_all none/],
    ['device a fence_a\nconnect a node=1\n\ndevice a:1 fence_a\nconnect a:1 node=1\n', 4, /together, or one after the other/, /different names/],
    ['node delay=4\n', 1, /the number of a node/, /node id=N/],
    ['enable_fencing=yes\n', 1, /enable_fencing is 0 or 1/, /enable_fencing=1/],
    ['post_join_delay=-1\n', 1, /whole number of seconds/, /post_join_delay=10/],
    ['enable_fencing=1\nenable_fencing=0\n', 2, /twice/, /leave out/],
  ];
  for (const [text, line, says, instead] of cases) {
    test(`is refused with its line and what to write: ${JSON.stringify(text)}`, () => {
      const [first] = parseConfig(text, 'dlm.conf').errors;
      assert.equal(first?.line, line);
      assert.match(first!.says, says);
      assert.match(first!.instead, instead);
    });
  }

  test('does not tell a secret that stands in it', () => {
    const texts = ['s3cret fence', 'device power fence_apc s3cret', 'connect s3cret', 's3cret=s3cret', 'device a fence_a passwd=a passwd=s3cret', 'unfence s3cret', 'device p fence_a passwd="s3cret'];
    for (const text of texts) {
      const { config, errors } = parseConfig(text, 'dlm.conf');
      assert.ok(errors.length + config.warnings.length > 0, text);
      assert.ok(!JSON.stringify([errors, config]).includes('s3cret'), text);
    }
  });
});

describe('the file', () => {
  function fileWith(t: TestContext, text: string, mode: number): string {
    const path = join(scratch(t), 'dlm.conf');
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  function refusal(path: string): { message: string; hint: string } {
    try {
      readConfig(path);
    } catch (error) {
      assert.ok(error instanceof DlmError);
      assert.equal(error.code, 'DLM_CONFIG_INVALID');
      return { message: error.message.replace(path, 'PATH'), hint: error.hint };
    }
    return assert.fail('it was not refused');
  }

  const secret = 'device a fence_a passwd=s3cret\nconnect a node=1\n';

  test('may be read by others as long as there is no secret in it', (t) => {
    assert.equal(readConfig(fileWith(t, 'device a fence_a passwd_file=/x\nconnect a node=1\n', 0o644)).fence.devices.length, 1);
    assert.equal(readConfig(fileWith(t, secret, 0o600)).fence.devices.length, 1);
    assert.match(refusal(fileWith(t, secret, 0o644)).message, /^the configuration PATH holds a secret, and others than its owner may read it$/);
    assert.match(refusal(fileWith(t, secret, 0o640)).hint, /^take that away with: chmod go-r /);
    assert.match(refusal(fileWith(t, 'device a fence_a\nconnect a node=1 password=x\n', 0o604)).message, /holds a secret/);
  });

  test('that others may write to is refused', (t) => {
    assert.equal(refusal(fileWith(t, '', 0o620)).message, 'others than its owner may write to the configuration PATH');
    assert.equal(refusal(fileWith(t, '', 0o602)).message, 'others than its owner may write to the configuration PATH');
  });

  test('that is not there, or is a folder, is refused with the reason', (t) => {
    const folder = scratch(t);
    mkdirSync(join(folder, 'dlm.conf'));
    assert.equal(refusal(join(folder, 'nothing')).message, 'cannot read the configuration PATH: it does not exist (ENOENT)');
    assert.match(refusal(join(folder, 'nothing')).hint, /^write it .*--config/);
    assert.equal(refusal(join(folder, 'dlm.conf')).message, 'the configuration PATH is not a file');
  });

  test('with mistakes is refused with the first, its line, and the lines of the others', (t) => {
    const { message, hint } = refusal(fileWith(t, 'enable_fencing=2\n\nnonsense\ndevice\n', 0o600));
    assert.equal(message, 'PATH line 1: enable_fencing is 0 or 1 (and there is something wrong in line 3, 4)');
    assert.equal(hint, 'write enable_fencing=1 or enable_fencing=0');
  });
});

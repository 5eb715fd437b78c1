/**
 * A real agent and a simulated controller, whose power is a real process: on, off, and
 * what goes wrong with controllers.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig, type FenceConfig } from '../../src/core/host/config.js';
import type { FenceAttempt } from '../../src/core/host/fence-agent.js';
import { FenceHistory, readFenceHistory } from '../../src/core/host/fence-history.js';
import { fenceMethods } from '../../src/core/host/fence-methods.js';
import { identify } from '../../src/core/host/process-facts.js';
import { scratch } from '../host/scratch.js';
import { Bmc, bmcPassword, startBmcs, type BmcHost } from './bmc.js';
import { needs } from './install.js';

const dlm = fileURLToPath(new URL('../../bin/dlm', import.meta.url));
const firstPort = 21_623;

describe('fence_ipmilan', { timeout: 240_000 }, () => {
  /** Last of all the folder goes. */
  let cleanUp = (): void => undefined;
  const folder = resolve(scratch({ after: (clean) => void (cleanUp = clean as () => void) }));
  let bmcs: Bmc[];

  before(async () => {
    needs('fence-agents', 'openipmi', 'ipmitool');
    bmcs = await startBmcs(folder, ['h1', 'h2', 'h3'].map((name, index) => hostOf(name, firstPort + index)));
    for (const { host } of bmcs) turnOn(host);
  });

  after(async () => {
    for (const bmc of bmcs ?? []) {
      spawnSync('sh', ['-c', bmc.host.off]);
      await bmc.end();
    }
    cleanUp();
  });

  /** A host that is one process, its pid in a file. A zombie is as good as off. */
  function hostOf(name: string, port: number): BmcHost {
    const file = join(folder, `${name}.pid`);
    return {
      name,
      port,
      isOn: `[ -e '${file}' ] && grep -q '^State:[[:space:]]*[^ZX]' "/proc/$(cat '${file}')/status"`,
      off: `kill -9 "$(cat '${file}')"; rm -f '${file}'`,
      on: `setsid sh -c 'echo $$ > "${file}"; exec sleep 600' < /dev/null > /dev/null 2>&1 &`,
    };
  }

  function turnOn({ on, isOn }: BmcHost): void {
    const { status } = spawnSync('sh', ['-c', `${on}\ntries=0; until ${isOn}; do tries=$((tries + 1)); [ $tries -lt 200 ] || exit 1; sleep 0.05; done`], { stdio: 'ignore' });
    assert.equal(status, 0);
  }

  const pidOf = (name: string): number => Number(readFileSync(join(folder, `${name}.pid`), 'utf8'));
  const config = (text: string): FenceConfig => {
    const { config: read, errors } = parseConfig(text, 'dlm.conf');
    assert.deepEqual(errors, []);
    return read.fence;
  };
  const device = (bmc: Bmc, node: number, more = `passwd=${bmcPassword}`): string =>
    `device ${bmc.host.name} fence_ipmilan ${bmc.parameters} ${more}\nconnect ${bmc.host.name} node=${node}\n\n`;
  const short = ({ device: name, action, exit, verdict }: FenceAttempt): string => `${name} ${action} ${exit} ${verdict}`;

  test('kills the host, and its status is looked at', async () => {
    const [first] = bmcs;
    const methods = fenceMethods(config(device(first!, 1)), {});
    const pid = pidOf('h1');
    assert.deepEqual((await methods.test(1)).attempts.map(short), ['h1 status 0 is on']);
    assert.notEqual(identify(pid), null);
    const outcome = await methods.fence(1);
    assert.deepEqual([outcome.result, outcome.by, outcome.isVerified, outcome.attempts.map(short)], ['fenced', 'h1', true, ['h1 off 0 done', 'h1 status 2 is off']]);
    assert.equal(identify(pid), null);
    assert.ok(first!.orders.includes('set power 0'), first!.orders.join());
    assert.deepEqual((await methods.test(1)).attempts.map(short), ['h1 status 2 is off']);
  });

  test('has fenced a host that was off already, and turns it on again', async () => {
    const [first] = bmcs;
    let turnedOn = (): void => undefined;
    const isOn = new Promise<void>((resolve) => (turnedOn = resolve));
    const methods = fenceMethods(config(device(first!, 1, `passwd=${bmcPassword} action=reboot`)), { onAttempt: ({ action }) => action === 'on' && turnedOn() });
    assert.equal((await methods.fence(1)).result, 'fenced');
    await isOn;
    assert.notEqual(identify(pidOf('h1')), null);
    assert.deepEqual((await methods.test(1)).attempts.map(short), ['h1 status 0 is on']);
  });

  test('with a wrong password does nothing, and no password is told', async () => {
    const [, second] = bmcs;
    const state = join(folder, 'state');
    const history = new FenceHistory({ state, scope: 'folder' }, (line) => assert.fail(line));
    const methods = fenceMethods(config(device(second!, 2, 'passwd=wr0ng-word verbose=1')), { onAttempt: (attempt) => history.attempt(attempt) });
    const outcome = await methods.fence(2);
    history.outcome(outcome);
    assert.deepEqual([outcome.result, outcome.attempts.map(short)], ['failed', ['h2 off 1 failed']]);
    assert.notEqual(identify(pidOf('h2')), null);
    assert.match(outcome.attempts[0]!.output, /ipmitool/);
    assert.ok(!readFileSync(join(state, 'fence-history.jsonl'), 'utf8').includes('wr0ng-word'));
    assert.equal(readFenceHistory({ state }).records.length, 2);
  });

  test('whose controller does not answer fails after its own timeout, or after ours, and the next device is used', async () => {
    const [, second, third] = bmcs;
    second!.freeze();
    const text = device(second!, 3, `passwd=${bmcPassword} power_timeout=2`) + device(third!, 3);
    const outcome = await fenceMethods(config(text), {}).fence(3);
    assert.deepEqual([outcome.result, outcome.by, outcome.attempts.map(short)], ['fenced', 'h3', ['h2 off 1 failed', 'h3 off 0 done', 'h3 status 2 is off']]);
    const impatient = await fenceMethods(config(device(second!, 3, `passwd=${bmcPassword} agent_timeout=1`)), {}).fence(3);
    assert.deepEqual([impatient.result, impatient.attempts.map(short)], ['failed', ['h2 off null timed out']]);
    await second!.end();
    const dead = await fenceMethods(config(device(second!, 3, `passwd=${bmcPassword} power_timeout=2`)), {}).fence(3);
    assert.deepEqual([dead.result, dead.attempts.map(short)], ['failed', ['h2 off 1 failed']]);
  });

  test('is tried by dlm fence test, which turns nothing off', () => {
    const [first, second] = bmcs;
    const file = join(folder, 'dlm.conf');
    const secret = join(folder, 'bmc.key');
    writeFileSync(secret, `${bmcPassword}\n`, { mode: 0o600 });
    writeFileSync(file, device(first!, 1, `passwd_file=${secret}`) + device(second!, 2, `passwd_file=${secret} power_timeout=2`), { mode: 0o644 });
    const run = (...words: string[]) => spawnSync(dlm, ['fence', 'test', '--config', file, ...words], { encoding: 'utf8' });
    const one = run('1');
    assert.deepEqual([one.status, one.stderr], [0, '']);
    assert.match(one.stdout, /^NODE +LEVEL +DEVICE +AGENT +ASKED +ANSWER.*\n1 +1 +h1 +fence_ipmilan +status +is on/);
    const all = run('--all', '--json');
    const { isWell, nodes } = JSON.parse(all.stdout) as { isWell: boolean; nodes: { node: number; isWell: boolean }[] };
    assert.deepEqual([all.status, isWell, nodes.map(({ node, isWell: well }) => [node, well])], [1, false, [[1, true], [2, false]]]);
    assert.ok(![one.stdout, all.stdout, all.stderr].some((text) => text.includes(bmcPassword)));
    assert.ok(existsSync(join(folder, 'h1.pid')));
  });
});

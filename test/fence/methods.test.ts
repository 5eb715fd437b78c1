/**
 * From several ways to fence a node to one outcome: levels, devices used together, and
 * the ways that need no agent.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChildRegister } from '../../src/core/host/child-register.js';
import { fencedBy } from '../../src/core/host/config.js';
import type { FenceAttempt } from '../../src/core/host/fence-agent.js';
import { fenceMethods, type FenceContext } from '../../src/core/host/fence-methods.js';
import { nodeProcess, type NodeProcess } from '../../src/core/host/fence-process.js';
import { identify } from '../../src/core/host/process-facts.js';
import { ProcessFamily } from '../../src/core/host/process-family.js';
import { Hosts } from './hosts.js';

const short = ({ device, action, verdict, level }: FenceAttempt): string => `${level} ${device} ${action}: ${verdict}`;

describe('levels', () => {
  test('are tried in order until one has worked, and each attempt is told at once', async (t) => {
    const hosts = new Hosts(t);
    for (const name of ['a', 'b', 'c']) hosts.host(name);
    const told: string[] = [];
    const config = hosts.config(
      ['a fail', 'b honest', 'c honest'].map((words) => {
        const [name, behaviour] = words.split(' ');
        return `device ${name} AGENT behaviour=${behaviour}\nconnect ${name} node=3 folder=FOLDER/${name}\n`;
      }).join('\n'),
    );
    const outcome = await fenceMethods(config, { onAttempt: (attempt) => told.push(short(attempt)) }).fence(3);
    assert.deepEqual([outcome.node, outcome.result, outcome.by], [3, 'fenced', 'b']);
    assert.deepEqual(outcome.attempts.map(short), ['1 a off: failed', '2 b off: done', '2 b status: is off']);
    assert.deepEqual(told, outcome.attempts.map(short));
    assert.equal(hosts.isOn('c'), true);
  });

  test('that have all failed are a failure with every reason', async (t) => {
    const hosts = new Hosts(t);
    for (const name of ['a', 'b']) hosts.host(name);
    const config = hosts.config('device a AGENT behaviour=fail\nconnect a node=3 folder=FOLDER/a\n\ndevice b AGENT behaviour=lie\nconnect b node=3 folder=FOLDER/b\n');
    const outcome = await fenceMethods(config, {}).fence(3);
    assert.deepEqual([outcome.result, outcome.by], ['failed', null]);
    assert.equal(outcome.reason, 'a: exit 1: the plug is stuck; b: it said that the node was off, and then that it is on');
  });

  test('are missing for a node that nothing is connected to', async (t) => {
    const hosts = new Hosts(t);
    const config = hosts.config('device a AGENT\nconnect a node=3 folder=FOLDER/a\n');
    const outcome = await fenceMethods(config, {}).fence(4);
    assert.deepEqual([outcome.result, outcome.reason, outcome.attempts], ['failed', 'no fence device is connected to node 4', []]);
  });

  test('with two power supplies count only when both are off', async (t) => {
    const hosts = new Hosts(t);
    for (const name of ['a', 'b', 'c']) hosts.host(name);
    const config = hosts.config(`
device psu:1 AGENT
connect psu:1 node=1 folder=FOLDER/a

device psu:2 AGENT behaviour=fail
connect psu:2 node=1 folder=FOLDER/b

device spare AGENT
connect spare node=1 folder=FOLDER/c
`);
    const outcome = await fenceMethods(config, {}).fence(1);
    assert.deepEqual([outcome.result, outcome.by, outcome.reason], ['fenced', 'spare', 'the device says that it is off']);
    assert.deepEqual(outcome.attempts.map(short), ['1 psu:1 off: done', '1 psu:1 status: is off', '1 psu:2 off: failed', '2 spare off: done', '2 spare status: is off']);
  });

  test('with two power supplies that are both off name both', async (t) => {
    const hosts = new Hosts(t);
    for (const name of ['a', 'b']) hosts.host(name);
    const config = hosts.config('device psu:1 AGENT\nconnect psu:1 node=1 folder=FOLDER/a\n\ndevice psu:2 AGENT\nconnect psu:2 node=1 folder=FOLDER/b\n');
    const outcome = await fenceMethods(config, {}).fence(1);
    assert.deepEqual([outcome.result, outcome.by, outcome.isVerified], ['fenced', 'psu:1 and psu:2', true]);
    assert.deepEqual([hosts.isOn('a'), hosts.isOn('b')], [false, false]);
  });

  test('whose delay is interrupted leave the node alone', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('a');
    const config = hosts.config('device a AGENT delay=3600\nconnect a node=1 folder=FOLDER/a\n');
    const abort = new AbortController();
    const running = fenceMethods(config, {}).fence(1, { signal: abort.signal });
    abort.abort();
    assert.equal((await running).result, 'cancelled');
    assert.deepEqual(hosts.calls('a').filter((call) => call === 'off'), []);
  });
});

describe('turning on', () => {
  test('a node with action=reboot is turned on again once it is known to be off', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('a');
    const config = hosts.config('device a AGENT action=reboot\nconnect a node=1 folder=FOLDER/a\n');
    const told: string[] = [];
    let turnedOn = (): void => undefined;
    const isTurnedOn = new Promise<void>((resolve) => (turnedOn = resolve));
    const methods = fenceMethods(config, {
      onAttempt: (attempt) => {
        told.push(short(attempt));
        if (attempt.action === 'on') turnedOn();
      },
    });
    assert.equal((await methods.fence(1)).result, 'fenced');
    await isTurnedOn;
    await methods.close();
    assert.deepEqual(told, ['1 a off: done', '1 a status: is off', '1 a on: done']);
    assert.equal(hosts.isOn('a'), true);
  });

  test('a node that unfences itself does it where it is asked to, and nowhere else', async (t) => {
    const hosts = new Hosts(t);
    for (const name of ['power', 'switch']) hosts.host(name);
    const config = hosts.config('device power AGENT\nconnect power node=1 folder=FOLDER/power\n\ndevice switch AGENT\nconnect switch node=1 folder=FOLDER/switch\nunfence switch\n');
    const done = await fenceMethods(config, {}).unfence(1);
    assert.deepEqual([done.isWell, done.attempts.map(short)], [true, ['2 switch on: done']]);
    assert.deepEqual(hosts.calls('power'), []);
    assert.deepEqual(await fenceMethods(config, {}).unfence(2), { isWell: true, attempts: [], reason: '' });
  });
});

describe('a test', () => {
  test('asks every device and turns nothing off', async (t) => {
    const hosts = new Hosts(t);
    for (const name of ['a', 'b', 'c']) hosts.host(name);
    const noStatus = hosts.agentNamed('no-status');
    const config = hosts.config(`device a AGENT\nconnect a node=1 folder=FOLDER/a\n\ndevice b ${noStatus}\nconnect b node=1 folder=FOLDER/b\n`);
    const found = await fenceMethods(config, {}).test(1);
    assert.deepEqual([found.isWell, found.attempts.map(short)], [true, ['1 a status: is on', '2 b monitor: answers']]);
    assert.deepEqual([hosts.calls('a'), hosts.calls('b')], [['status'], ['monitor']]);
  });

  test('finds agents that are missing, and agents that cannot turn anything off', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('a');
    const config = hosts.config(`device a ${hosts.agentNamed('no-off')}\nconnect a node=1 folder=FOLDER/a\n\ndevice b fence_nobody_has\nconnect b node=1\n`);
    const found = await fenceMethods(config, {}).test(1);
    assert.equal(found.isWell, false);
    assert.equal(found.reason, 'a: the agent cannot turn anything off; b: the fence agent /usr/sbin/fence_nobody_has is not installed');
    assert.deepEqual(hosts.calls('a'), []);
  });
});

describe('process', () => {
  /** A process that stands for a node, with a protected command that has a command of its own. */
  async function nodeWithChild(t: TestContext): Promise<{ node: NodeProcess; context: FenceContext; family: ProcessFamily }> {
    const folder = join(new Hosts(t).folder, 'children');
    const node = begin(t, spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' }));
    const child = begin(t, spawn('sh', ['-c', 'sleep 1000 & echo ready; wait'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] }));
    await new Promise((ready) => child.stdout!.once('data', ready));
    const family = ProcessFamily.of(child.pid!)!;
    new ChildRegister({ children: folder, scope: 'folder' }).add(family);
    const process: NodeProcess = { ...nodeProcess(folder), ...identify(node.pid!)! };
    return { node: process, context: { processOf: () => process }, family };
  }

  /** It leads a group, all of which is ended after the test, if anybody is left. */
  function begin(t: TestContext, child: ChildProcess): ChildProcess {
    t.after(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
      }
    });
    return child;
  }

  test('kills the node and its protected commands, and is done when all have ended', async (t) => {
    const { node, context, family } = await nodeWithChild(t);
    process.kill(node.pid, 'SIGSTOP');
    assert.equal(family.members().length, 2);
    const outcome = await fenceMethods(fencedBy('process'), context).fence(2);
    assert.deepEqual([outcome.result, outcome.by, outcome.isVerified, outcome.isAssumed], ['fenced', 'fence_all', true, false]);
    assert.deepEqual([identify(node.pid), family.isGone], [null, true]);
  });

  test('is done at once for a node that has ended, and leaves alone who has its pid now', async (t) => {
    const { node, family } = await nodeWithChild(t);
    const earlier = { ...node, started: node.started - 1 };
    const outcome = await fenceMethods(fencedBy('process'), { processOf: () => earlier }).fence(2);
    assert.equal(outcome.result, 'fenced');
    assert.equal(identify(node.pid)?.started, node.started);
    assert.equal(family.isGone, true);
  });

  for (const [what, change, reason] of [
    ['in another pid namespace', { pidNamespace: '1' }, 'its process is in another pid namespace, where pids mean something else'],
    ['in a namespace that is not known', { pidNamespace: null }, 'its process is in another pid namespace, where pids mean something else'],
    ['of an earlier run of the machine', { boot: '00000000' }, 'its process was one of another machine, or of an earlier run of this one'],
    ['that is ourselves', { pid: process.pid }, 'it is this process'],
  ] as const) {
    test(`is refused for a node ${what}`, async (t) => {
      const { node, family } = await nodeWithChild(t);
      const methods = fenceMethods(fencedBy('process'), { processOf: () => ({ ...node, ...change }) });
      const outcome = await methods.fence(2);
      assert.deepEqual([outcome.result, outcome.reason], ['failed', `fence_all: ${reason}`]);
      assert.deepEqual([identify(node.pid)?.started, family.isGone], [node.started, false]);
      assert.equal((await methods.test(2)).isWell, false);
    });
  }

  test('is refused if it is not known which process the node is', async () => {
    const outcome = await fenceMethods(fencedBy('process'), { processOf: () => null }).fence(2);
    assert.equal(outcome.reason, 'fence_all: it is not known which process the node is');
  });
});

describe('lease', () => {
  test('counts as fenced when the lease has ended, and is called an assumption', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const running = fenceMethods(fencedBy('lease'), { leaseEnded: () => ended }).fence(2);
    end();
    const outcome = await running;
    assert.deepEqual([outcome.result, outcome.isAssumed, outcome.isVerified], ['fenced', true, false]);
  });

  test('fails where the engine does not know, or has no leases', async () => {
    const unknown = await fenceMethods(fencedBy('lease'), { leaseEnded: () => Promise.reject(new Error('etcd does not answer')) }).fence(2);
    assert.deepEqual([unknown.result, unknown.reason], ['failed', 'fence_all: etcd does not answer']);
    const none = await fenceMethods(fencedBy('lease'), {}).fence(2);
    assert.deepEqual([none.result, none.reason], ['failed', 'fence_all: this engine has no leases']);
  });

  test('does not count when it is no longer wanted', async () => {
    const abort = new AbortController();
    const leaseEnded = (_node: number, signal: AbortSignal | undefined): Promise<void> =>
      new Promise((resolve) => signal!.addEventListener('abort', () => resolve()));
    const running = fenceMethods(fencedBy('lease'), { leaseEnded }).fence(2, { signal: abort.signal });
    abort.abort();
    assert.equal((await running).result, 'cancelled');
  });
});

describe('Pacemaker', () => {
  function pacemaker(t: TestContext): Hosts {
    const hosts = new Hosts(t);
    const path = join(hosts.folder, 'stonith_admin');
    copyFileSync(fileURLToPath(new URL('./stonith-admin.sh', import.meta.url)), path);
    chmodSync(path, 0o755);
    return hosts;
  }

  const text = 'device cluster stonith_admin path=FOLDER/stonith_admin\nconnect cluster node=3 name=h3\nconnect cluster node=4\n';

  test('is asked by its own command, and its history looked at', async (t) => {
    const hosts = pacemaker(t);
    const outcome = await fenceMethods(hosts.config(text), { timeoutMillis: 30_000 }).fence(3);
    assert.deepEqual([outcome.result, outcome.by, outcome.isVerified], ['fenced', 'cluster', true]);
    assert.deepEqual(hosts.lines('.', 'words'), ['--fence=h3 --timeout=23 --tag=dlm', '--history=h3 --verbose --output-as=xml']);
    assert.equal(outcome.reason, "Pacemaker's history says off, done 2026-03-01 12:00:01Z");
  });

  test('turns the node on again itself where it is to be turned on', async (t) => {
    const hosts = pacemaker(t);
    const methods = fenceMethods(hosts.config(text.replace('path=', 'action=reboot path=')), { timeoutMillis: 30_000 });
    const outcome = await methods.fence(3);
    await methods.close();
    assert.deepEqual([outcome.result, outcome.isVerified, outcome.reason], ['fenced', true, "Pacemaker's history says reboot, done 2026-03-01 12:00:01Z"]);
    assert.deepEqual(hosts.lines('.', 'words'), ['--reboot=h3 --timeout=23 --tag=dlm', '--history=h3 --verbose --output-as=xml']);
  });

  test('that fails has not fenced, and says why', async (t) => {
    const hosts = pacemaker(t);
    writeFileSync(join(hosts.folder, 'fails'), '');
    const outcome = await fenceMethods(hosts.config(text), {}).fence(3);
    assert.deepEqual([outcome.result, outcome.reason], ['failed', "cluster: Couldn't fence h3: No such device (exit 105)"]);
    assert.equal(outcome.attempts[0]!.output, "stonith_admin: Couldn't fence h3: No such device");
  });

  test('that does not run on this host is of no use, and says so', async (t) => {
    const hosts = pacemaker(t);
    writeFileSync(join(hosts.folder, 'stopped'), '');
    const methods = fenceMethods(hosts.config(text), {});
    assert.equal((await methods.fence(3)).reason, "cluster: Couldn't fence h3: Transport endpoint is not connected (exit 102)");
    assert.equal((await methods.test(3)).reason, 'cluster: Could not connect to fencer: Transport endpoint is not connected (exit 102)');
  });

  test('whose history does not know of it has not fenced', async (t) => {
    const hosts = pacemaker(t);
    writeFileSync(join(hosts.folder, 'forgets'), '');
    assert.equal((await fenceMethods(hosts.config(text), {}).fence(3)).reason, "cluster: Pacemaker's history has no fencing of h3");
    const others = '<fence_event action="off" target="h2" client="x" origin="h1" status="success" delegate="h1" completed="2026-03-01 12:00:00Z"/>\n';
    const failed = '<fence_event action="off" target="h3" client="x" origin="h1" status="failed" exit-reason="Fence agent did not complete within 60s" delegate="h1" completed="2026-03-01 11:00:00Z"/>\n';
    writeFileSync(join(hosts.folder, 'history'), others + failed);
    assert.equal((await fenceMethods(hosts.config(text), {}).fence(3)).reason, "cluster: the last fencing of h3 in Pacemaker's history is marked failed");
  });

  for (const [what, events, verdict] of [
    ['a later failure', [['failed', '12:00:01Z'], ['success', '12:00:00Z']], 'failed'],
    ['a later success', [['success', '12:00:01Z'], ['failed', '12:00:00Z']], 'fenced'],
    ['a later success of the same second', [['success', '12:00:00Z'], ['failed', '12:00:00Z']], 'fenced'],
    ['a later failure in another time zone', [['success', '12:00:00Z'], ['failed', '08:30:01 -03:30']], 'failed'],
    ['one of Pacemaker itself that is under way', [['pending', null], ['success', '12:00:00Z']], 'fenced'],
  ] as const) {
    test(`is believed by what ended last: ${what}`, async (t) => {
      const hosts = pacemaker(t);
      writeFileSync(join(hosts.folder, 'forgets'), '');
      const lines = events.map(([status, time]) => `<fence_event action="off" target="h3" client="x" origin="h1" status="${status}" ${time === null ? 'extended-status="1"' : `completed="2026-03-01 ${time}"`}/>\n`);
      writeFileSync(join(hosts.folder, 'history'), lines.join(''));
      assert.equal((await fenceMethods(hosts.config(text), {}).fence(3)).result, verdict);
    });
  }

  test('knows nodes by name, which the cluster or the configuration tells', async (t) => {
    const hosts = pacemaker(t);
    const methods = fenceMethods(hosts.config(text), {});
    assert.equal((await methods.fence(4)).reason, 'cluster: what Pacemaker calls node 4 is not known; write: connect cluster node=4 name=NAME');
    const named = fenceMethods(hosts.config(text), { nameOf: (node) => `h${node}` });
    assert.equal((await named.fence(4)).result, 'fenced');
    assert.equal((await fenceMethods(hosts.config(text), { nameOf: () => '-x' }).fence(4)).result, 'failed');
  });

  test('is asked whether it has a device for the node', async (t) => {
    const hosts = pacemaker(t);
    const methods = fenceMethods(hosts.config(text), { nameOf: (node) => `h${node}` });
    const [three, four] = [await methods.test(3), await methods.test(4)];
    assert.deepEqual([three.isWell, three.attempts[0]!.reason], [true, 'Pacemaker has a device for it: bmc3']);
    assert.deepEqual([four.isWell, four.reason], [false, 'cluster: Pacemaker has no device on this host for h4']);
    assert.deepEqual(hosts.lines('.', 'words'), ['--list=h3 --output-as=xml', '--list=h4 --output-as=xml']);
  });
});

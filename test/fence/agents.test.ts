/**
 * What is done with an agent, whatever the agent does: real processes, good ones and bad.
 */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { FenceAttempt } from '../../src/core/host/fence-agent.js';
import { fenceMethods, type FenceOutcome } from '../../src/core/host/fence-methods.js';
import { identify } from '../../src/core/host/process-facts.js';
import { Hosts } from './hosts.js';

/** One round against one host whose agent behaves so. */
async function off(test: TestContext, behaviour: string, more = ''): Promise<{ hosts: Hosts; outcome: FenceOutcome; first: FenceAttempt }> {
  const hosts = new Hosts(test);
  hosts.host('one');
  const config = hosts.config(`device power AGENT behaviour=${behaviour} ${more}\nconnect power node=1 folder=FOLDER/one\n`);
  const outcome = await fenceMethods(config, {}).fence(1);
  return { hosts, outcome, first: outcome.attempts[0]! };
}

const isAlive = (pid: string): boolean => identify(Number(pid)) !== null;

describe('an agent', () => {
  test('that turns the node off is asked for the status, and believed then', async (t) => {
    const { hosts, outcome } = await off(t, 'honest');
    assert.deepEqual([outcome.result, outcome.by, outcome.isVerified, outcome.isAssumed], ['fenced', 'power', true, false]);
    assert.deepEqual(outcome.attempts.map(({ action, exit, verdict }) => [action, exit, verdict]), [['off', 0, 'done'], ['status', 2, 'is off']]);
    assert.deepEqual(hosts.calls('one'), ['off', 'status']);
    assert.equal(hosts.isOn('one'), false);
  });

  test('is told the number of the node, and the action, in lines on its standard input', async (t) => {
    const { hosts } = await off(t, 'honest');
    assert.deepEqual(hosts.lines('one', 'told'), ['off of node 1 with 0 words', 'status of node 1 with 0 words']);
  });

  test('that fails has not fenced, and what it printed is kept', async (t) => {
    const { outcome, first } = await off(t, 'fail');
    assert.deepEqual([outcome.result, outcome.by, outcome.reason], ['failed', null, 'power: exit 1: the plug is stuck']);
    assert.deepEqual([first.exit, first.verdict, first.output], [1, 'failed', 'the plug is stuck']);
  });

  test('that lies is found out by the status, and has not fenced', async (t) => {
    const { hosts, outcome } = await off(t, 'lie');
    assert.equal(hosts.isOn('one'), true);
    assert.equal(outcome.result, 'failed');
    assert.equal(outcome.reason, 'power: it said that the node was off, and then that it is on');
    assert.deepEqual(outcome.attempts.map(({ verdict }) => verdict), ['done', 'is on']);
  });

  test('that hangs is ended with all it has started, and has not fenced', async (t) => {
    const { hosts, outcome, first } = await off(t, 'hang', 'agent_timeout=1');
    assert.deepEqual([outcome.result, first.verdict, first.exit], ['failed', 'timed out', null]);
    assert.equal(outcome.reason, 'power: was not done after 1 s and was ended');
    const pids = hosts.lines('one', 'pids')[0]!.split(' ');
    assert.equal(pids.length, 2);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  test('that is ended by a signal has not fenced', async (t) => {
    const { outcome } = await off(t, 'shot');
    assert.equal(outcome.reason, 'power: was ended by SIGKILL');
  });

  test('that leaves a process behind is not waited for, and the process is ended', async (t) => {
    const { hosts, outcome } = await off(t, 'leave');
    assert.equal(outcome.result, 'fenced');
    assert.deepEqual(hosts.lines('one', 'left').filter(isAlive), []);
  });

  test('that prints without end is heard out, and 16 KiB of it are kept', async (t) => {
    const { outcome, first } = await off(t, 'flood');
    assert.equal(outcome.result, 'fenced');
    assert.match(first.output, /^more and more\n/);
    assert.match(first.output, /\n\(\d+ bytes more\)$/);
    assert.ok(first.output.length < 17_000, String(first.output.length));
  });

  test('that has no status is believed, and the outcome says that nobody has looked', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('one');
    const agent = hosts.agentNamed('no-status');
    const outcome = await fenceMethods(hosts.config(`device power ${agent}\nconnect power node=1 folder=FOLDER/one\n`), {}).fence(1);
    assert.deepEqual([outcome.result, outcome.isVerified], ['fenced', false]);
    assert.equal(outcome.reason, 'exit 0, by its word alone: it has no status');
    assert.deepEqual(hosts.calls('one'), ['off']);
  });

  test('that is not installed is a failed attempt with a reason, and a problem beforehand', async (t) => {
    const hosts = new Hosts(t);
    const methods = fenceMethods(hosts.config('device power fence_nobody_has\nconnect power node=1\n'), {});
    assert.deepEqual(methods.problems(), ['dlm.conf line 1, power: the fence agent /usr/sbin/fence_nobody_has is not installed']);
    const outcome = await methods.fence(1);
    assert.equal(outcome.reason, 'power: the fence agent /usr/sbin/fence_nobody_has is not installed');
  });

  test('that others may change is not run', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('one');
    chmodSync(hosts.agent, 0o775);
    const methods = fenceMethods(hosts.config('device power AGENT\nconnect power node=1 folder=FOLDER/one\n'), {});
    const [problem] = methods.problems();
    assert.match(problem!, /others than its owner may write to the fence agent/);
    assert.equal((await methods.fence(1)).result, 'failed');
    assert.deepEqual(hosts.calls('one'), []);
  });

  test('is ended when fencing is no longer wanted', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('one');
    const config = hosts.config('device power AGENT behaviour=hang\nconnect power node=1 folder=FOLDER/one\n');
    const abort = new AbortController();
    const running = fenceMethods(config, {}).fence(1, { signal: abort.signal });
    const pids = (await hosts.appearance('one', 'pids')).split(' ');
    assert.deepEqual(pids.map(isAlive), [true, true]);
    abort.abort();
    const outcome = await running;
    assert.deepEqual([outcome.result, outcome.attempts.map(({ verdict }) => verdict)], ['cancelled', ['cancelled']]);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.equal(hosts.isOn('one'), true);
  });

  test('is not started when fencing was never wanted', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('one');
    const config = hosts.config('device power AGENT\nconnect power node=1 folder=FOLDER/one\n');
    const outcome = await fenceMethods(config, {}).fence(1, { signal: AbortSignal.abort() });
    assert.deepEqual([outcome.result, outcome.attempts], ['cancelled', []]);
    assert.deepEqual(hosts.calls('one'), []);
  });
});

describe('a secret', () => {
  const secret = 'Gr8&secret\'"word';

  /** The agent says it in three ways, and once where its output is cut. */
  async function spelt(t: TestContext, line: (hosts: Hosts) => string): Promise<{ hosts: Hosts; outcome: FenceOutcome }> {
    const hosts = new Hosts(t);
    hosts.host('one');
    const config = hosts.config(`device power AGENT behaviour=spell ${line(hosts)}\nconnect power node=1 folder=FOLDER/one\n`);
    assert.ok(![JSON.stringify(config), inspect(config, { depth: 9 })].some((text) => text.includes('Gr8')), 'the configuration tells it');
    return { hosts, outcome: await fenceMethods(config, {}).fence(1) };
  }

  function assertUntold({ hosts, outcome }: { hosts: Hosts; outcome: FenceOutcome }): void {
    const base64 = Buffer.from(secret).toString('base64');
    const told = [...hosts.lines('one', 'cmdline'), ...hosts.lines('one', 'environ'), JSON.stringify(outcome), inspect(outcome, { depth: 9 })];
    assert.deepEqual(told.filter((text) => text.includes('Gr8') || text.includes(base64)), []);
    assert.equal(outcome.result, 'fenced');
    assert.match(outcome.attempts[0]!.output, /^logged in with \*\*\*\n/);
  }

  test('is in no argument, no variable, no output and no record', async (t) => {
    const spelling = await spelt(t, () => `passwd=${secret}`);
    assertUntold(spelling);
    assert.equal(spelling.hosts.lines('one', 'cmdline').at(-1), spelling.hosts.agent);
    assert.deepEqual(spelling.hosts.lines('one', 'environ').map((word) => word.split('=')[0]).sort(), ['HOME', 'LC_ALL', 'PATH']);
  });

  test('is not in the reason either, which is one short line', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('one');
    const config = hosts.config(`device power AGENT behaviour=betray passwd=${secret}\nconnect power node=1 folder=FOLDER/one\n`);
    const { reason } = await fenceMethods(config, {}).fence(1);
    assert.match(reason, /^power: exit 1: no login as \*\*\*: \[2J 0+…$/);
    assert.ok(reason.length < 150);
  });

  test('may come from a file that nobody else can read', async (t) => {
    assertUntold(
      await spelt(t, ({ folder }) => {
        writeFileSync(join(folder, 'secret'), `${secret}\nanother line\n`, { mode: 0o600 });
        return 'passwd_file=FOLDER/secret';
      }),
    );
  });

  test('may come from a program', async (t) => {
    assertUntold(
      await spelt(t, ({ folder }) => {
        writeFileSync(join(folder, 'tell'), `#!/bin/sh\ncat <<'END'\n${secret}\nEND\n`, { mode: 0o700 });
        return 'passwd_script=FOLDER/tell';
      }),
    );
  });

  test('in a file that others can read is refused', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('one');
    writeFileSync(join(hosts.folder, 'secret'), secret, { mode: 0o644 });
    const methods = fenceMethods(hosts.config('device power AGENT\nconnect power node=1 folder=FOLDER/one passwd_file=FOLDER/secret\n'), {});
    assert.match(methods.problems()[0]!, /holds a secret, and others than its owner may read it$/);
    const outcome = await methods.fence(1);
    assert.equal(outcome.result, 'failed');
    assert.ok(!JSON.stringify(outcome).includes('Gr8'));
    assert.deepEqual(hosts.calls('one'), []);
  });

  test('that a program does not tell is a failed attempt, and what it printed is not repeated', async (t) => {
    const hosts = new Hosts(t);
    hosts.host('one');
    writeFileSync(join(hosts.folder, 'tell'), `#!/bin/sh\necho '${secret.replaceAll("'", '')}'\nexit 3\n`, { mode: 0o700 });
    const outcome = await fenceMethods(hosts.config('device power AGENT passwd_script=FOLDER/tell\nconnect power node=1 folder=FOLDER/one\n'), {}).fence(1);
    assert.equal(outcome.reason, `power: the program of passwd_script, ${hosts.folder}/tell, exit 3`);
    assert.ok(!JSON.stringify(outcome).includes('Gr8'));
  });
});

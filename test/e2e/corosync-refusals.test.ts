/**
 * A node that cannot join on corosync says why, and what to do: no libraries, no daemon,
 * no permission, another number, no quorum.
 */
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exitOf } from '../kill/processes.js';
import { scriptWords } from '../script.js';
import { patient } from './corosync-kind.js';
import { Hosts } from './hosts.js';

const script = fileURLToPath(new URL('join-once.ts', import.meta.url));
const program = [process.execPath, ...scriptWords(script)];
const hosts = new Hosts({ after }, { nodes: [7, 8], tokenMillis: patient.tokenMillis });
const [well, alone] = hosts.all as [Hosts['all'][0], Hosts['all'][0]];

async function answer(host: Hosts['all'][0], ...command: readonly string[]): Promise<Record<string, unknown>> {
  const child = host.spawn(command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await Promise.all([text(child.stdout!), exitOf(child)]);
  return JSON.parse(said) as Record<string, unknown>;
}

describe('a node that cannot join on corosync', () => {
  it('without a daemon: it is to be started', async () => {
    const { code, message, hint } = await answer(alone, ...program, 'c');
    assert.deepEqual([code, hint], ['DLM_START_FAILED', 'start it, and see corosync-quorumtool -s']);
    assert.match(String(message), /corosync does not answer on this host/);
  });

  it('without a library: the packages are named', async () => {
    const hide = 'for library in /usr/lib/*/libquorum.so.5; do mount --bind /dev/null "$library"; done; exec "$@"';
    const { code, message, hint } = await answer(alone, 'sh', '-c', hide, 'sh', ...program, 'c');
    assert.equal(code, 'DLM_START_FAILED');
    assert.match(String(message), /a library of corosync, libquorum\.so\.5, cannot be loaded/);
    assert.match(String(hint), /apt install corosync libcpg4 libquorum5 libcmap4/);
  });
});

describe('a node on corosync', () => {
  before(() => hosts.startCorosync());

  it('joins, leaves, and knows the list and how long it may act', async () => {
    const { node, list, budget } = await answer(well, ...program, 'c');
    assert.equal(node, 7);
    assert.deepEqual(list, [
      { node: 7, name: 'h1', address: '10.77.0.1' },
      { node: 8, name: 'h2', address: '10.77.0.2' },
    ]);
    assert.deepEqual(budget, { heartbeatMillis: 500, stopMillis: 4_200, regrantMillis: 5_700 });
  });

  it('cannot have another number than its host', async () => {
    const { code, message } = await answer(well, ...program, 'c', '9');
    assert.equal(code, 'DLM_USAGE');
    assert.match(String(message), /node 9 cannot run on this host: its number in corosync\.conf is 7/);
  });

  it('is not let in as another user', async () => {
    const { code, hint } = await answer(well, 'setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', ...program, 'c');
    assert.deepEqual([code, hint], ['DLM_NOT_PERMITTED', 'run as root, or allow the user in /etc/corosync/uidgid.d']);
  });

  it('without quorum says that it waits for it', async () => {
    await alone.killCorosync();
    await well.becomes('not quorate', ({ isQuorate, nodes }) => !isQuorate && nodes.length === 1);
    const { code, message } = await answer(well, ...program, 'c');
    assert.equal(code, 'DLM_NO_NODE');
    assert.match(String(message), /cannot become a member: it waits for quorum/);
  });
});

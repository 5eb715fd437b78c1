/**
 * A member is stopped for so long that what waits for it is more than may: it is dropped,
 * everybody who waits is told, and the stopped one ends its life when it goes on, with the
 * commands it protects. Then the others get what they wait for.
 *
 * The node that has too much to say is in this process, for its limit is a small one.
 */
import assert from 'node:assert/strict';
import { serveNode } from '../../src/core/index.js';
import { test } from '../kill/bounded.js';
import { isRunning, signalAll, until } from '../kill/processes.js';
import { Fleet, isRunningWith } from './fleet.js';

const timedOutExit = 81;
const lostExit = 84;
/** Asked for at once: little enough for those who listen. */
const some = 100;

// Of two nodes the one with the greater number dials, so that the news takes two ways.
for (const [full, stopped] of [[1, 3], [3, 1]] as const) {
  test(`node ${stopped} is stopped, and node ${full} has more for it than may wait`, async (test) => {
    const fleet = await Fleet.of([2, stopped]);
    test.after(() => fleet.clear());
    const log: string[] = [];
    const cluster = { cluster: 'demo', base: fleet.clusters, node: full, name: `n${full}`, backlogBytesMax: 32_768 };
    const served = await serveNode({ dir: fleet.place(full), cluster, log: (line) => void log.push(line) });
    test.after(() => served.leave({ force: true }).catch(() => undefined));
    const space = await served.client.lockspace();
    const guard = fleet.at(stopped, 'lock', 'mine', '-q', '--', 'sh', '-c', `echo $$ > ${fleet.folder}/pid-mine; exec sleep 1000`);
    const child = await fleet.pidOf('mine');
    await fleet.sayAt(2, 'lock', 'x', '-q', '--', 'true');
    await fleet.until([1, 2, 3], 'all lock', isRunningWith(1, 2, 3));

    const pid = fleet.pidAt(stopped);
    signalAll([pid], 'SIGSTOP');
    const asked: Promise<unknown>[] = [];
    await until('it is too much', async () => {
      for (let count = 0; count < some; count += 1) asked.push(space.lock(`name ${asked.length}`, { mode: 'EX' }));
      const { cluster } = await served.client.status();
      return cluster!.members.some(({ node, link }) => node === stopped && link === 'overfull');
    });
    assert.equal(log.filter((line) => line.includes('leaves too much unacknowledged')).length, 1);
    const status = await fleet.sayAt(full, 'node', 'status');
    assert.match(status, new RegExp(`LOST +what was sent to node ${stopped}: `));
    const waiter = fleet.at(full, 'lock', 'mine', '-w', '1.5', '--', 'true');
    assert.equal(await waiter.exit, timedOutExit);
    assert.match(waiter.said(), new RegExp(`node ${stopped} \\(n${stopped}\\) has taken no messages for too long: it must come back as another life`));
    assert.ok(isRunning(child), 'it may go on, for nobody is granted what it uses');

    signalAll([pid], 'SIGCONT');
    assert.equal(await guard.exit, lostExit);
    await until('the node has ended', () => !isRunning(pid));
    assert.equal(isRunning(child), false);
    assert.match(fleet.log(stopped), new RegExp(`it is out of the cluster: node ${full} has dropped messages for this node`));
    await Promise.all(asked);
    await fleet.sayAt(2, 'lock', 'mine', '-q', '--', 'true');
    await fleet.join(stopped);
    await fleet.until([1, 2, 3], 'all lock again', isRunningWith(1, 2, 3));
  });
}

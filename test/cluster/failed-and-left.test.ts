/**
 * An application dies, and at once its node leaves the cluster in good order: what the
 * application has left behind must be put in order all the same. An engine tells only how
 * things are in the end, and then nothing would be left to say that a join had failed.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ClusterOptions } from '../../src/core/index.js';
import { Cluster } from '../../src/core/host/cluster.js';
import { Host } from '../../src/core/host/host.js';
import { nodePlaces, prepareFolder } from '../../src/core/host/places.js';
import { nextLife } from '../../src/core/host/state-file.js';
import { defaultConfig } from '../../src/core/node/snapshot.js';
import type { PendingSlot } from '../../src/core/wire/message.js';
import { scratch, silent } from '../host/scratch.js';
import { until } from '../kill/processes.js';

const lockspace = 'store';

interface Member {
  readonly cluster: Cluster;
  readonly host: Host;
}

async function memberOf(test: TestContext, options: ClusterOptions): Promise<Member> {
  const places = nodePlaces(scratch(test));
  prepareFolder(places.state, places.scope);
  prepareFolder(places.run, places.scope);
  const life = await nextLife(places);
  const cluster = await Cluster.join(options, places, life, silent);
  const host = new Host(cluster.node, life, cluster);
  await cluster.begin(host, silent);
  host.turn({ kind: 'joinLockspace', lockspace, config: { ...defaultConfig, order: 'gfs' }, application: { suspendMillis: 60_000 } });
  return { cluster, host };
}

const pendingAt = ({ host }: Member): readonly PendingSlot[] => host.node.stack(lockspace)!.aftermath.work.pending;
const isOpenAt = ({ host }: Member): boolean => host.node.stack(lockspace)!.aftermath.gate.isOpen;

test('what an application has left that died is to be put in order, though its node leaves in good order right after', async (test) => {
  const options = { cluster: 'web', base: scratch(test) };
  const stays = await memberOf(test, { ...options, node: 1, name: 'n1' });
  await until('it is asked to look at all slots', () => pendingAt(stays).length > 0);
  const { slot, since } = pendingAt(stays)[0]!;
  await until('it may begin', () => stays.host.node.stack(lockspace)!.aftermath.work.running !== null);
  stays.host.turn({ kind: 'slotRecovered', lockspace, slot, since, isDone: true });
  const leaves = await memberOf(test, { ...options, node: 2, name: 'n2' });
  await until('both have resumed', () => isOpenAt(stays) && isOpenAt(leaves));

  leaves.host.turn({ kind: 'leaveLockspace', lockspace, force: true, isFailed: true });
  leaves.host.close();
  await leaves.cluster.leave();

  await until('it is alone', () => stays.cluster.view!.members.length === 1);
  assert.deepEqual(stays.cluster.view!.leftCleanly, [2]);
  assert.deepEqual(pendingAt(stays).map(({ victim }) => victim), [2]);
  assert.equal(isOpenAt(stays), false);
  stays.host.close();
  await stays.cluster.leave();
});

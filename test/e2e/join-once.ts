/**
 * Joins a cluster on the corosync of this host, says how that went, and ends:
 *
 *     join-once.ts CLUSTER [NUMBER]
 */
import { incarnation, nodeId } from '../../src/core/base/ids.js';
import { corosyncEngine } from '../../src/core/host/engine/corosync.js';
import { nodesOfCorosync } from '../../src/core/host/engine/corosync-settings.js';

const [, , cluster = '', number] = process.argv;
const candidate = { name: 'once', incarnation: incarnation(1), address: '', weight: 0 };

async function joinOnce(): Promise<object> {
  try {
    const engine = corosyncEngine({ cluster, joinMillis: 10_000 });
    const node = await engine.join({ ...candidate, node: number === undefined ? 'auto' : nodeId(Number(number)) });
    await engine.leave();
    return { node, list: nodesOfCorosync(), budget: engine.budget };
  } catch (error) {
    const { code, message, hint } = error as { code?: string; message: string; hint?: string };
    return { code, message, hint };
  }
}

void joinOnce().then((answer) => process.stdout.write(JSON.stringify(answer)));

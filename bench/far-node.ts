/**
 * The other process of bench/remote.ts: a node that is master of the names, and a bare
 * socket that sends back what it is sent. It takes orders from its parent and does nothing
 * by itself.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { serveNode, type LockHandle, type LockspaceClient } from '../src/core/index.js';

export interface Opening {
  readonly dir: string;
  readonly base: string;
  readonly port: number;
}

export type Order = { readonly verb: 'open'; readonly opening: Opening } | { readonly verb: 'take'; readonly names: readonly string[] } | { readonly verb: 'close' };

async function open({ dir, base, port }: Opening): Promise<{ space: LockspaceClient; close: () => Promise<void> }> {
  const node = await serveNode({ dir, cluster: { cluster: 'bench', base, node: 1, listen: `tcp:127.0.0.1:${port}` }, log: () => undefined });
  return { space: await node.client.lockspace('bench'), close: () => node.leave({ force: true }) };
}

async function openEcho(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => socket.on('data', (chunk) => socket.write(chunk)).on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return (server.address() as AddressInfo).port;
}

/** Be master of these: lock each once. Whoever locked it first stays master while it is used. */
async function take(space: LockspaceClient, names: readonly string[]): Promise<void> {
  const handles: LockHandle[] = [];
  for (const name of names) handles.push(await space.lock(name, { mode: 'NL' }));
  for (const handle of handles) await handle.unlock();
}

async function obey(): Promise<void> {
  let node: Awaited<ReturnType<typeof open>> | null = null;
  for (;;) {
    const [order] = (await once(process, 'message')) as [Order];
    if (order.verb === 'open') {
      node = await open(order.opening);
      process.send!(await openEcho());
    } else if (order.verb === 'take') {
      await take(node!.space, order.names);
      process.send!(0);
    } else {
      await node?.close();
      process.exit(0);
    }
  }
}

if (process.send !== undefined) await obey();

/**
 * Ports on which nobody listens, for servers that a test starts.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that the kernel gives to connections, which might be given away again before anybody listens there. */
const from = 20_000;
const to = 32_000;

/** So many, all different; they may be taken until they are used. */
export async function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const free = new Set<number>();
  while (free.size < count) {
    const port = randomInt(from, to);
    if (await isFree(port, host)) free.add(port);
  }
  return [...free];
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  const isOurs = await once(server, 'listening').then(() => true, () => false);
  if (isOurs) await new Promise((closed) => server.close(closed));
  return isOurs;
}

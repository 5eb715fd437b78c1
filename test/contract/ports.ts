/**
 * The two ways to reach a node, for tests that must hold for both: inside this
 * process, and through the socket.
 */
import type { TestContext } from 'node:test';
import { attach, openNode, serveNode, type NodeClient, type ServedNode } from '../../src/core/index.js';
import { scratch, silent } from '../host/scratch.js';

export interface Way {
  readonly name: string;
  /** A node, and as many clients of it as asked for. All of it is gone after the test. */
  readonly reach: (test: TestContext) => Promise<NodeClient>;
  /** Can there be several clients? */
  readonly isShared: boolean;
}

export const ways: readonly Way[] = [
  {
    name: 'a node in this process',
    isShared: false,
    reach: async (test) => {
      const client = await openNode({ dir: scratch(test) });
      test.after(() => client.close());
      return client;
    },
  },
  {
    name: 'a node behind its socket',
    isShared: true,
    reach: async (test) => (await served(test)).client,
  },
  {
    name: 'a node that this process serves to others',
    isShared: true,
    reach: async (test) => {
      const dir = scratch(test);
      const node = await serveNode({ dir, log: silent });
      test.after(() => node.leave({ force: true }));
      return node.client;
    },
  },
];

/** A node of this process behind a socket, and one client of it. */
export async function served(test: TestContext): Promise<{ dir: string; client: NodeClient; node: ServedNode; another(): Promise<NodeClient> }> {
  const dir = scratch(test);
  const node = await serveNode({ dir, log: silent });
  test.after(() => node.leave({ force: true }));
  const another = async (): Promise<NodeClient> => {
    const client = await attach({ dir });
    test.after(() => client.close());
    return client;
  };
  return { dir, client: await another(), node, another };
}

/** The code of the error that a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no error';
}

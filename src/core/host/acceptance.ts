/**
 * Does anybody in the cluster have our key?
 *
 * An engine knows nothing of keys, so that a node with the wrong one becomes a member
 * like any other. Its links never come up, and whoever has to hear of it waits: every
 * lockspace that it joins stands still. So a node that has just become a member looks
 * for a moment whether somebody is linked with it, before it serves anybody and joins a
 * lockspace.
 *
 *   somebody is, or there is nobody beside us      it stays
 *   nobody is, and nobody refuses us either        it stays: they may be stopped, or out of reach
 *   nobody is, and somebody refuses our handshake  it gives up after a few seconds; so it does where somebody is
 *                                                  beyond this machine, and it has no key to go there with
 *
 * One link is enough: that a node is refused by some only, as in the middle of a change of
 * keys, is told by the status of all. Sockets of this machine know no keys, and whoever is
 * reached by them only is not looked for.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DlmError } from '../base/errors.js';
import { parseNodeAddress } from './node-address.js';
import type { LinkStatus } from './transport.js';

const lookMillis = 10;
/** How long those who may have our key may take to say so, where others refuse us. They dial once a second at least. */
const refusalMillis = 3_000;
/** The same where nobody says anything. */
const silenceMillis = 2_000;

type SeenLink = Pick<LinkStatus, 'node' | 'address' | 'isConnected' | 'hasOtherKey'>;

export interface Newcomer {
  /** As they are now, one for each member beside us. */
  readonly links: () => readonly SeenLink[];
  readonly hasKey?: boolean;
  /** Nobody wants it to become a member any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Rejects with `DLM_CONFIG_INVALID`, and with `DLM_CANCELLED` if it was called off. */
export async function awaitAcceptance({ links, hasKey = true, signal }: Newcomer): Promise<void> {
  const began = performance.now();
  for (;;) {
    if (signal?.aborted === true) throw new DlmError('DLM_CANCELLED', 'the node was told to stop before it served anybody, so it has left again', 'join again when it is to be a member after all');
    const all = links();
    const others = all.filter(({ address }) => parseNodeAddress(address).kind === 'tcp');
    if (others.length === 0 || all.some(({ isConnected }) => isConnected)) return;
    const refusing = others.filter(({ hasOtherKey }) => hasOtherKey).map(({ node }) => node);
    const passed = performance.now() - began;
    if (refusing.length === 0 && passed >= silenceMillis) return;
    if (passed >= refusalMillis) throw notAccepted(refusing, hasKey);
    await pause(lookMillis);
  }
}

function notAccepted(refusing: readonly number[], hasKey: boolean): DlmError {
  const who = [...refusing].sort((one, other) => one - other).join(', ');
  return new DlmError(
    'DLM_CONFIG_INVALID',
    `no member accepts ${hasKey ? 'the key of this node' : 'this node without a key'}: the handshake with node ${who} is refused, so it has left again`,
    `give all nodes of the cluster the same key with --key-file${hasKey ? '' : ', or all of them --insecure'}, and join again`,
  );
}

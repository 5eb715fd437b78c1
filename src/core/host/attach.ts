/**
 * Reach the node of this machine, and start one if there is none and that is
 * wanted.
 *
 * The node for everybody wins over one of our own. One that is there but not for
 * us is an error, never a reason to take another: two nodes would each grant what
 * only one may.
 */
import type { Duplex } from 'node:stream';
import { DlmError } from '../base/errors.js';
import { firstAnswer, ourselves } from './first-answer.js';
import { NodeClient } from './node-client.js';
import { placesToTry } from './places.js';
import { SessionPort } from './session-client.js';
import { protocolVersion } from './session-protocol.js';
import type { HolderInfo } from './types.js';

export interface AttachOptions {
  /** One folder that holds everything of a node; DLM_DIR or the places of this user if not given. */
  readonly dir?: string;
  /** Start a node if none answers. False if not given. */
  readonly start?: boolean;
  /** How we are shown to those who wait for our locks. */
  readonly holder?: HolderInfo;
  /** A lockspace to join on the way, which saves an exchange where it will be used. */
  readonly lockspace?: string;
  /** How long a node that is there may say nothing, in milliseconds, if that is to be less than usual: `DLM_NO_NODE`. */
  readonly answerTimeout?: number;
  /** Told, in words for people, when a node is started. */
  readonly onStart?: (words: string) => void;
  /** How long a node that is started may take to answer, in milliseconds. */
  readonly startTimeout?: number;
}

/** Rejects with `DLM_NO_NODE`, `DLM_NOT_PERMITTED`, `DLM_START_REFUSED` or `DLM_START_FAILED`. */
export async function attachTo(options: AttachOptions): Promise<NodeClient> {
  const places = placesToTry(options.dir);
  const holder = options.holder ?? ourselves();
  const found = await firstAnswer(places, holder, options.lockspace, options.answerTimeout);
  if (found !== null) return new NodeClient(found);
  if (options.start !== true) {
    const { hintWithoutNode } = await import('./clustered.js');
    throw new DlmError('DLM_NO_NODE', `no node answers on ${places.map(({ socket }) => socket).join(' or ')}`, hintWithoutNode(places));
  }
  const { startAndAttach } = await import('./start.js');
  return startAndAttach(places, holder, options);
}

/** A session as a stream of lines: what it began with, and the connection. Rejects as `attachTo`. */
export async function openStream(options: AttachOptions): Promise<{ welcome: string; connection: Duplex }> {
  const { port } = await attachTo(options);
  if (!(port instanceof SessionPort)) throw new DlmError('DLM_INTERNAL', 'a node was reached without a connection');
  const { node, incarnation } = port;
  return { welcome: JSON.stringify({ event: 'welcome', version: protocolVersion, node, incarnation }), connection: port.handOver() };
}

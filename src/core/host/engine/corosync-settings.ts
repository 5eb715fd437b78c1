/**
 * What a cluster on corosync is set up with, as the daemon on this host has it in its
 * map of settings: how long it takes to notice, and how the nodes are called.
 */
import { withSettings } from './corosync-library.js';
import { isCount } from './registrar-protocol.js';

/** Of the protocol of corosync's ring, in milliseconds. */
export interface RingTimes {
  /** A lost token is noticed. */
  readonly token: number;
  /** Then the members of a new ring are agreed upon. */
  readonly consensus: number;
}

const tokenDefault = 1_000;

/** Throws `DLM_START_FAILED`, `DLM_NOT_PERMITTED`. */
export function ringTimes(): RingTimes {
  return withSettings(({ count }) => {
    const token = count('runtime.config.totem.token') ?? tokenDefault;
    return { token, consensus: count('runtime.config.totem.consensus') ?? 1.2 * token };
  });
}

export interface CorosyncNode {
  readonly node: number;
  readonly name: string | null;
  readonly address: string | null;
}

/** The nodes in the list of corosync.conf. Throws `DLM_START_FAILED`, `DLM_NOT_PERMITTED`. */
export function nodesOfCorosync(): CorosyncNode[] {
  return withSettings(({ text, count }) => {
    const nodes: CorosyncNode[] = [];
    for (let at = 0; ; at += 1) {
      const node = count(`nodelist.node.${at}.nodeid`);
      if (!isCount(node, 1, 0xffff_ffff)) return nodes;
      nodes.push({ node, name: text(`nodelist.node.${at}.name`), address: text(`nodelist.node.${at}.ring0_addr`) });
    }
  });
}

/** This machine, in that list; null: it is not there, or has no address. Throws as `nodesOfCorosync`. */
export function ownNodeOfCorosync(): CorosyncNode | null {
  const at = withSettings(({ count }) => count('nodelist.local_node_pos'));
  return at === null ? null : (nodesOfCorosync()[at] ?? null);
}

/**
 * May a newcomer become a member of a cluster on corosync, beside those who are?
 *
 * The leader asks, for one after another in the order of their numbers. The number of a
 * node is corosync's, so a second process on a host has a number that is taken.
 */
import type { ErrorCode } from '../../base/errors.js';
import { membersMax, protocolVersion, type Enlisted, type Entry, type Refusal, type Stand } from './corosync-protocol.js';

/** How many numbers are remembered with their incarnations. */
const rememberedMax = 256;

export class Admission {
  readonly #members: readonly Enlisted[];
  readonly #incarnations: ReadonlyMap<number, number>;
  readonly admitted: Enlisted[] = [];

  constructor(members: readonly Enlisted[], incarnations: Entry['incarnations']) {
    this.#members = members;
    this.#incarnations = new Map(incarnations);
  }

  /** Let it in, or say why not. */
  consider(newcomer: Stand, epoch: string): Refusal[] {
    const why = this.#against(newcomer);
    if (why === null) this.admitted.push(enlisted(newcomer));
    return why === null ? [] : [{ say: 'refuse', epoch, life: newcomer.life, ...why }];
  }

  /** The incarnations after these were let in. */
  static remembered(before: Entry['incarnations'], admitted: readonly Enlisted[]): Entry['incarnations'] {
    const latest = admitted.map(({ node, incarnation }) => [node, incarnation] as const);
    const nodes = new Set(latest.map(([node]) => node));
    return [...latest, ...before.filter(([node]) => !nodes.has(node))].slice(0, rememberedMax);
  }

  #against({ node, name, incarnation, version }: Stand): { code: ErrorCode; message: string; hint: string } | null {
    if (version !== protocolVersion) {
      return {
        code: 'DLM_PROTOCOL',
        message: `members of this cluster speak version ${protocolVersion} of the protocol on corosync, and node ${node} speaks version ${version}`,
        hint: 'run the same version of dlm on all nodes of the cluster',
      };
    }
    const all = [...this.#members, ...this.admitted];
    for (const member of all) {
      if (member.node === node) return taken(`the number ${node}`, member);
      if (member.name === name) return taken(`the name ${name}`, member);
    }
    if (all.length >= membersMax) {
      return { code: 'DLM_TOO_MANY', message: `the cluster has ${membersMax} members already`, hint: 'let one of them leave first' };
    }
    const earlier = this.#incarnations.get(node) ?? 0;
    if (incarnation > earlier) return null;
    return {
      code: 'DLM_STATE_UNUSABLE',
      message: `node ${node} was here before as incarnation ${earlier}, and now comes as ${incarnation}: others would take it for the earlier one`,
      hint: 'join from the folder it was started in before; or see whether the clock was set back',
    };
  }
}

function taken(what: string, { name, node, pid }: Enlisted): { code: ErrorCode; message: string; hint: string } {
  return {
    code: 'DLM_NODE_EXISTS',
    message: `${what} is taken: node ${node} (${name}) is a member, process ${pid} there`,
    hint: 'a host has one node of a cluster, and every node its own name; a member counts as one until it has left or must have stopped',
  };
}

function enlisted({ node, pid, life, incarnation, name, address, weight, lockspaces, stopMillis }: Stand): Enlisted {
  return { node, pid, life, incarnation, name, address, weight, lockspaces, stopMillis };
}

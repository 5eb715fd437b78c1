/**
 * Who shares a lockspace, in one view; and whose part of the directory a name is.
 *
 * Made anew with every change, by the same rule on every member, so that all agree.
 *
 * Kin: member.c make_member_array(); dir.c dlm_hash2nodeid().
 */
import { codeAt } from '../base/code-at.js';
import { viewId, type NodeId, type ViewId } from '../base/ids.js';

export interface Participant {
  readonly node: NodeId;
  /** The view in which it came; messages from before are not of its present life here. */
  readonly since: ViewId;
  /** Its share of the directory; if all have 0, all count as 1. */
  readonly weight: number;
}

/** Whose part of the directory a name shall be in that view; null: whose its number says. The same on every member. */
export type Placement = (name: string, seq: ViewId) => NodeId | null;

export class Members {
  /** In the order of their numbers. */
  readonly nodes: readonly NodeId[];
  readonly #since: ReadonlyMap<NodeId, ViewId>;
  readonly #ownSince: ViewId;
  /** Those that have a share of the directory, and where the share of each ends, if they differ; one may be a thousand million. */
  readonly #holders: readonly NodeId[];
  readonly #ends: readonly number[];

  constructor(
    readonly self: NodeId,
    readonly seq: ViewId,
    participants: readonly Participant[],
    readonly placement: Placement | null = null,
  ) {
    this.nodes = participants.map(({ node }) => node);
    this.#since = new Map(participants.map(({ node, since }) => [node, since]));
    this.#ownSince = this.#since.get(self)!;
    const isWeighted = participants.some(({ weight }) => weight > 0);
    const holders = isWeighted ? participants.filter(({ weight }) => weight > 0) : participants;
    let end = 0;
    this.#holders = holders.map(({ node }) => node);
    this.#ends = isWeighted ? holders.map(({ weight }) => (end += weight)) : [];
  }

  get isAlone(): boolean {
    return this.nodes.length === 1;
  }

  has(node: NodeId): boolean {
    return this.#since.has(node);
  }

  /** Who collects the reports of a recovery. */
  get coordinator(): NodeId {
    return this.nodes[0]!;
  }

  /** Does a message of that age belong to the present life, in this lockspace, of both its ends? */
  isOfNow(from: NodeId, seq: ViewId): boolean {
    const since = this.#since.get(from);
    return since !== undefined && seq >= since && seq >= this.#ownSince;
  }

  directoryOf(name: string): NodeId {
    if (this.#holders.length === 1) return this.#holders[0]!;
    const placed = this.placement?.(name, this.seq) ?? null;
    if (placed !== null && this.has(placed)) return placed;
    const draw = hash(name) >>> 8;
    const total = this.#ends.at(-1);
    if (total === undefined) return this.#holders[draw % this.#holders.length]!;
    const point = total <= drawEnd ? draw % total : Math.floor((draw / drawEnd) * total);
    return this.#holders[this.#ends.findIndex((end) => point < end)]!;
  }
}

/** So many different places a name can be drawn to. */
const drawEnd = 2 ** 24;

/** The only member, for ever: a node without a cluster. */
export function alone(self: NodeId): Members {
  return new Members(self, viewId(0), [{ node: self, since: viewId(0), weight: 0 }]);
}

/** A number of 32 bits made of a name, the same everywhere (FNV-1a, then mixed). */
export function hash(name: string): number {
  let value = 0x811c9dc5;
  const { length } = name;
  for (let place = 0; place < length; place += 1) value = Math.imul(value ^ codeAt(name, place), 0x01000193);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 12)) >>> 0;
}

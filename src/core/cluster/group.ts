/**
 * The members of one lockspace, as the views tell of them: what has changed, and who
 * is gone.
 *
 * A member that came back, as another life of its node or by joining the lockspace
 * again, is gone and new at once. Every member of the lockspace is given the same
 * views, so that all see the same changes, each under the same number.
 */
import type { Incarnation, NodeId, ViewId } from '../base/ids.js';
import type { View } from './view.js';

/** One member of the lockspace, in one of its lives there. */
export interface GroupMember {
  readonly node: NodeId;
  readonly incarnation: Incarnation;
  readonly join: number;
  readonly weight: number;
  /** The view in which it came. */
  readonly since: ViewId;
}

/** What a view changed. */
export interface GroupChange {
  readonly members: readonly GroupMember[];
  readonly departed: ReadonlySet<NodeId>;
  /** Of these, who has not left in good order. */
  readonly failed: ReadonlySet<NodeId>;
}

export class Group {
  #members: readonly GroupMember[] = [];

  constructor(
    readonly lockspace: string,
    readonly self: NodeId,
    /** Which of our joins it is; a view that shows an earlier one is not about us. */
    readonly ownJoin: number,
  ) {}

  get members(): readonly GroupMember[] {
    return this.#members;
  }

  get hasUs(): boolean {
    return this.#members.some(({ node }) => node === this.self);
  }

  /** Take over a view. Null: nothing has changed here. */
  follow(view: View): GroupChange | null {
    const before = new Map(this.#members.map((member) => [member.node, member]));
    const members: GroupMember[] = [];
    for (const { node, incarnation, weight, lockspaces } of view.members) {
      const join = lockspaces.get(this.lockspace);
      if (join === undefined || join < 0 || (node === this.self && join !== this.ownJoin)) continue;
      const known = before.get(node);
      const isSame = known?.incarnation === incarnation && known.join === join;
      members.push({ node, incarnation, join, weight, since: isSame ? known.since : view.id });
    }
    const stayed = new Set(members.filter(({ since }) => since < view.id).map(({ node }) => node));
    const departed = new Set([...before.keys()].filter((node) => !stayed.has(node)));
    if (departed.size === 0 && stayed.size === members.length) return null;
    this.#members = members;
    const failed = new Set([...departed].filter((node) => this.#hasFailed(view, before.get(node)!)));
    return { members, departed, failed };
  }

  /** Its node has, or it has left the lockspace as failed while its node lives on. */
  #hasFailed(view: View, { node, incarnation, join }: GroupMember): boolean {
    const present = view.members.find((member) => member.node === node && member.incarnation === incarnation);
    return present === undefined ? !view.leftCleanly.includes(node) : present.lockspaces.get(this.lockspace) === -join;
  }
}

/**
 * The roll: who is a member of a cluster on one machine, and what its next view is.
 *
 * The registrar keeps it and asks it. It decides who may enter and under which
 * number, and makes of everything that has happened the next entry, or none. It
 * touches no socket, no file, no process and no clock: whether a process lives is
 * told to it.
 */
import { DlmError } from '../../base/errors.js';
import { incarnation, nodeId, viewId } from '../../base/ids.js';
import type { ProcessId } from '../process-facts.js';
import type { Member, View } from './engine.js';

/** A member, with what only the engine must know: by what to find out whether it lives. */
export interface Enrolled extends ProcessId {
  readonly node: number;
  readonly incarnation: number;
  readonly name: string;
  readonly address: string;
  readonly weight: number;
  /** Name, and which join it is; in the order of the names. */
  readonly lockspaces: readonly (readonly [string, number])[];
  /** Tells this joining from any other, also of the same process. */
  readonly life: string;
}

/** A view as it is written down and sent. */
export interface Entry {
  readonly id: number;
  readonly members: readonly Enrolled[];
  readonly leftCleanly: readonly number[];
}

/** Who wants to become a member; `node` null: any number, the lowest that is free. */
export type Applicant = Omit<Enrolled, 'node'> & { readonly node: number | null };

/** Numbers whose last members went otherwise than in good order and may still act, each with the name of that one; the latest last. */
export type Failed = readonly (readonly [number, string])[];

/** What has happened since the last entry; lives, and for announcements what they announce. */
export interface Changes {
  readonly gone: ReadonlySet<string>;
  readonly leaving: ReadonlySet<string>;
  readonly announced: ReadonlyMap<string, Enrolled['lockspaces']>;
}

export const membersMax = 128;
/** How many numbers are remembered with their incarnations. */
const rememberedMax = 1_024;
/** How many numbers are withheld. */
const failedMax = 256;

export class Roll {
  #last: Entry;
  /** The greatest incarnation of each number that was ever seen. */
  readonly #incarnations: Map<number, number>;
  readonly #failed: Map<number, string> | null;

  /** `failed`: null if whoever is gone has ended, for all that its engine can say. */
  constructor(last: Entry, incarnations: Iterable<readonly [number, number]>, failed: Failed | null = null) {
    this.#last = last;
    this.#incarnations = new Map(incarnations);
    this.#failed = failed === null ? null : new Map(failed);
    this.#remember(last);
  }

  get last(): Entry {
    return this.#last;
  }

  /** The greatest incarnation of each number, of those that were used last. */
  get incarnations(): readonly (readonly [number, number])[] {
    return Array.from(this.#incarnations)
      .sort(([, a], [, b]) => b - a)
      .slice(0, rememberedMax);
  }

  get failed(): Failed {
    return [...(this.#failed ?? [])].slice(-failedMax);
  }

  memberOf(life: string): Enrolled | null {
    return this.#last.members.find((member) => member.life === life) ?? null;
  }

  /** Who has the number or the name that is wanted? */
  holderOf({ node, name }: Pick<Applicant, 'node' | 'name'>): Enrolled | null {
    return this.#last.members.find((member) => member.node === node || member.name === name) ?? null;
  }

  /** The entry after those who are gone or leave, and with what was announced; null if nothing changes. */
  afterChanges({ gone, leaving, announced }: Changes): Entry | null {
    const stay = this.#last.members.filter(({ life }) => !gone.has(life) && !leaving.has(life));
    const members = stay.map((member) => {
      const lockspaces = announced.get(member.life);
      return lockspaces === undefined || sameLockspaces(lockspaces, member.lockspaces) ? member : { ...member, lockspaces };
    });
    const isSame = members.length === this.#last.members.length && members.every((member, at) => member === this.#last.members[at]);
    if (isSame) return null;
    const left = this.#last.members.filter(({ life }) => leaving.has(life));
    return { id: this.#last.id + 1, members, leftCleanly: left.map(({ node }) => node) };
  }

  /** Who becomes a member with whom it enters. Throws why it cannot. */
  enrolled(applicant: Applicant, entering: readonly Enrolled[] = []): Enrolled {
    const members = [...this.#last.members, ...entering];
    if (members.length >= membersMax) {
      throw new DlmError('DLM_TOO_MANY', `the cluster has ${membersMax} members already`, 'let one of them leave first');
    }
    for (const member of members) {
      if (member.node === applicant.node) throw taken(`the number ${member.node}`, member);
      if (member.name === applicant.name) throw taken(`the name ${member.name}`, member);
    }
    const node = applicant.node ?? this.#numberFor(applicant, members);
    const earlier = this.#incarnations.get(node) ?? 0;
    if (applicant.incarnation <= earlier) {
      throw new DlmError(
        'DLM_STATE_UNUSABLE',
        `node ${node} was here before as incarnation ${earlier}, and now comes as ${applicant.incarnation}: others would take it for the earlier one`,
        'join from the folder it was started in before, or under another number; or see whether the clock was set back',
      );
    }
    return { ...applicant, node };
  }

  /** The entry with those who enter. `floor`: its number is this at least. */
  afterEntering(entering: readonly Enrolled[], floor: number): Entry {
    const members = [...this.#last.members, ...entering].sort((a, b) => a.node - b.node);
    const id = Math.max(this.#last.id + 1, floor, ...entering.map((one) => one.incarnation));
    return { id, members, leftCleanly: [] };
  }

  /** It has been written down: from now on this is how things are. */
  commit(entry: Entry): void {
    this.#withhold(entry);
    this.#last = entry;
    this.#remember(entry);
  }

  /**
   * Whoever takes the number of one that has failed is taken for its next life, which shows that it was started anew: its case
   * is closed, and nobody fences it. So nobody is given such a number unless he asks for it, or comes under the same name.
   */
  #numberFor({ name, incarnation: life }: Applicant, members: readonly Enrolled[]): number {
    const used = new Set(members.map(({ node }) => node));
    // One that was used by a later life would be refused, so it does not count as free.
    const isFree = (node: number): boolean => !used.has(node) && (this.#incarnations.get(node) ?? 0) < life;
    const own = this.failed.find(([node, former]) => former === name && isFree(node));
    if (own !== undefined) return own[0];
    let node = 1;
    while (!isFree(node) || this.#failed?.has(node) === true) node += 1;
    return node;
  }

  /** Only who was in a lockspace has left something that he may still act on. */
  #withhold({ members, leftCleanly }: Entry): void {
    if (this.#failed === null) return;
    for (const { node, name, life, lockspaces } of this.#last.members) {
      const isGone = !members.some((member) => member.life === life);
      if (isGone && lockspaces.length > 0 && !leftCleanly.includes(node)) this.#failed.set(node, name);
    }
    for (const { node } of members) this.#failed.delete(node);
  }

  #remember(entry: Entry): void {
    for (const member of entry.members) {
      this.#incarnations.set(member.node, Math.max(this.#incarnations.get(member.node) ?? 0, member.incarnation));
    }
  }
}

/** What the node is told of an entry. */
export function viewOf({ id, members, leftCleanly }: Entry): View {
  return {
    id: viewId(id),
    // Nobody can be cut off from a machine it runs on.
    isQuorate: true,
    members: members.map(memberOf),
    leftCleanly: leftCleanly.map(nodeId),
  };
}

/** A member as a view has it, of what an engine keeps of one. */
export function memberOf(kept: Pick<Enrolled, 'node' | 'incarnation' | 'name' | 'address' | 'weight' | 'lockspaces'>): Member {
  const { node, name, address, weight } = kept;
  return { node: nodeId(node), incarnation: incarnation(kept.incarnation), name, address, weight, lockspaces: new Map(kept.lockspaces) };
}

export function sameLockspaces(some: Enrolled['lockspaces'], others: Enrolled['lockspaces']): boolean {
  return JSON.stringify(some) === JSON.stringify(others);
}

function taken(what: string, { name, node, pid }: Enrolled): DlmError {
  return new DlmError(
    'DLM_NODE_EXISTS',
    `${what} is taken: node ${node} (${name}) is a member, process ${pid}`,
    'choose another, or leave it out to be given a free number; a member counts as one until its process has ended',
  );
}

/**
 * Who has failed, in which view, and whether it has been made sure that it can do no more
 * harm: as an onlooker knows it, who hears everything at once.
 *
 * Several checkers begin with this. A failure is dealt with when an agent has said that
 * its machine is off, be it a lie, or when a later life of its node is in a view.
 */
import type { NodeId, ViewId } from '../../base/ids.js';
import type { Decided, Fenced, Life, SimEvent } from '../event.js';

export interface Failure {
  readonly life: Life;
  readonly node: NodeId;
  /** The view that lacks it first. */
  readonly view: ViewId;
  /** The last view that has it. */
  readonly lastIn: ViewId;
  /** Where it was. */
  readonly lockspaces: ReadonlySet<string>;
  /** Who was in that view and in the one before. */
  readonly witnesses: ReadonlySet<Life>;
  isHandled: boolean;
}

export class Failures {
  /** Those who left in good order are not among them. */
  readonly all: Failure[] = [];
  readonly #nodes = new Map<Life, NodeId>();
  readonly #views = new Map<ViewId, Decided>();
  readonly #told = new Map<Life, ViewId>();
  readonly #quorate = new Set<Life>();
  readonly #crashed = new Set<Life>();
  #latest: Decided | null = null;

  nodeOf(life: Life): NodeId {
    return this.#nodes.get(life) ?? (0 as NodeId);
  }

  /** The latest view that this life has been told of. */
  viewOf(life: Life): ViewId {
    return this.#told.get(life) ?? (0 as ViewId);
  }

  isQuorate(life: Life): boolean {
    return this.#quorate.has(life);
  }

  hasCrashed(life: Life): boolean {
    return this.#crashed.has(life);
  }

  /** Who is in a view; nobody knows of one that was told to those alone who had been left out. */
  membersOf(view: ViewId): readonly Life[] {
    return this.#views.get(view)?.members ?? [];
  }

  joinsOf(view: ViewId): Decided['joins'] {
    return this.#views.get(view)?.joins ?? new Map<Life, ReadonlyMap<string, number>>();
  }

  /** Is it in the latest view? */
  isMember(life: Life): boolean {
    return this.#latest?.members.includes(life) === true;
  }

  /**
   * Those that concern a lockspace, that a life has been told of, and of which it must know: somebody who has seen the
   * victim is still there. What nobody has seen who is left, startup fencing and the first application are for.
   */
  knownTo(life: Life, lockspace: string): Failure[] {
    const view = this.viewOf(life);
    const members = this.membersOf(view);
    return this.all.filter((one) => one.view <= view && one.lockspaces.has(lockspace) && members.some((member) => one.witnesses.has(member)));
  }

  /** Its witnesses who were in the lockspace with the victim and have been since, as far as a life has been told. */
  stayedIn(lockspace: string, { lastIn, witnesses }: Failure, life: Life): Life[] {
    const now = this.joinsOf(this.viewOf(life));
    const then = this.joinsOf(lastIn);
    return [...witnesses].filter((one) => then.get(one)?.has(lockspace) === true && now.get(one)?.get(lockspace) === then.get(one)!.get(lockspace));
  }

  see(event: SimEvent): void {
    if (event.kind === 'started') this.#nodes.set(event.life, event.node);
    else if (event.kind === 'crashed') this.#crashed.add(event.life);
    else if (event.kind === 'viewed') {
      this.#told.set(event.life, event.view);
      if (event.isQuorate) this.#quorate.add(event.life);
      else this.#quorate.delete(event.life);
    } else if (event.kind === 'decided') this.#follow(event);
    else if (event.kind === 'fenced') this.#fence(event);
  }

  #follow(event: Decided): void {
    const before = this.#latest;
    this.#latest = event;
    this.#views.set(event.view, event);
    const witnesses = new Set(event.members.filter((life) => before?.members.includes(life) === true));
    for (const life of event.gone) {
      if (event.left.includes(life)) continue;
      const lockspaces = new Set(before?.joins.get(life)?.keys() ?? []);
      this.all.push({ life, node: this.nodeOf(life), view: event.view, lastIn: before?.view ?? event.view, lockspaces, witnesses, isHandled: false });
    }
    const present = new Set(event.members.map((life) => this.nodeOf(life)));
    for (const one of this.all) if (present.has(one.node)) one.isHandled = true;
  }

  #fence({ victim, state }: Fenced): void {
    if (state !== 'off' && state !== 'lie') return;
    for (const one of this.all) if (one.node === victim) one.isHandled = true;
  }
}

/**
 * S13: what was said in another life, or before one of the two was in the lockspace as
 * it is now, or in a recovery that is over, has no effect.
 *
 * Who is in a lockspace since when follows from the views, in the order in which the
 * hearer was told of them. What must wait for a later view is heeded in a turn of its
 * own, and not judged here.
 */
import type { ViewId } from '../../base/ids.js';
import type { Decided, Heard, Life, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

/** How a lockspace is composed in a view. */
interface Group {
  /** Since which view each of its members is in it. */
  readonly since: ReadonlyMap<Life, ViewId>;
  readonly joins: ReadonlyMap<Life, number>;
  /** The last view that changed it. */
  readonly changed: ViewId;
}

const noGroup: Group = { since: new Map(), joins: new Map(), changed: 0 as ViewId };

export class Hygiene implements Checker {
  readonly property = 'hygiene';
  readonly says = 'S13 no effect of what another life or another recovery said';
  readonly counts = { messages: 0, stale: 0, staleInRecovery: 0 };
  /** By view and lockspace. */
  readonly #groups = new Map<string, Group>();
  readonly #latest = new Map<string, Group>();
  readonly #told = new Map<Life, ViewId>();

  see(event: SimEvent): void {
    if (event.kind === 'heard') this.#judge(event);
    else if (event.kind === 'viewed') this.#told.set(event.life, event.view);
    else if (event.kind === 'decided') this.#follow(event);
  }

  #follow({ view, joins }: Decided): void {
    const lockspaces = new Set([...this.#latest.keys(), ...[...joins.values()].flatMap((joined) => [...joined.keys()])]);
    for (const lockspace of lockspaces) {
      const group = next(this.#latest.get(lockspace) ?? noGroup, lockspace, view, joins);
      this.#latest.set(lockspace, group);
      this.#groups.set(`${view}/${lockspace}`, group);
    }
  }

  #judge(event: Heard): void {
    this.counts.messages += 1;
    const why = this.#staleness(event);
    if (why === null) return;
    this.counts.stale += 1;
    if (event.isOfRecovery) this.counts.staleInRecovery += 1;
    if (!event.hasEffect) return;
    throw new Violation(this.property, `life ${event.life} heeded what life ${event.sender} said in view ${event.view} in ${event.lockspace}, ${why}`, [
      'view',
      'recovered',
    ]);
  }

  /** Null: it is of now. */
  #staleness({ life, sender, lockspace, view, isOfRecovery }: Heard): string | null {
    if (lockspace === null) return 'which it has not joined';
    const group = this.#groups.get(`${this.#told.get(life) ?? 0}/${lockspace}`) ?? noGroup;
    const [since, ownSince] = [group.since.get(sender), group.since.get(life)];
    if (ownSince === undefined) return 'where the hearer is no member';
    if (since === undefined) return 'where that life is no member';
    if (view < since || view < ownSince) return 'before both were members';
    return isOfRecovery && view < group.changed ? `and has been recovering as of view ${group.changed} since` : null;
  }
}

function next(before: Group, lockspace: string, view: ViewId, joinsOf: Decided['joins']): Group {
  const since = new Map<Life, ViewId>();
  const joins = new Map<Life, number>();
  for (const [life, joined] of joinsOf) {
    const join = joined.get(lockspace);
    if (join === undefined) continue;
    joins.set(life, join);
    since.set(life, before.joins.get(life) === join ? before.since.get(life)! : view);
  }
  const isSame = since.size === before.since.size && [...since.values()].every((one) => one < view);
  return isSame ? before : { since, joins, changed: view };
}

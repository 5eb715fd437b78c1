/**
 * S6: once a later holder has written to a resource, the checking disk takes nothing of an
 * earlier one, even if an agent has lied about its death.
 *
 * Who is the later holder follows from when owners were told of their grants, never from
 * the tokens. Of two lives that are both out nothing is known but that they were before
 * those who are not. A life that is out may be granted something by a member that has not
 * been told of it, but by nobody when all have been.
 */
import type { ViewId } from '../../base/ids.js';
import { IV, PW, type ModeOrNone } from '../../lock/mode.js';
import type { ClaimId, Completed, Decided, Life, SimEvent, Wrote } from '../event.js';
import { Violation, type Checker } from './checker.js';

interface Write {
  readonly rank: number;
  readonly claim: ClaimId;
  readonly life: Life;
}

/** A life that is out, and who of the present members does not know of it yet. */
interface Out {
  readonly view: ViewId;
  readonly unaware: Set<Life>;
  /** When all of them knew. */
  knownAt: number;
}

export class Zombies implements Checker {
  readonly property = 'zombies';
  readonly says = 'S6 no write of an earlier holder is taken after one of a later holder';
  /** `stale`: writes of lives that are out; `refused`: those which the checking disk did not take; `astray`: which the trusting one took too late. */
  readonly counts = { writes: 0, stale: 0, refused: 0, astray: 0, afterLies: 0 };
  #order = 0;
  readonly #grantedAt = new Map<ClaimId, number>();
  /** What each owner was told to hold, also one whose life is out. */
  readonly #told = new Map<ClaimId, ModeOrNone>();
  readonly #out = new Map<Life, Out>();
  readonly #liedAbout = new Set<Life>();
  /** The latest holder who has written, by resource: of what the checking disk took, and of all. */
  readonly #taken = new Map<string, Write>();
  readonly #written = new Map<string, Write>();

  see(event: SimEvent): void {
    if (event.kind === 'completed') this.#grant(event);
    else if (event.kind === 'adopted') {
      // A lock that passes to another owner keeps its place and its token.
      this.#told.set(event.claim, event.mode);
      const grantedAt = this.#grantedAt.get(event.orphan);
      if (grantedAt !== undefined) this.#grantedAt.set(event.claim, grantedAt);
    } else if (event.kind === 'decided') this.#decide(event);
    else if (event.kind === 'viewed') {
      for (const out of this.#out.values()) if (event.view >= out.view) this.#learn(out, event.life);
    } else if (event.kind === 'fenced' && event.state === 'lie') this.#liedAbout.add(event.victimLife);
    else if (event.kind === 'wrote') this.#judge(event);
  }

  #decide({ view, members, gone }: Decided): void {
    for (const out of this.#out.values()) for (const life of gone) this.#learn(out, life);
    const knownAt = members.length === 0 ? ++this.#order : Infinity;
    for (const life of gone) this.#out.set(life, { view, unaware: new Set(members), knownAt });
  }

  /** It has been told, or what it grants counts no more. */
  #learn(out: Out, life: Life): void {
    if (!out.unaware.delete(life) || out.unaware.size > 0) return;
    this.#order += 1;
    out.knownAt = this.#order;
  }

  #grant({ claim: id, mode, status }: Completed): void {
    const told = this.#told.get(id) ?? IV;
    this.#told.set(id, mode);
    if (status !== 'OK' || mode < PW || mode <= told) return;
    this.#order += 1;
    this.#grantedAt.set(id, this.#order);
  }

  #judge(event: Wrote): void {
    this.counts.writes += 1;
    const { claim, life, lockspace, resource, isTaken } = event;
    const out = this.#out.get(life);
    const grantedAt = this.#grantedAt.get(claim);
    // When an orphan was granted that was adopted before its owner heard of it, nobody knows.
    if (grantedAt === undefined) return;
    const rank = Math.min(grantedAt, out?.knownAt ?? Infinity);
    const write: Write = { rank, claim, life };
    const key = `${lockspace}/${resource}`;
    if (out !== undefined) {
      this.counts.stale += 1;
      if (!isTaken) this.counts.refused += 1;
      if (this.#isLate(this.#written, key, write)) this.counts.astray += 1;
      if (this.#liedAbout.has(life)) this.counts.afterLies += 1;
    }
    const later = this.#taken.get(key);
    if (isTaken && later !== undefined && this.#isLate(this.#taken, key, write)) {
      throw new Violation(this.property, `claim ${claim} of life ${life} wrote to ${key} after claim ${later.claim} of life ${later.life}, which held it later`, [
        ` ${key} `, `claim ${claim} `, `claim ${later.claim} `, 'view',
      ]);
    }
    if (isTaken) this.#note(this.#taken, key, write);
    this.#note(this.#written, key, write);
  }

  #isLate(writes: ReadonlyMap<string, Write>, key: string, { rank, life }: Write): boolean {
    const latest = writes.get(key);
    if (latest === undefined || latest.rank <= rank) return false;
    return !(this.#out.has(life) && this.#out.has(latest.life)) || latest.life === life;
  }

  #note(writes: Map<string, Write>, key: string, write: Write): void {
    if ((writes.get(key)?.rank ?? 0) <= write.rank) writes.set(key, write);
  }
}

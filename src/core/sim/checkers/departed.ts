/**
 * S2: what the dead held is not given on before their death has been recovered from.
 *
 * A life that is left out of a view keeps its modes in this checker's memory. A
 * grant that one of them excludes is right only on a life that has been told of
 * that view and has since ended a recovery of that lockspace. What such a life gives
 * back itself is free from then on, as far as it is given back: a weaker mode is
 * remembered in the place of the one before. An orphan that it adopts is remembered
 * under the name of the adopter.
 *
 * Where the order of the lockspace has the dead fenced before their locks are recovered,
 * that must have happened, too; where applications suspend, somebody must have resumed.
 */
import type { ViewId } from '../../base/ids.js';
import { IV, NL, compatible, nameOfMode, type ModeOrNone } from '../../lock/mode.js';
import type { Adopted, ClaimId, Life, SimEvent, StepTold, Submitted } from '../event.js';
import { Violation, type Checker } from './checker.js';
import { keptBy, type Claim, type Claims } from './claims.js';
import type { Failures } from './failures.js';
import { parseOrder, type Order } from '../../node/snapshot.js';

interface Remains {
  claim: ClaimId;
  readonly life: Life;
  mode: ModeOrNone;
  /** The view that left the life out. */
  readonly view: ViewId;
}

export class Departed implements Checker {
  readonly property = 'departed';
  readonly says = 'S2 no grant past a dead holder before its recovery';
  readonly counts = { remains: 0, grantsPast: 0, givenBack: 0, pastFenced: 0, pastSuspended: 0 };
  readonly #remains = new Map<string, Remains[]>();
  readonly #keyOf = new Map<ClaimId, string>();
  readonly #told = new Map<Life, ViewId>();
  /** The latest view that a life had when it ended a recovery of a lockspace. */
  readonly #recovered = new Map<string, ViewId>();

  /** The latest view in which somebody resumed, of each lockspace. */
  readonly #resumed = new Map<string, ViewId>();
  readonly #needsFence: boolean;
  readonly #needsResume: boolean;

  /** Shown each event before `claims` is, and after `failures` is. */
  constructor(
    readonly claims: Claims,
    readonly failures: Failures,
    order: Order = parseOrder('none') as Order,
  ) {
    this.#needsFence = order.before.get('dlm')!.has('fence');
    this.#needsResume = order.steps.has('resume');
  }

  see(event: SimEvent): void {
    if (event.kind === 'viewed') this.#told.set(event.life, event.view);
    else if (event.kind === 'recovered') this.#recover(event.life, event.lockspace);
    else if (event.kind === 'step') this.#resume(event);
    else if (event.kind === 'decided') for (const life of event.gone) this.#bury(life, event.view);
    else if (event.kind === 'submitted') this.#weaken(event);
    else if (event.kind === 'adopted') this.#rename(event);
    else if (event.kind === 'abandoned') for (const id of event.ended) this.#keep(id, IV);
    else if (event.kind === 'completed') this.#judge(event.claim, event.mode);
  }

  #resume({ life, lockspace, step, state }: StepTold): void {
    if (step !== 'resume' || state !== 'ended' || lockspace === null) return;
    this.#resumed.set(lockspace, Math.max(this.failures.viewOf(life), this.#resumed.get(lockspace) ?? 0) as ViewId);
  }

  /** Locks are recovered; was all done that the order wants before they are given on? */
  #judgeBarrier({ id, key, life, first }: Claim, dead: Life, view: ViewId): void {
    const isFenced = this.failures.knownTo(life, first.lockspace).find((one) => one.life === dead)?.isHandled ?? true;
    const isResumed = (this.#resumed.get(first.lockspace) ?? 0) >= view;
    if (this.#needsFence) this.counts.pastFenced += 1;
    if (this.#needsResume) this.counts.pastSuspended += 1;
    if ((!this.#needsFence || isFenced) && (!this.#needsResume || isResumed)) return;
    const what = this.#needsFence && !isFenced ? 'has not been fenced' : 'died, and nobody has resumed since';
    throw new Violation(this.property, `claim ${id} of life ${life} was granted on ${key} past life ${dead}, which ${what}`, [` ${key} `, 'view', 'step', 'fences']);
  }

  #recover(life: Life, lockspace: string): void {
    const view = this.#told.get(life);
    if (view !== undefined) this.#recovered.set(`${life}/${lockspace}`, view);
  }

  #bury(life: Life, view: ViewId): void {
    for (const claim of this.claims.of(life)) {
      if (claim.mode <= NL) continue;
      const remains = this.#remains.get(claim.key) ?? [];
      remains.push({ claim: claim.id, life, mode: claim.mode, view });
      this.#keyOf.set(claim.id, claim.key);
      this.#remains.set(claim.key, remains);
      this.counts.remains += 1;
    }
  }

  /** A life that is out may still give back what it has, and a master that has not heard of the view may give it on. */
  #weaken({ claim, operation, mode, flags }: Submitted): void {
    const held = this.#of(claim)?.mode;
    if (held === undefined) return;
    if (operation === 'unlock') this.#keep(claim, IV);
    else if (operation === 'convert') this.#keep(claim, keptBy(held, mode, flags));
  }

  #rename({ claim, orphan }: Adopted): void {
    const remains = this.#of(orphan);
    if (remains === null) return;
    this.#keyOf.set(claim, this.#keyOf.get(orphan)!);
    this.#keyOf.delete(orphan);
    remains.claim = claim;
  }

  #of(id: ClaimId): Remains | null {
    const key = this.#keyOf.get(id);
    return key === undefined ? null : (this.#remains.get(key)!.find(({ claim }) => claim === id) ?? null);
  }

  #keep(id: ClaimId, mode: ModeOrNone): void {
    const remains = this.#of(id);
    if (remains === null || remains.mode === mode) return;
    remains.mode = mode;
    this.counts.givenBack += 1;
    if (mode > NL) return;
    const key = this.#keyOf.get(id)!;
    this.#keyOf.delete(id);
    this.#remains.set(key, this.#remains.get(key)!.filter((one) => one !== remains));
  }

  #judge(id: number, mode: ModeOrNone): void {
    const claim = this.claims.get(id);
    if (claim === null || claim.isEnding || mode <= claim.told || !this.claims.isLive(claim.life)) return;
    const remains = this.#remains.get(claim.key);
    if (remains === undefined) return;
    const recovered = this.#recovered.get(`${claim.life}/${claim.first.lockspace}`) ?? 0;
    for (const { life, mode: held, view } of remains) {
      if (compatible(held, mode)) continue;
      this.counts.grantsPast += 1;
      if (recovered >= view) {
        this.#judgeBarrier(claim, life, view);
        continue;
      }
      throw new Violation(
        this.property,
        `claim ${id} of life ${claim.life} was granted ${nameOfMode(mode)} on ${claim.key}, where life ${life} ` +
          `held ${nameOfMode(held)} until view ${view}, and has recovered only view ${recovered}`,
        [` ${claim.key} `, `claim ${id} `, 'view', 'recovered'],
      );
    }
    this.#remains.set(claim.key, remains.filter((one) => compatible(one.mode, mode)));
  }
}

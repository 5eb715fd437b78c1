/**
 * S5: a life that has heard nothing of the engine for so long that it must stop is granted
 * nothing until it is told of a view again, and nothing is written under its locks; and
 * it stops before the others count it as gone.
 */
import type { Completed, Life, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Claims } from './claims.js';

export class SelfStop implements Checker {
  readonly property = 'self-stop';
  readonly says = 'S5 who hears nothing of the engine stops before the others go on';
  readonly counts = { stopped: 0, beforeOthers: 0, heardAgain: 0 };
  readonly #stopped = new Set<Life>();
  /** Stopped and not told of a view since. */
  readonly #silent = new Set<Life>();
  readonly #out = new Set<Life>();

  /** Shown each event before `claims` is. `mustStop`: do nodes know of a time after which they must? */
  constructor(
    readonly claims: Claims,
    readonly mustStop: boolean,
  ) {}

  see(event: SimEvent): void {
    if (!this.mustStop) return;
    if (event.kind === 'silent') this.#stop(event.life);
    else if (event.kind === 'viewed') {
      if (this.#silent.delete(event.life)) this.counts.heardAgain += 1;
    } else if (event.kind === 'decided') {
      for (const life of event.gone) this.#out.add(life);
      this.counts.beforeOthers += event.gone.filter((life) => this.#stopped.has(life)).length;
    } else if (event.kind === 'wrote') this.#judge(event.life, this.#stopped.has(event.life), `claim ${event.claim} wrote`);
    else if (event.kind === 'completed') this.#judgeGrant(event);
  }

  #stop(life: Life): void {
    this.counts.stopped += 1;
    this.#stopped.add(life);
    this.#silent.add(life);
  }

  #judgeGrant({ claim: id, life, mode, status }: Completed): void {
    const claim = this.claims.get(id);
    if (claim !== null && status === 'OK' && mode > claim.told) this.#judge(life, this.#silent.has(life), `claim ${id} was granted`);
  }

  #judge(life: Life, hasStopped: boolean, what: string): void {
    if (hasStopped) throw new Violation(this.property, `${what} on life ${life}, which has heard nothing for too long`, ['view', 'silent']);
    if (this.#out.has(life)) throw new Violation(this.property, `${what} on life ${life}, which is out and has not stopped`, ['view', 'silent']);
  }
}

/**
 * L2: after every change of the members everything goes on again: locks are recovered
 * (recoveries.ts), gates are open and applications run; or it waits for something that
 * can be named, an application that could put in order what a dead one has left.
 */
import type { Audit } from '../audit.js';
import type { ApplicationChanged, Quiet, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';

export class Resumption implements Checker {
  readonly property = 'resumption';
  readonly says = 'L2 what was suspended resumes, or waits for somebody who can put things in order';
  readonly counts = { open: 0, running: 0, explained: 0 };
  readonly #states = new Map<string, ApplicationChanged['state']>();

  constructor(readonly hasGate: boolean) {}

  see(event: SimEvent): void {
    if (event.kind === 'application') this.#states.set(`${event.life}/${event.lockspace}`, event.state);
    else if (event.kind === 'quiet' && this.hasGate) this.#judge(event);
  }

  #judge({ audits }: Quiet): void {
    for (const audit of audits) {
      const { life, lockspace } = audit;
      if (audit.isSuspended) {
        this.#explain(audit, audits);
        continue;
      }
      this.counts.open += 1;
      if (!audit.hasApplication) continue;
      this.counts.running += 1;
      const state = this.#states.get(`${life}/${lockspace}`);
      if (state !== 'running') this.#complain(audit, `its application is ${state}`);
    }
  }

  #explain(audit: Audit, audits: readonly Audit[]): void {
    const couldAnybody = audits.some(({ lockspace, hasApplication }) => lockspace === audit.lockspace && hasApplication);
    if (audit.pendingSlots === 0) this.#complain(audit, 'nothing has to be put in order');
    if (couldAnybody) this.#complain(audit, `${audit.pendingSlots} slots are not in order, and somebody could see to it`);
    this.counts.explained += 1;
  }

  #complain({ life, lockspace }: Audit, what: string): never {
    throw new Violation(this.property, `life ${life} is still suspended in ${lockspace}, although all is quiet: ${what}`, ['view', 'step', 'application']);
  }
}

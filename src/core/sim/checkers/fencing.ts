/**
 * S16: whoever has a node fenced is a witness of its failure, in a view with a quorum that
 * does not have the victim in it, and the only one who does.
 *
 * A witness is who was in the first view without the victim and in the one before. If none
 * is left, anybody may act. Who has been left out meanwhile has an agent at work until it
 * hears of it; so only those count who are in the latest view and have been told of it.
 *
 * When all is quiet everybody knows of all failures, and that all of them are dealt with, also where nothing waits for it.
 */
import type { NodeId } from '../../base/ids.js';
import type { Audit } from '../audit.js';
import type { Fenced, Life, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Failures } from './failures.js';

export class FencingRight implements Checker {
  readonly property = 'fencing';
  readonly says = 'S16 fencing only by a witness in a quorate view, never of a member, by one at a time, and in the end of all who need it';
  readonly counts = { begun: 0, startup: 0, cancelled: 0, failed: 0, lies: 0, off: 0, handedOver: 0, settled: 0 };
  readonly #running = new Map<NodeId, Set<Life>>();
  readonly #tried = new Map<Life, Life>();

  /** Shown each event after `failures` is. */
  constructor(readonly failures: Failures) {}

  see(event: SimEvent): void {
    if (event.kind === 'crashed') for (const actors of this.#running.values()) actors.delete(event.life);
    else if (event.kind === 'fenced') this.#follow(event);
    else if (event.kind === 'quiet') for (const audit of event.audits) this.#judgeEnd(audit);
  }

  #judgeEnd({ life, openCases }: Audit): void {
    this.counts.settled += 1;
    if (openCases === 0) return;
    const what = openCases === null ? 'does not know of all who have failed' : `has ${openCases} failed nodes that may still act`;
    throw new Violation(this.property, `life ${life} ${what}, although all is quiet`, ['view', 'fence']);
  }

  #follow(event: Fenced): void {
    const { state, victim, life } = event;
    if (state === 'begun') {
      this.#judge(event);
      const actors = this.#running.get(victim) ?? new Set();
      this.#running.set(victim, actors.add(life));
      return;
    }
    this.#running.get(victim)?.delete(life);
    this.counts[state === 'lie' ? 'lies' : state] += 1;
  }

  #judge(event: Fenced): void {
    const { failures } = this;
    const { life, victim, victimLife, isStartup } = event;
    this.counts.begun += 1;
    if (!failures.isQuorate(life)) this.#complain(event, 'outside a quorum');
    const view = failures.viewOf(life);
    const members = failures.membersOf(view);
    const isIn = members.some((member) => (isStartup ? failures.nodeOf(member) === victim : member === victimLife));
    if (isIn) this.#complain(event, `which is a member in view ${view}`);
    if (isStartup) this.counts.startup += 1;
    else this.#judgeWitness(event, members);
    for (const other of this.#running.get(victim) ?? []) {
      const isPeer = other === life || (failures.isMember(other) && failures.isMember(life) && failures.viewOf(other) === view);
      if (isPeer) this.#complain(event, `and so does life ${other}`);
    }
  }

  #judgeWitness(event: Fenced, members: readonly Life[]): void {
    const failure = this.failures.all.find((one) => one.life === event.victimLife);
    if (failure === undefined) this.#complain(event, 'which has not failed');
    const isLeft = members.some((member) => failure.witnesses.has(member));
    if (isLeft && !failure.witnesses.has(event.life)) this.#complain(event, 'and has not witnessed its failure');
    const before = this.#tried.get(event.victimLife);
    if (before !== undefined && before !== event.life) this.counts.handedOver += 1;
    this.#tried.set(event.victimLife, event.life);
  }

  #complain({ life, victim, victimLife }: Fenced, what: string): never {
    throw new Violation(this.property, `life ${life} has life ${victimLife} of node ${victim} fenced, ${what}`, ['view', 'fence']);
  }
}

/**
 * L4, L9: whoever was fenced and started anew is in again, and whoever was cut off comes
 * back without an operator: when all is quiet nobody is up and out.
 */
import type { NodeId } from '../../base/ids.js';
import type { Decided, Quiet, SimEvent } from '../event.js';
import { Violation, type Checker } from './checker.js';
import type { Failures } from './failures.js';

export class Rejoining implements Checker {
  readonly property = 'rejoining';
  readonly says = 'L4 L9 who was fenced or cut off is in again, without an operator';
  readonly counts = { fenced: 0, cutOff: 0, judged: 0 };
  readonly #fenced = new Set<NodeId>();
  readonly #cutOff = new Set<NodeId>();

  /** Shown each event after `failures` is. */
  constructor(readonly failures: Failures) {}

  see(event: SimEvent): void {
    if (event.kind === 'fenced' && event.state === 'off') this.#fenced.add(event.victim);
    else if (event.kind === 'decided') this.#follow(event);
    else if (event.kind === 'quiet') this.#judge(event);
  }

  #follow({ gone, left, members }: Decided): void {
    for (const life of gone) if (!left.includes(life) && !this.failures.hasCrashed(life)) this.#cutOff.add(this.failures.nodeOf(life));
    for (const node of members.map((life) => this.failures.nodeOf(life))) {
      if (this.#fenced.delete(node)) this.counts.fenced += 1;
      if (this.#cutOff.delete(node)) this.counts.cutOff += 1;
    }
  }

  #judge({ outsiders }: Quiet): void {
    this.counts.judged += 1;
    const [out] = outsiders;
    if (out === undefined) return;
    throw new Violation(this.property, `life ${out} of node ${this.failures.nodeOf(out)} is up, and no view has it in it`, ['view', 'fence', 'started']);
  }
}

/**
 * How long each step of a recovery took, for the node's log: the line that a lockspace
 * is open again says what it waited for before.
 *
 * It looks at the node after each turn that may have changed a phase. Steps that begin
 * and end within one turn take no time.
 */
import type { Generation, ViewId } from '../base/ids.js';
import type { DlmNode } from '../node/node.js';

/** A recovery that goes on. */
interface Course {
  readonly began: number;
  view: ViewId;
  phase: string;
  since: number;
  readonly steps: [phase: string, millis: number][];
}

export class RecoveryLog {
  readonly #courses = new Map<string, Course>();
  readonly #log: (line: string) => void;
  readonly #now: () => number;

  /** `now`: milliseconds on a clock that does not jump. */
  constructor(log: (line: string) => void, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** A turn has ended: in which phase is each lockspace that cannot be locked? */
  look(node: DlmNode): void {
    const { view } = node;
    if (view === null) return;
    for (const name of node.lockspaceNames()) {
      const stack = node.stack(name)!;
      const { phase } = stack.recovery;
      if (phase !== null) this.#enter(name, view.id, phase, [...stack.lockspace.tables.members.nodes]);
    }
  }

  /** It is over. */
  ended(name: string, generation: Generation): void {
    const course = this.#courses.get(name);
    this.#courses.delete(name);
    const after = course === undefined ? '' : `, ${wordsOf(course, this.#now())}`;
    this.#log(`lockspace ${name} is open again in generation ${generation}${after}`);
  }

  #enter(name: string, view: ViewId, phase: string, nodes: readonly number[]): void {
    const now = this.#now();
    const course = this.#courses.get(name);
    if (course === undefined) {
      this.#courses.set(name, { began: now, view, phase, since: now, steps: [] });
      this.#log(`lockspace ${name} is stopped, and recovers with node ${nodes.join(', ')}`);
    } else if (course.view !== view || course.phase !== phase) {
      if (course.view !== view) this.#log(`lockspace ${name} recovers anew with node ${nodes.join(', ')}`);
      course.steps.push([course.phase, now - course.since]);
      Object.assign(course, { view, phase, since: now });
    }
  }
}

/** `after 7.1 ms: members 2.0, directory 1.1, masters 0.4, locks 3.0, done 0.6`; a step that was begun anew counts together. */
function wordsOf({ began, phase, since, steps }: Course, now: number): string {
  const sums = new Map<string, number>();
  for (const [step, millis] of [...steps, [phase, now - since] as const]) sums.set(step, (sums.get(step) ?? 0) + millis);
  const parts = Array.from(sums, ([step, millis]) => `${step} ${millis.toFixed(1)}`);
  return `after ${(now - began).toFixed(1)} ms: ${parts.join(', ')}`;
}

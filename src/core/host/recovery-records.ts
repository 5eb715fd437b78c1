/**
 * What happened in each recovery of each lockspace: step by step for the record, and in a
 * line for the node's log. It decides nothing.
 *
 *   a view with other members ──▶ a course begins, or goes on with the newer view
 *   steps, phases             ──▶ noted in it, with the time
 *   nothing is left to do     ──▶ it is written down
 *
 * Steps that begin and end within one turn take no time. A step about a failed member
 * that belongs to no lockspace (fencing) belongs to each course that waits for it.
 */
import type { Generation, NodeId } from '../base/ids.js';
import type { DlmNode } from '../node/node.js';
import type { StepTaken } from '../node/effect.js';
import type { Order, View } from '../node/snapshot.js';
import type { Stack } from '../node/stack.js';
import type { PhaseName } from '../wire/message.js';
import { JsonLines } from './json-lines.js';
import type { Places } from './places.js';
import { readRecoveries, recordsFile, type RecordedPhase, type RecordedStep, type RecoveryRecord } from './recovery-record.js';
import { reasonOf } from './system-error.js';

/** More steps than that are attempts in vain, of which the oldest are left out. */
const stepsMax = 500;

/** A recovery that goes on. */
interface Course {
  readonly at: string;
  readonly began: number;
  readonly views: number[];
  readonly victims: Set<NodeId>;
  readonly lived: Set<NodeId>;
  readonly toRecover: Set<NodeId>;
  readonly left: Set<NodeId>;
  readonly came: Set<NodeId>;
  readonly steps: RecordedStep[];
  readonly phases: RecordedPhase[];
  phase: { readonly name: PhaseName; readonly view: number; readonly since: number } | null;
  /** The generation in which locking went on, and when. */
  opened: { readonly generation: Generation; readonly millis: number } | null;
}

/** Somebody who follows what is noted. */
export interface Onlooker {
  step(lockspace: string | null, step: RecordedStep): void;
  /** A turn has ended in which something may have changed. */
  looked(): void;
  /** A recovery has ended: all of it, once. */
  ended?(record: RecoveryRecord): void;
}

export class RecoveryRecords {
  readonly onlookers = new Set<Onlooker>();
  readonly #courses = new Map<string, Course>();
  readonly #places: Pick<Places, 'state' | 'scope'>;
  readonly #lines: JsonLines;
  readonly #log: (line: string) => void;
  readonly #now: () => number;

  /** `now`: milliseconds on a clock that does not jump. */
  constructor(places: Pick<Places, 'state' | 'scope'>, log: (line: string) => void, now: () => number = () => performance.now()) {
    this.#places = places;
    this.#lines = new JsonLines(places.state, recordsFile);
    this.#log = log;
    this.#now = now;
  }

  /** Before the node is told: which lockspaces of ours will have to recover? */
  follow(self: NodeId, before: View | null, after: View): void {
    const own = after.members.find(({ node }) => node === self);
    for (const [name, join] of own?.lockspaces ?? []) {
      if (join < 0) continue;
      const now = joinsOf(after, name);
      const old = joinsOf(before, name);
      const gone = [...old].filter(([node, life]) => now.get(node) !== life).map(([node]) => node);
      const came = [...now].filter(([node, life]) => old.get(node) !== life).map(([node]) => node);
      if (gone.length + came.length === 0) continue;
      const course = this.#courses.get(name) ?? this.#begin(name);
      course.views.push(after.id);
      course.opened = null;
      // Of those who were here before us we know nothing.
      if (!old.has(self)) for (const node of now.keys()) course.came.add(node);
      else for (const node of gone) noteGone(course, after, name, node);
      for (const node of came) course.came.add(node);
    }
  }

  step(node: DlmNode, { lockspace, step, state, node: where, victim, words }: StepTaken): void {
    const now = this.#now();
    const at = new Date().toISOString();
    for (const [name, course] of this.#courses) {
      const stack = node.stack(name);
      if (stack === null || (lockspace !== null && lockspace !== name)) continue;
      const { order } = stack.aftermath;
      if (lockspace === null && !(order.steps.has(step) && concerns(node, name, course, victim!))) continue;
      if (step === 'app' && victim !== null) course.toRecover.add(victim);
      note(course, { step, state, node: where, victim, words, at, millis: rounded(now - course.began) });
    }
    const course = lockspace === null ? undefined : this.#courses.get(lockspace);
    const shown = { step, state, node: where, victim, words, at, millis: course === undefined ? 0 : rounded(now - course.began) };
    for (const onlooker of this.onlookers) onlooker.step(lockspace, shown);
  }

  /** Locking goes on. */
  recovered(node: DlmNode, name: string, generation: Generation): void {
    const course = this.#courses.get(name);
    if (course === undefined) return this.#log(`lockspace ${name} is open again in generation ${generation}`);
    this.#endPhase(course, node.stack(name)!);
    course.opened = { generation, millis: rounded(this.#now() - course.began) };
    this.#log(`lockspace ${name} is open again in generation ${generation}, ${wordsOf(course)}`);
  }

  /** A turn has ended: how far is everything? */
  look(node: DlmNode): void {
    for (const [name, course] of this.#courses) this.#lookAt(node, name, course);
    for (const onlooker of this.onlookers) onlooker.looked();
  }

  /** Recoveries that go on, as far as they are. */
  current(node: DlmNode): RecoveryRecord[] {
    return [...this.#courses].flatMap(([name, course]) => {
      const stack = node.stack(name);
      return stack === null ? [] : [recordOf(node, name, stack.aftermath.order, course, null)];
    });
  }

  /** Is that node named in any record that is kept? Throws `DLM_NOT_PERMITTED`, `DLM_STATE_UNUSABLE`. */
  tellOf(node: number): boolean {
    return readRecoveries(this.#places).records.some(({ members, victims, left, came }) => [members, victims, left, came].some((some) => some.includes(node)));
  }

  #begin(name: string): Course {
    const course: Course = {
      at: new Date().toISOString(),
      began: this.#now(),
      views: [],
      victims: new Set(),
      lived: new Set(),
      toRecover: new Set(),
      left: new Set(),
      came: new Set(),
      steps: [],
      phases: [],
      phase: null,
      opened: null,
    };
    this.#courses.set(name, course);
    return course;
  }

  #lookAt(node: DlmNode, name: string, course: Course): void {
    const stack = node.stack(name);
    if (stack === null) {
      this.#courses.delete(name);
      return;
    }
    const { recovery, aftermath } = stack;
    for (const { victim } of aftermath.work.pending) if (victim !== null && course.victims.has(victim)) course.toRecover.add(victim);
    // While applications wait to resume, locking goes on already.
    if (recovery.phase !== null && recovery.phase !== 'resume') this.#enter(stack, recovery.phase, name, course);
    const isOver = course.opened !== null && stack.isRunning && recovery.phase === null && !aftermath.isDisturbed && node.standstill(name) === null;
    if (isOver) this.#end(node, name, course, aftermath.order);
  }

  #enter(stack: Stack, phase: PhaseName, name: string, course: Course): void {
    const view = course.views.length;
    const { phase: former } = course;
    if (former?.name === phase && former.view === view) return;
    const isFirst = former === null && course.phases.length === 0;
    const isAnew = former !== null && former.view !== view;
    this.#endPhase(course, stack);
    course.phase = { name: phase, view, since: this.#now() };
    const members = stack.lockspace.tables.members.nodes.join(', ');
    if (isFirst) this.#log(`lockspace ${name} is stopped, and recovers with node ${members}`);
    else if (isAnew) this.#log(`lockspace ${name} recovers anew with node ${members}`);
  }

  #endPhase(course: Course, { recovery }: Stack): void {
    if (course.phase === null) return;
    const { name, view, since } = course.phase;
    // With another view all phases began anew, and who was the last in a former one is not known.
    const slowest = view === course.views.length ? recovery.lastIn(name) : null;
    course.phases.push({ phase: name, millis: rounded(this.#now() - since), slowest });
    course.phase = null;
  }

  #end(node: DlmNode, name: string, course: Course, order: Order): void {
    this.#courses.delete(name);
    const record = recordOf(node, name, order, course, rounded(this.#now() - course.began));
    for (const onlooker of this.onlookers) onlooker.ended?.(record);
    try {
      this.#lines.add(this.#places, record);
    } catch (error) {
      this.#log(`cannot write to ${this.#lines.path}, so what was done in lockspace ${name} is not kept: ${reasonOf(error)}`);
    }
  }
}

const rounded = (millis: number): number => Math.round(millis * 10) / 10;

/** Its members, and which life and join of each that is. */
function joinsOf(view: View | null, name: string): Map<NodeId, string> {
  const joins = new Map<NodeId, string>();
  for (const { node, incarnation, lockspaces } of view?.members ?? []) {
    const join = lockspaces.get(name) ?? 0;
    if (join > 0) joins.set(node, `${incarnation}.${join}`);
  }
  return joins;
}

/** Whoever leaves a cluster, or a lockspace, in good order says so; and so does a member whose application has died. */
function noteGone({ victims, lived, left }: Course, after: View, name: string, node: NodeId): void {
  const member = after.members.find((one) => one.node === node);
  if (member === undefined && !after.leftCleanly.includes(node)) {
    victims.add(node);
    lived.delete(node);
  } else if ((member?.lockspaces.get(name) ?? 0) < 0) {
    if (!victims.has(node)) lived.add(node);
    victims.add(node);
  } else left.add(node);
}

function concerns(node: DlmNode, name: string, course: Course, victim: NodeId): boolean {
  if (course.victims.has(victim)) return true;
  return node.fencing.cases().some((one) => one.victim === victim && (one.incarnation === 0 || one.lockspaces.includes(name)));
}

function note({ steps }: Course, step: RecordedStep): void {
  if (steps.length >= stepsMax) {
    const inVain = steps.findIndex(({ state }) => state === 'failed');
    if (inVain >= 0) steps.splice(inVain, 1);
    const begun = steps.findIndex((one, at) => one.step === 'fence' && one.state === 'begun' && at < steps.length - 1);
    if (begun >= 0) steps.splice(begun, 1);
  }
  steps.push(step);
}

function recordOf(node: DlmNode, name: string, order: Order, course: Course, totalMillis: number | null): RecoveryRecord {
  const { lockspace, recovery } = node.stack(name)!;
  const isNumbered = recovery.phase !== null && recovery.phase !== 'members';
  const sorted = (some: Iterable<NodeId>): NodeId[] => [...some].sort((one, other) => one - other);
  return {
    kind: 'recovery',
    lockspace: name,
    generation: course.opened?.generation ?? (isNumbered ? lockspace.tables.generation : null),
    order: order.text,
    node: node.config.self,
    views: course.views,
    at: course.at,
    members: sorted(lockspace.tables.members.nodes),
    victims: sorted(course.victims),
    lived: sorted(course.lived),
    toRecover: sorted(course.toRecover),
    left: sorted(course.left),
    came: sorted(course.came),
    steps: course.steps,
    phases: course.phases,
    stoppedMillis: course.opened?.millis ?? null,
    totalMillis,
  };
}

/** `after 7.1 ms: members 2.0, directory 1.1, masters 0.4, locks 3.0, done 0.6`; a step that was begun anew counts together. */
function wordsOf({ phases, opened }: Course): string {
  const sums = new Map<string, number>();
  for (const { phase, millis } of phases) sums.set(phase, (sums.get(phase) ?? 0) + millis);
  const parts = Array.from(sums, ([phase, millis]) => `${phase} ${millis.toFixed(1)}`);
  return `after ${opened!.millis.toFixed(1)} ms${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

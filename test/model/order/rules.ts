/**
 * The orders a lockspace may choose, the rules that everybody follows, and how much
 * may go wrong in one exploration.
 *
 * A rule has a name only so that it can be dropped: a model that does not notice the
 * loss of a rule says nothing about it.
 */

export type Step = 'suspend' | 'fence' | 'dlm' | 'app' | 'resume';

/** An order: its steps, and for each the steps that must have ended before it begins, however indirectly. */
export class Order {
  readonly #before = new Map<Step, ReadonlySet<Step>>();

  constructor(readonly text: string) {
    const pairs = text.split(' ').map((part) => part.split('<') as [Step, Step?]);
    for (const step of new Set(pairs.flat())) {
      if (step === undefined) continue;
      const before = new Set<Step>();
      const collect = (later: Step): void => {
        for (const [first, then] of pairs) {
          if (then !== later || before.has(first)) continue;
          before.add(first);
          collect(first);
        }
      };
      collect(step);
      this.#before.set(step, before);
    }
  }

  has(step: Step): boolean {
    return this.#before.has(step);
  }

  /** Does `later` wait for the end of `first`? */
  waits(later: Step, first: Step): boolean {
    return this.#before.get(later)?.has(first) === true;
  }
}

export const orders = {
  gfs: new Order('suspend<dlm fence<app dlm<app app<resume'),
  fenceFirst: new Order('fence<dlm'),
  none: new Order('dlm'),
  /** Everything in one line. */
  strict: new Order('suspend<fence fence<dlm dlm<app app<resume'),
  /** Data is repaired before anybody is granted anything; nobody is suspended. */
  repairFirst: new Order('fence<app app<dlm'),
} as const;

export const rules = {
  suspendFirst: 'a member is ready only when its application has suspended (R1)',
  readyBarrier: 'nobody recovers before everybody is ready (R1)',
  fenceBeforeApp: 'a slot is recovered only when nodes that failed are fenced (R2)',
  allFenced: 'and that is all of them, not only the one whose slot it is',
  fenceBeforeDlm: 'where the order says so, dlm waits for fencing (R5)',
  dlmGate: 'while recovery goes on nobody is granted anything',
  appGate: 'until resume only the recovery process is granted anything (R4)',
  quorumToFence: 'a node outside a quorate view has nobody fenced (R6)',
  quorumToRecover: 'a node outside a quorate view does not recover (R6)',
  resumeLast: 'resume waits for the recovery of every slot',
  restart: 'a newer view abandons the recovery that goes on',
  sameView: 'a message from an earlier view is dropped',
  anotherLife: 'whoever was out comes back as another life only',
  cleanStart: 'a new life begins after all that the old one protected has ended',
  newcomerSuspended: 'a newcomer is suspended until it is told to resume',
  casesTold: 'everybody tells everybody, newcomers too, the cases it knows',
  verdictsTold: 'and the verdicts',
  slotsTold: 'and the slots still to be recovered',
  donesTold: 'and the slots that have been recovered',
  censusComplete: 'nobody acts on what it was told before everybody has told',
  handOver: 'when the one who has a node fenced is gone, the next witness does it',
  anybodyActs: 'when no witness is left, the lowest member that was told does it',
  failedIsNotFenced: 'a fence agent that fails leaves the case open',
  lifeEndsCase: 'a node that came back as another life is not fenced for the former one',
  slotOutlivesLife: 'but the slot of the former one is still to be recovered',
  workerKeepsSlot: 'a slot somebody is at work on is left to it while it is a member',
  resumeTogether: 'nobody resumes before everybody knows that all slots have been recovered',
  startup: 'where nobody knows who was here before, all absent nodes are fenced and all slots recovered',
} as const;

export type Rule = keyof typeof rules;

/** One exploration. */
export interface Setting {
  readonly order: Order;
  readonly nodes: number;
  /** Members at the beginning, as a set of bits; the others have not come yet. */
  readonly members: number;
  readonly failures: number;
  /** How many nodes come or come back. */
  readonly joins: number;
  /** More than half of all nodes, or, as where something outside has the quorum, any number. */
  readonly quorum: 'majority' | 'any';
  readonly dropped: Rule | null;
}

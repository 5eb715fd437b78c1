/**
 * Is a difference ours by choice?
 *
 * Three questions, and all must be answered with yes. Does our node agree with the
 * kernel in this step when it follows the kernel's law? If not, it is a bug, and
 * no choice. Can a choice show itself like this: is there a rule that covers it?
 * And is that choice the cause: does the difference change when this one switch is
 * turned off, or come up when it is the only one turned on?
 */
import { kernelLaw, type Law } from '../../lock/law.js';
import type { Difference, Field } from './compare.js';
import { differenceRules, type RuleName, type Seen } from './differences.js';
import { History } from './history.js';
import type { Step } from './scenario.js';
import type { Trial } from './trial.js';

/** The rule that explains a difference of this step under this law, or null. */
export function ruleFor(trial: Trial, law: Law, step: number, difference: Difference): RuleName | null {
  if (difference.kind === 'op' || trial.under(kernelLaw)[step]!.length > 0) return null;

  const seen = seenAt(trial.scenario.steps.slice(0, step + 1), difference);
  const rule = differenceRules.find(({ name, covers }) => law[name] && covers(seen) && isCause(trial, law, name, step, difference));
  return rule === undefined ? null : rule.name;
}

/** What led to a difference. How a call ended that had to wait is a return code, as of the step that made the call. */
function seenAt(steps: readonly Step[], difference: Difference): Seen {
  const late = /^late\((.*)\)$/;
  const kernel = late.exec(difference.kernel)?.[1];
  const ours = late.exec(difference.ours)?.[1];
  if (kernel === undefined || ours === undefined) return { history: new History(steps), difference };
  const call = steps.findLastIndex(({ line }) => line === difference.subject);
  return { history: new History(steps.slice(0, call + 1)), difference: { kind: 'rc', subject: '', part: '', kernel, ours } };
}

function isCause(trial: Trial, law: Law, name: RuleName, step: number, difference: Difference): boolean {
  const without = trial.under({ ...law, [name]: false })[step]!;
  const alone = trial.under({ ...kernelLaw, [name]: true })[step]!;
  const isStillThere = without.some((other) => isSameField(other, difference) && other.ours === difference.ours);
  return !isStillThere || alone.some((other) => isSameField(other, difference));
}

function isSameField(one: Field, other: Field): boolean {
  return one.kind === other.kind && one.subject === other.subject && one.part === other.part;
}

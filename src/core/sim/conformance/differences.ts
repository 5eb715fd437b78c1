/**
 * By which rule do we differ from the kernel here?
 *
 * Each switch of the law has one rule: the traces that the choice can leave in a
 * recording. A trace is told by what was asked of the locks concerned, by the
 * field, and by the two values. What follows from a choice later on is covered as
 * narrowly: a choice about callbacks never excuses a queue, a choice about an
 * orphan excuses only the resource that the orphan is on, from its owner's end.
 *
 * Fitting a rule is not enough. The referee also asks by experiment whether that
 * very switch makes the difference; see judge.ts.
 */
import { Flag, brokenLockRule } from '../../lock/flags.js';
import type { Law } from '../../lock/law.js';
import { modeNamed } from '../../lock/mode.js';
import type { Difference } from './compare.js';
import { asksFor, isConvert, type History, type LockHistory } from './history.js';
import { flagsOf, nameOf, targetOf, type Step } from './scenario.js';
import { showName } from './show.js';

/** Each switch has a rule of its name. */
export type RuleName = keyof Law;

/** A difference, and what led to it. */
export interface Seen {
  readonly history: History;
  readonly difference: Difference;
}

export interface DifferenceRule {
  readonly name: RuleName;
  readonly reason: string;
  /** Can the choice show itself like this? */
  readonly covers: (seen: Seen) => boolean;
}

export const differenceRules: readonly DifferenceRule[] = [
  {
    name: 'persistentStays',
    reason: 'a conversion that forgets to say PERSISTENT again would silently make a lock mortal',
    covers: (seen) => concernsLock(seen, endedPersistentForUsOnly),
  },
  {
    name: 'waitingOrphanEnds',
    reason: 'a request that nobody waits for any more would keep its resource for ever',
    covers: (seen) => concernsLock(seen, endedPersistent) && isTraceOfGhost(seen),
  },
  {
    name: 'waitsEndFirst',
    reason: 'an orphan would have what its owner was never told he has, and keep everybody out',
    covers: (seen) => concernsLock(seen, endedPersistent) && resourcesOf(seen).some((resource) => endedOn(seen, resource) > 1),
  },
  {
    name: 'cancelAgainIsQuiet',
    reason: 'whether there was anything left to cancel is a race that the caller cannot win',
    covers: isSecondCancel,
  },
  {
    name: 'blockedCwIsFresh',
    reason: 'a holder would be told of a CW that has just been granted',
    covers: (seen) => concernsCall(seen, wantsCw) && hearsLess(seen),
  },
  {
    name: 'deadlockedIsTold',
    reason: 'the holders could let a deadlocked conversion go, if only they were told',
    covers: (seen) => concernsCall(seen, waitsInDeadlock) && differsInBlocking(seen),
  },
  {
    name: 'grantLeavesConvertQueue',
    reason: 'a granted lock would stay in the conversion queue and lose its mode on the next pass',
    covers: (seen) => concernsCall(seen, (call) => waitsInDeadlock(call) && mayQueueForItsOwnMode(call)),
  },
  {
    name: 'placeIsNoDeadlock',
    reason: 'two conversions would wait for each other for ever, and neither is told',
    covers: (seen) => concernsCall(seen, (call) => isConvert(call) && asksFor(call, Flag.HEADQUE)),
  },
  {
    name: 'arrivalIsFollowed',
    reason: 'who could be granted would wait, and who is in the way would not be told, until somebody else does something',
    covers: (seen) => concernsCall(seen, (call) => asksFor(call, Flag.HEADQUE | Flag.NOORDER | Flag.CONVDEADLK)),
  },
  {
    name: 'orderSurvives',
    reason: 'whoever has waited longest would be sent to the end by the death of a node that is nothing to it',
    covers: severalOutlivedChange,
  },
  {
    name: 'middleIsResent',
    reason: 'a mode that its holder knows well would be guessed, and two that exclude each other might be granted',
    covers: (seen) => concernsLock(seen, (lock) => lock.outlivesChange && lock.calls.some(isMiddleInHaste)),
  },
  {
    name: 'alternativeIsTold',
    reason: 'the holder would take itself to have the mode it asked for',
    covers: (seen) => concernsCall(seen, (call) => isConvert(call) && asksFor(call, Flag.ALTPR | Flag.ALTCW)),
  },
  {
    name: 'copiesAreKnown',
    reason: 'what a caller had in its hands and never wrote would be read by others as the value',
    covers: (seen) => concernsLock(seen, (lock) => lock.outlivesChange && lock.calls.some((call) => asksFor(call, Flag.VALBLK | Flag.IVVALBLK))),
  },
  {
    name: 'adoptionIsChecked',
    reason: 'flags that no lock call may have would come to stand on the adopted lock',
    covers: (seen) => concernsCall(seen, isForbiddenAdoption),
  },
  {
    name: 'adopterIsTold',
    reason: 'whoever adopts a lock that others wait for could let it go, if only it were told',
    covers: (seen) => concernsCall(seen, isAdoption) && differsInBlocking(seen),
  },
];

/** The resources that a difference can be about. Callbacks of an unknown lock can be about any. */
function resourcesOf({ history, difference }: Seen): string[] {
  const { step } = history;
  if (difference.kind === 'st') return [difference.subject];
  if (difference.kind === 'ev' && difference.subject === '?') return history.locks.map((lock) => lock.resource);
  if (difference.kind === 'ev') return history.resourcesOf(difference.subject);
  if (difference.kind === 'rc' && step.verb === 'lock') return [showName(nameOf(step))];
  return difference.kind === 'rc' ? history.resourcesOf(String(targetOf(step))) : [];
}

/** Is it about a resource with such a lock? */
function concernsLock(seen: Seen, isMeant: (lock: LockHistory) => boolean): boolean {
  const resources = resourcesOf(seen);
  return seen.history.locks.some((lock) => resources.includes(lock.resource) && isMeant(lock));
}

/** Is it about a resource on which such a call was made? */
function concernsCall(seen: Seen, isMeant: (call: Step) => boolean): boolean {
  return concernsLock(seen, (lock) => lock.calls.some(isMeant));
}

/** The lock or convert calls made before the owner ended; none while it lives. */
function callsUntilEnd(lock: LockHistory): Step[] {
  const calls = lock.callsAtEnd === null ? [] : lock.calls.slice(0, lock.callsAtEnd);
  return calls.filter((call) => call.verb === 'lock' || isConvert(call));
}

/** Was PERSISTENT asked for (an orphan has it from before) and not in every call, when the owner ended? */
function endedPersistentForUsOnly(lock: LockHistory): boolean {
  const calls = callsUntilEnd(lock);
  const says = (flag: number) => (call: Step): boolean => asksFor(call, flag);
  return calls.some(says(Flag.PERSISTENT | Flag.ORPHAN)) && !calls.every(says(Flag.PERSISTENT));
}

function endedPersistent(lock: LockHistory): boolean {
  return callsUntilEnd(lock).some((call) => asksFor(call, Flag.PERSISTENT));
}

/** How many locks on the resource were of owners who have ended? */
function endedOn({ history }: Seen, resource: string): number {
  return history.locks.filter((lock) => lock.resource === resource && lock.callsAtEnd !== null).length;
}

/** A ghost holds on to its resource and the value on it, and answers to its id and its name; it blocks nobody. */
function isTraceOfGhost({ history, difference }: Seen): boolean {
  const { kind, part, kernel, ours } = difference;
  if (kind === 'ev') return withoutValues(kernel) === withoutValues(ours);
  if (kind === 'st') return part === '' ? ours === 'null' && !/"[gcw]"/.test(kernel) : part === 'lvb' || part === 'invalid';
  return kind === 'rc' && ours === 'ENOENT' && kernel === (isConvert(history.step) ? 'EBUSY' : 'EAGAIN');
}

function withoutValues(events: string): string {
  return events.replace(/,(VALNOTVALID|lvb=[0-9a-f]*)/g, '');
}

function isCancel(call: Step): boolean {
  return call.verb === 'cancel' || call.verb === 'deadlock' || (call.verb === 'unlock' && asksFor(call, Flag.CANCEL));
}

function isSecondCancel({ history, difference }: Seen): boolean {
  if (difference.kind !== 'rc' || difference.kernel !== 'EINVAL' || difference.ours !== '0') return false;
  const lock = history.locks.findLast(({ label }) => label === targetOf(history.step));
  const isEarlier = (call: Step): boolean => isCancel(call) || call.verb === 'unlock';
  return isCancel(history.step) && lock !== undefined && lock.calls.filter(isEarlier).length > 1;
}

/** The callbacks of a step as words, split into completions and blocking ones. */
function wordsOf(events: string): { completions: string; blocking: string[] } {
  const words = events.split(' ').filter((word) => word !== '');
  const isBlocking = (word: string): boolean => word.startsWith('bast');
  return {
    completions: words.filter((word) => !isBlocking(word)).join(' '),
    blocking: words.filter(isBlocking),
  };
}

/** Do the same completions arrive, and other blocking callbacks? */
function differsInBlocking({ difference }: Seen): boolean {
  if (difference.kind !== 'ev') return false;
  return wordsOf(difference.kernel).completions === wordsOf(difference.ours).completions;
}

/** Is what our holder hears the kernel's blocking callbacks with some left out? */
function hearsLess(seen: Seen): boolean {
  if (!differsInBlocking(seen)) return false;
  const heard = wordsOf(seen.difference.ours).blocking;
  for (const word of wordsOf(seen.difference.kernel).blocking) if (word === heard[0]) heard.shift();
  return heard.length === 0;
}

/** Is it about a resource on which at least two, of nodes that stayed, may have been waiting when the members changed? */
function severalOutlivedChange(seen: Seen): boolean {
  const resources = resourcesOf(seen);
  return seen.history.locks.filter((lock) => lock.outlivesChange && resources.includes(lock.resource)).length > 1;
}

/** Does the call convert to CW, or to CW if nothing else will do? */
function wantsCw(call: Step): boolean {
  return isConvert(call) && (modeNamed(call.settings.get('mode') ?? '') === modeNamed('CW') || asksFor(call, Flag.ALTCW));
}

/** May the call have been converting between PR and CW when its master was lost? */
function isMiddleInHaste(call: Step): boolean {
  return isConvert(call) && call.inHaste && ['PR', 'CW'].includes((call.settings.get('mode') ?? '').toUpperCase());
}

function waitsInDeadlock(call: Step): boolean {
  return isConvert(call) && asksFor(call, Flag.NODLCKWT);
}

function mayQueueForItsOwnMode(call: Step): boolean {
  return asksFor(call, Flag.QUECVT) && asksFor(call, Flag.ALTPR | Flag.ALTCW);
}

function isAdoption(call: Step): boolean {
  return call.verb === 'lock' && asksFor(call, Flag.ORPHAN);
}

function isForbiddenAdoption(call: Step): boolean {
  if (!isAdoption(call)) return false;
  const mode = modeNamed(call.settings.get('mode') ?? '') ?? Number(call.settings.get('mode'));
  return brokenLockRule(flagsOf(call), mode, nameOf(call).length) !== null;
}

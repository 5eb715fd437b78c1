/**
 * What the text of a scenario says about its locks, up to a certain step: which
 * resource a label was for, what was asked of it, whether its process has ended.
 *
 * It knows nothing of outcomes. Whoever asks must not mistake "a conversion was
 * asked for" for "it was converted".
 */
import { flagsOf, nameOf, parseLabel, parseParty, targetOf, type Step } from './scenario.js';
import { showName } from './show.js';

/** What was asked of one lock, from its `lock` call on. */
export interface LockHistory {
  readonly label: string;
  readonly resource: string;
  /** Its `lock` call first, then every call that named it. */
  readonly calls: readonly Step[];
  /** How many of the calls came before its process ended; null while it lives. */
  readonly callsAtEnd: number | null;
  /** Was it asked for before the members changed, by a node that has stayed? */
  readonly outlivesChange: boolean;
}

interface OpenHistory extends LockHistory {
  readonly calls: Step[];
  callsAtEnd: number | null;
  outlivesChange: boolean;
  isGone: boolean;
}

export class History {
  readonly locks: readonly LockHistory[];
  /** The step that is looked at: the last one. */
  readonly step: Step;

  constructor(steps: readonly Step[]) {
    const locks: OpenHistory[] = [];
    for (const step of steps) note(locks, step);
    this.locks = locks;
    this.step = steps.at(-1)!;
  }

  /** The resources a label has stood for. */
  resourcesOf(label: string): string[] {
    return this.locks.filter((lock) => lock.label === label).map((lock) => lock.resource);
  }

  /** Was anything like this ever asked for on the resource? */
  someCall(resource: string, isMeant: (call: Step) => boolean): boolean {
    return this.locks.some((lock) => lock.resource === resource && lock.calls.some(isMeant));
  }
}

function note(locks: OpenHistory[], step: Step): void {
  if (step.verb === 'lock') {
    const label = step.words[0] ?? '';
    locks.push({ label, resource: showName(nameOf(step)), calls: [step], callsAtEnd: null, outlivesChange: false, isGone: false });
  } else if (step.verb === 'exit' || step.verb === 'close') {
    const { node, process } = parseParty(step.words[0]);
    for (const lock of locks) {
      const owner = parseLabel(lock.label);
      if (owner.node === node && owner.process === process) lock.callsAtEnd ??= lock.calls.length;
    }
  } else if (step.verb === 'kill' || step.verb === 'leave' || step.verb === 'join') {
    const changed = step.words.map((word) => parseParty(word).node);
    for (const lock of locks) {
      const isTheirs = changed.includes(parseLabel(lock.label).node);
      if (isTheirs && !lock.isGone) lock.callsAtEnd ??= lock.calls.length;
      lock.isGone ||= isTheirs;
      lock.outlivesChange = !lock.isGone;
    }
  } else {
    const target = targetOf(step);
    locks.findLast((lock) => lock.label === target)?.calls.push(step);
  }
}

export function asksFor(call: Step, flag: number): boolean {
  return (flagsOf(call) & flag) !== 0;
}

export function isConvert(call: Step): boolean {
  return call.verb === 'convert';
}

/**
 * Lock stories: a tiny language in which tests say what is done and what comes of it.
 *
 *     A lock PR            -> A OK PR
 *     B lock EX            -> B waits, A blocks EX
 *     C lock PR NOQUEUE    -> C EAGAIN
 *                          -> G[A:PR] W[B>EX]
 *
 * Left of the arrow one call: `A lock MODE [FLAG…] ["value"] [on NAME]`, `A convert MODE …`,
 * `A unlock …`, `A cancel`, `A deadlock`, `owner 2 ends`, `owner 2 purged`, `orphans [of 2] purged`,
 * `5 ms pass`. A lock is its owner's: `A/2` is a lock of owner 2, plain `A` of owner 1.
 *
 * The word `deaf` among the flags: nobody listens to what the lock blocks.
 *
 * Right of it everything the node asks for: `A OK PR +ALTMODE "value"`, `A EDEADLK PR` (it keeps
 * PR), `A EUNLOCK`, `A waits`, `A blocks EX`, `A adopted EX`, `refused CODE [rule]`, or `nothing`.
 * The order between different locks is free. With nothing on the left, the right is the state of
 * resource R: its queues, and `value none`, `value "text"` or `value "text" invalid`.
 *
 * Stories run under the kernel's law and under ours, unless the teller names one.
 */
import assert from 'node:assert/strict';
import { incarnation, millis, nodeId, ownerId, type Lkid, type Millis } from '../../src/core/base/ids.js';
import { Flag, deafMark, flagNamed, namesOfResults } from '../../src/core/lock/flags.js';
import { defaultLaw, kernelLaw, type Law } from '../../src/core/lock/law.js';
import { IV, modeNamed, nameOfMode, type Mode } from '../../src/core/lock/mode.js';
import type { LockDump } from '../../src/core/lockspace/dump.js';
import type { Effect } from '../../src/core/node/effect.js';
import type { Input } from '../../src/core/node/input.js';
import { DlmNode } from '../../src/core/node/node.js';

const lockspace = 'story';
const valueLength = 8;

/** Tell a story under both laws, or under the one that is named. */
export function tell(text: string, law?: Law): void {
  for (const chosen of law === undefined ? [kernelLaw, defaultLaw] : [law]) {
    const stage = new Stage(chosen);
    for (const line of linesOf(text)) {
      const [call = '', expected = ''] = line.split('->').map((side) => side.trim());
      const actual = call === '' ? stage.show('R') : inOrder(stage.perform(call));
      const asTold = call === '' ? expected : inOrder(expected.split(/, /));
      assert.equal(`${call} -> ${actual}`, `${call} -> ${asTold}`);
    }
  }
}

function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** Sorted by lock, each lock's in the order they came. */
function inOrder(words: readonly string[]): string {
  const subject = (word: string): string => word.split(' ')[0]!;
  const sorted = [...words].sort((one, other) => (subject(one) < subject(other) ? -1 : subject(one) > subject(other) ? 1 : 0));
  return sorted.length === 0 ? 'nothing' : sorted.join(', ');
}

/** A node, and the labels its locks go by. */
export class Stage {
  readonly node = new DlmNode({ self: nodeId(1), incarnation: incarnation(1) });
  readonly #ids = new Map<string, Lkid>();
  #now: Millis = millis(0);

  constructor(law: Law = defaultLaw) {
    this.#step({ kind: 'joinLockspace', lockspace, config: { valueLength, law, nodir: false } });
  }

  /** Carry out the left side of a line. */
  perform(call: string): string[] {
    const words = call.match(/"[^"]*"|\S+/g) ?? [];
    const [subject = '', verb = ''] = words;
    if (verb === 'ms') return this.#pass(Number(subject));
    if (subject === 'owner') return this.#step(this.#ofOwner(Number(verb), words.at(-1)!));
    if (subject === 'orphans') {
      const formerOwner = words[1] === 'of' ? ownerId(Number(words[2])) : null;
      return this.#step({ kind: 'purgeOrphans', lockspace, formerOwner });
    }
    return this.#step(this.#call(subject, verb, words.slice(2)));
  }

  /** A resource as the right side of a line shows it. */
  show(name: string): string {
    const [resource] = this.node.dump(lockspace, name)!.resources;
    if (resource === undefined) return 'nothing';
    const queue = (letter: string, locks: readonly LockDump[]): string =>
      locks.length === 0 ? '' : `${letter}[${locks.map((lock) => this.#showLock(lock)).join(' ')}]`;
    const granted = [...resource.granted].sort((one, other) => one.lkid - other.lkid);
    const value = resource.value === null ? 'none' : `"${textOf(resource.value)}"`;
    return [
      queue('G', granted),
      queue('C', resource.converting),
      queue('W', resource.waiting),
      ...(resource.value !== null || resource.isInvalid ? [`value ${value}${resource.isInvalid ? ' invalid' : ''}`] : []),
    ].filter((part) => part !== '').join(' ');
  }

  /** The id a label stands for, also after its lock has ended. */
  idOf(label: string): Lkid {
    const id = this.#ids.get(label);
    assert.ok(id !== undefined, `no lock was ever called ${label}`);
    return id;
  }

  #pass(duration: number): string[] {
    this.#now = millis(this.#now + duration);
    return this.#step({ kind: 'deadline' });
  }

  #ofOwner(owner: number, verb: string): Input {
    if (verb === 'ends') return { kind: 'endOwner', owner: ownerId(owner) };
    return { kind: 'purgeOwner', lockspace, owner: ownerId(owner) };
  }

  #call(label: string, verb: string, rest: readonly string[]): Input {
    const name = rest.includes('on') ? rest.at(-1)! : 'R';
    const flags = rest.reduce((set, word) => set | (word === 'deaf' ? deafMark : (flagNamed(word) ?? 0)), 0);
    const text = rest.find((word) => word.startsWith('"'))?.slice(1, -1) ?? null;
    const value = text !== null || (flags & Flag.VALBLK) !== 0 ? bytesOf(text ?? '') : null;
    const mode = modeNamed(rest[0] ?? '') as Mode;

    if (verb === 'lock') {
      const owner = ownerId(Number(label.split('/')[1] ?? 1));
      return { kind: 'lock', lockspace, owner, name, mode, flags, value, cookie: label };
    }
    const lkid = this.idOf(label);
    if (verb === 'convert') return { kind: 'convert', lockspace, lkid, mode, flags, value };
    if (verb === 'unlock') return { kind: 'unlock', lockspace, lkid, flags, value };
    assert.ok(verb === 'cancel' || verb === 'deadlock', `what is '${verb}'?`);
    return { kind: 'cancel', lockspace, lkid, flags, status: verb === 'cancel' ? 'ECANCEL' : 'EDEADLK' };
  }

  #step(input: Input): string[] {
    return this.node.step(this.#now, input).map((effect) => this.#tellEffect(effect));
  }

  #tellEffect(effect: Effect): string {
    if (effect.kind === 'refuse') return ['refused', effect.code, ...(effect.rule === null ? [] : [effect.rule.name])].join(' ');
    if (!('cookie' in effect)) return effect.kind;
    const label = effect.cookie as string;
    this.#ids.set(label, effect.lkid);
    if (effect.kind === 'wait') return `${label} waits`;
    if (effect.kind === 'block') return `${label} blocks ${nameOfMode(effect.mode)}`;
    if (effect.kind === 'adopt') return `${label} adopted ${nameOfMode(effect.mode)}`;
    return [
      label,
      effect.status,
      ...(effect.mode === IV ? [] : [nameOfMode(effect.mode)]),
      ...namesOfResults(effect.results).map((result) => `+${result}`),
      ...(effect.value === null ? [] : [`"${textOf(effect.value)}"`]),
    ].join(' ');
  }

  #showLock({ lkid, granted, requested }: LockDump): string {
    const label = [...this.#ids].findLast(([, id]) => id === lkid)?.[0] ?? '?';
    const held = granted === IV && requested !== IV ? '' : `:${nameOfMode(granted)}`;
    return `${label}${held}${requested === IV ? '' : `>${nameOfMode(requested)}`}`;
  }
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(valueLength);
  bytes.set(Buffer.from(text));
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString().replace(/\0+$/, '');
}

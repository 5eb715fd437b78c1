/**
 * Random scripts: what a few owners ask of two resources, one call after another.
 *
 * A script is drawn cheaply, so that a hundred thousand of them are no burden, and
 * shrinks by calls left out, then by flags left out, until every line of it is needed.
 */
import fc from 'fast-check';
import { defaultLaw, kernelLaw, type Law } from '../../src/core/lock/law.js';

export type Verb =
  | 'lock' | 'convert' | 'unlock' | 'cancel' | 'deadlock'
  | 'owner ends' | 'owner purged' | 'orphans purged' | 'ten seconds pass';

export interface Call {
  readonly verb: Verb;
  /** Of a lock call, the new lock; of others, the one that is meant. */
  readonly label: string;
  readonly owner: number;
  readonly resource: string;
  readonly mode: string;
  readonly flags: readonly string[];
  /** What is in the caller's buffer; null where there is none. */
  readonly value: string | null;
}

export interface Script {
  readonly law: Law;
  readonly calls: readonly Call[];
}

const callCountMin = 30;
const callCountMax = 40;
const ownerCount = 4;
/** What the modes of a script are drawn from: all alike, or mostly those that can be shared, so that conversions meet. */
const moods = [
  ['NL', 'CR', 'CW', 'PR', 'PW', 'EX'],
  ['NL', 'NL', 'CR', 'CR', 'CR', 'PR', 'PR', 'PR', 'CW', 'CW', 'PW', 'EX'],
  ['NL', 'NL', 'NL', 'CR', 'CR', 'PR', 'PR', 'CW', 'CW', 'EX'],
];

/** Each flag as often as it is to be drawn. */
const lockFlags = bag({
  NOQUEUE: 4, VALBLK: 12, IVVALBLK: 2, PERSISTENT: 10, EXPEDITE: 3, NOQUEUEBAST: 4, HEADQUE: 4, NOORDER: 6, ORPHAN: 8, ALTPR: 3, ALTCW: 3,
  CANCEL: 1, CONVERT: 1, QUECVT: 1, CONVDEADLK: 1, NODLCKWT: 1, NODLCKBLK: 1, FORCEUNLOCK: 1, TIMEOUT: 1,
});
const convertFlags = bag({
  NOQUEUE: 4, VALBLK: 16, IVVALBLK: 2, PERSISTENT: 4, NOQUEUEBAST: 4, HEADQUE: 8, NOORDER: 8, ALTPR: 6, ALTCW: 6, QUECVT: 12, CONVDEADLK: 16,
  NODLCKWT: 16, CANCEL: 1, CONVERT: 1, EXPEDITE: 1, NODLCKBLK: 1, FORCEUNLOCK: 1, ORPHAN: 1, TIMEOUT: 1,
});
const unlockFlags = bag({ VALBLK: 8, IVVALBLK: 4, FORCEUNLOCK: 4, CANCEL: 2, NOQUEUE: 1 });
/** A conversion that waits in a deadlock and may be granted what it holds: too rare to be left to chance. */
const rareFlags = ['NODLCKWT', 'QUECVT', 'ALTPR'];
const flagCounts = bag({ 0: 9, 1: 8, 2: 4, 3: 2 }).map(Number);
const verbs = bag({
  lock: 50, convert: 90, unlock: 20, cancel: 14, deadlock: 4, 'owner ends': 3, 'owner purged': 1, 'orphans purged': 1, 'ten seconds pass': 1,
}) as Verb[];

function bag(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).flatMap(([word, count]) => new Array<string>(count).fill(word));
}

class Scripts extends fc.Arbitrary<Script> {
  generate(random: fc.Random): fc.Value<Script> {
    const oneOf = <T>(choices: readonly T[]): T => choices[random.nextInt(0, choices.length - 1)]!;
    const law = oneOf([kernelLaw, defaultLaw]);
    const modes = oneOf(moods);
    const labels: string[] = [];
    const length = random.nextInt(callCountMin, callCountMax);
    const calls = Array.from({ length }, (_, index): Call => {
      const verb = labels.length < 2 ? 'lock' : oneOf(verbs);
      const isNew = verb === 'lock';
      if (isNew) labels.push(`${String.fromCharCode(65 + (labels.length % 26))}${labels.length < 26 ? '' : '2'}`);
      const label = isNew ? labels.at(-1)! : labels[Math.max(0, labels.length - 1 - random.nextInt(0, 6))]!;
      const choices = isNew ? lockFlags : verb === 'convert' ? convertFlags : unlockFlags;
      const drawn = Array.from({ length: oneOf(flagCounts) }, () => oneOf(choices));
      const flags = new Set(verb === 'convert' && random.nextInt(0, 24) === 0 ? rareFlags : drawn);
      const value = flags.has('VALBLK') || random.nextInt(0, 3) === 0 ? `v${index}` : null;
      const owner = random.nextInt(1, ownerCount);
      return { verb, label, owner, resource: oneOf(['R', 'R', 'R', 'S']), mode: oneOf(modes), flags: [...flags], value };
    });
    return new fc.Value(scriptOf(law, calls), undefined);
  }

  canShrinkWithoutContext(value: unknown): value is Script {
    return value !== undefined;
  }

  shrink(script: Script): fc.Stream<fc.Value<Script>> {
    return fc.stream(smaller(script)).map((value) => new fc.Value(value, undefined));
  }
}

/** Scripts a little smaller than this one, the boldest attempts first. */
function* smaller({ law, calls }: Script): IterableIterator<Script> {
  for (let size = calls.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from < calls.length; from += size) {
      yield scriptOf(law, [...calls.slice(0, from), ...calls.slice(from + size)]);
    }
  }
  for (const [index, call] of calls.entries()) {
    for (const simpler of simplerCalls(call)) yield scriptOf(law, calls.map((other, at) => (at === index ? simpler : other)));
  }
}

function* simplerCalls(call: Call): IterableIterator<Call> {
  for (const flag of call.flags) yield { ...call, flags: call.flags.filter((other) => other !== flag) };
  if (call.value !== null && !call.flags.includes('VALBLK')) yield { ...call, value: null };
}

export const scripts: fc.Arbitrary<Script> = new Scripts();

/** A script that prints itself when it turns out to be a counterexample. */
function scriptOf(law: Law, calls: readonly Call[]): Script {
  const script: Script = { law, calls };
  return Object.assign(script, { [fc.toStringMethod]: () => `\n${showScript(script)}\n` });
}

/** A script as a person would type it. */
export function showScript({ law, calls }: Script): string {
  return [`under ${law === kernelLaw ? 'the kernel\'s' : 'our'} law:`, ...calls.map(showCall)].join('\n  ');
}

export function showCall({ verb, label, owner, resource, mode, flags, value }: Call): string {
  if (verb.startsWith('owner')) return verb.replace('owner', `owner ${owner}`);
  if (verb === 'orphans purged' || verb === 'ten seconds pass') return verb;
  const wish = verb === 'lock' ? [resource, mode, `of owner ${owner}`] : verb === 'convert' ? [mode] : [];
  return [label, verb, ...wish, ...flags, ...(value === null ? [] : [`"${value}"`])].join(' ');
}

/**
 * In which order does a lockspace want what follows a failure?
 *
 * An order is data: which of the five steps happen, and which wait for the end of
 * which others. It is read, checked and written here, asked by whoever is about to
 * begin a step, and held against what really happened.
 *
 *   suspend   applications stop touching the data, on all members
 *   fence     the failed node is made sure to be off
 *   dlm       locks are recovered; at its end those of the dead may go to others
 *   app       the failed node's data is put in order (its journal is replayed)
 *   resume    applications go on
 *
 * Kin: dlm_controld check_fencing_done(), gfs_controld; Teigland's mail of April 2005.
 */

/** In the order in which people think of them. */
export const steps = ['suspend', 'fence', 'dlm', 'app', 'resume'] as const;
export type Step = (typeof steps)[number];

export interface Order {
  /** Pairs as people write them: the first ends before the second begins; a step alone only happens. */
  readonly text: string;
  readonly steps: ReadonlySet<Step>;
  /** Of each step that happens, all that must have ended before it begins. */
  readonly before: ReadonlyMap<Step, ReadonlySet<Step>>;
}

/** Why an order is refused, as a sentence without a full stop. */
export interface BadOrder {
  readonly problem: string;
}

export const presets: Readonly<Record<string, string>> = {
  gfs: 'suspend<dlm fence<app dlm<app app<resume',
  'fence-first': 'fence<dlm',
  none: 'dlm',
};

const isStep = (word: string): word is Step => (steps as readonly string[]).includes(word);

/** Read a preset, or an order written out: terms parted by spaces or commas. Around `<` there may be spaces, too. */
export function parseOrder(text: string): Order | BadOrder {
  const named = text.trim();
  const written = Object.hasOwn(presets, named) ? presets[named]! : text;
  const happen = new Set<Step>(['dlm']);
  const pairs: [Step, Step][] = [];
  const terms = written.replace(/\s*<\s*/g, '<').split(/[\s,]+/).filter((term) => term !== '');
  for (const term of terms.length === 0 ? [''] : terms) {
    const words = term.split('<');
    const unknown = words.find((word) => !isStep(word));
    if (unknown !== undefined) return { problem: `${unreadable(unknown, term, text)}; ${known}` };
    for (const word of words) happen.add(word as Step);
    for (let place = 1; place < words.length; place += 1) pairs.push([words[place - 1] as Step, words[place] as Step]);
  }
  if (happen.has('resume')) for (const step of happen) if (step !== 'fence' && step !== 'resume') pairs.push([step, 'resume']);
  const order = { text: canonical(happen, pairs), steps: happen, before: closure(happen, pairs) };
  const problem = problemOf(order);
  return problem === null ? order : { problem: `the order "${text}" is refused: ${problem}` };
}

/** An order that is known to be good. */
export function orderOf(text: string): Order {
  const order = parseOrder(text);
  if ('problem' in order) throw new RangeError(order.problem);
  return order;
}

/** Does `later` wait for the end of `earlier`? */
export function waitsFor(order: Order, later: Step, earlier: Step): boolean {
  return order.before.get(later)?.has(earlier) === true;
}

const known = `an order is one of ${Object.keys(presets).join(', ')}, or pairs such as fence<dlm of the steps ${steps.join(', ')}, parted by spaces or commas`;

function unreadable(word: string, term: string, text: string): string {
  if (term === '') return 'the order says nothing';
  return word === '' ? `"${term}" in "${text}" lacks a step on one side of <` : `"${word}" in "${text}" is no step`;
}

/** The name people know it by. */
export function nameOf(order: Order): string {
  return Object.keys(presets).find((name) => orderOf(name).text === order.text) ?? order.text;
}

function canonical(happen: ReadonlySet<Step>, pairs: readonly [Step, Step][]): string {
  const written = [...new Set(pairs.map(([one, other]) => `${one}<${other}`))].sort();
  const alone = steps.filter((step) => happen.has(step) && !pairs.some((pair) => pair.includes(step)));
  return [...written, ...alone].join(' ');
}

function closure(happen: ReadonlySet<Step>, pairs: readonly [Step, Step][]): Map<Step, Set<Step>> {
  const before = new Map(steps.filter((step) => happen.has(step)).map((step) => [step, new Set<Step>()]));
  // Five steps: as many rounds reach whatever can be reached.
  for (const _ of steps) {
    for (const [earlier, later] of pairs) {
      const known = before.get(later)!;
      known.add(earlier);
      for (const step of before.get(earlier)!) known.add(step);
    }
  }
  return before;
}

function problemOf({ steps: happen, before }: Order): string | null {
  const comes = (earlier: Step, later: Step): boolean => before.get(later)?.has(earlier) === true;
  const looped = steps.find((step) => comes(step, step));
  if (looped !== undefined) return `${looped} would wait for itself`;
  if (happen.has('suspend') !== happen.has('resume')) {
    return happen.has('suspend') ? 'whoever was suspended must be resumed; add resume' : 'there is nothing to resume; add suspend<dlm';
  }
  if (happen.has('suspend') && !comes('suspend', 'dlm')) {
    return 'dlm gives locks of the dead to others, so all must be suspended before; write suspend<dlm';
  }
  if (happen.has('suspend') && comes('app', 'dlm')) {
    return 'before dlm nothing is granted and nobody need be suspended; leave out suspend and resume, or write dlm<app';
  }
  if (happen.has('app') && !comes('fence', 'app')) {
    return 'a node that may still write must not have its data put in order; write fence<app';
  }
  if (happen.has('app') && !happen.has('suspend') && !comes('app', 'dlm')) {
    return 'others would get the locks before the data is in order; write app<dlm, or suspend<dlm and app<resume';
  }
  if (happen.has('fence') && ![...happen].some((step) => comes('fence', step))) {
    return 'nothing waits for fence; write fence<dlm, fence<app or fence<resume';
  }
  return null;
}

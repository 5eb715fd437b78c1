/**
 * What a look at a recovery shows, as lines of a screen that has so much room.
 *
 *   the cluster      who is here, in which view, how we are linked
 *   the ladder       a row for each lockspace: what it has reached, where it stands, and why
 *   open cases       who has failed and may still act
 *   the steps        the last ones of the newest recovery, as many as there is room for
 *
 * Lines are made of parts with a tone, and every tone says something that the words say,
 * too: without colours nothing is missing. How a tone looks is not decided here.
 */
import { escapeText, parseOrder, phaseNames, type LockspaceRecovery, type Rung } from '../core/index.js';
import { cut } from './describe.js';
import { clusterWords, endWords, openCases, type Course, type Glance, type SeenStep } from './recovery-glance.js';
import { describeCase, describeStep, formatMillis } from './recovery-words.js';

export type Tone = 'plain' | 'strong' | 'faint' | 'done' | 'now' | 'bad';

export interface Part {
  readonly words: string;
  readonly tone: Tone;
}

export type Line = readonly Part[];

export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** The rungs in their order, each with the step of an order that asks for it; null: every lockspace has it. */
const ladder: readonly (readonly [Rung, 'fence' | 'suspend' | 'app' | null])[] = [
  ['ringid', null],
  ['quorum', null],
  ['fencing', 'fence'],
  ['suspend', 'suspend'],
  ['dlm', null],
  ['app', 'app'],
];

const legend = ['+ reached', '> waits here', '. comes later', '- not in its order'];
/** What may come behind the last line: how to leave. */
const hintLength = 11;

const nameMin = 9;
const nameMax = 20;
/** Where locks are being recovered, or have been, all applications are suspended, in every order that has it. */
const hasBegun: ReadonlySet<string> = new Set([...phaseNames.slice(phaseNames.indexOf('directory')), 'running']);
/** Fewer steps than that are not worth a heading. */
const stepsMin = 3;

/** As many lines as there are rows, at most. */
export function frameOf({ state, course }: Glance, { columns, rows }: Room): Line[] {
  const names = state.lockspaces.map(({ lockspace }) => escapeText(lockspace).length);
  const width = Math.min(nameMax, Math.max(nameMin, ...names));
  const head = [...headLines(state, columns), blank];
  const spaces = state.lockspaces.length === 0 ? [[part('no lockspace is joined', 'faint')]] : state.lockspaces.flatMap((one) => rowsOf(one, width, columns));
  const cases = openCases(state).flatMap((one) => folded(describeCase(one), columns).map((words): Line => [part(words, 'bad')]));
  const above = [...head, [part(`${'LOCKSPACE'.padEnd(width)}  LADDER`, 'faint')], ...spaces, ...notFenced(state), ...(cases.length === 0 ? [] : [blank, [part('OPEN CASES', 'faint')], ...cases])];
  const below: Line[] = [blank, ...wrapped(legend.map((words) => part(words, 'faint')), columns - hintLength, 0)];
  const room = rows - above.length - below.length;
  const steps = course === null || room < stepsMin + 2 ? [] : [blank, ...courseLines(course, room - 1)];
  return [...above, ...steps, ...below].slice(0, rows);
}

export const textOf = (line: Line): string => line.map(({ words }) => words).join('').trimEnd();

const part = (words: string, tone: Tone = 'plain'): Part => ({ words, tone });
const blank: Line = [part(' ')];

function headLines({ cluster, node, quorate, ...state }: Glance['state'], columns: number): Line[] {
  if (cluster === null) return [[part(clusterWords({ cluster, node, quorate, ...state }), 'strong')]];
  const self = cluster.members.find((one) => one.node === node);
  const title: Line = [
    part(`cluster ${escapeText(cluster.name)}`, 'strong'),
    part(`   view ${cluster.view}   `),
    quorate ? part('quorate', 'done') : part('NOT QUORATE', 'bad'),
    part(`   seen by node ${node}${self === undefined ? '' : ` (${escapeText(self.name)})`}`),
  ];
  return [title, ...wrapped(cluster.members.map((one) => memberPart(one)), columns, 2)];
}

function memberPart({ node, name, link }: { readonly node: number; readonly name: string; readonly link: string }): Part {
  return part(`node ${node} (${escapeText(name)}) ${link}`, ['down', 'other key', 'overfull'].includes(link) ? 'bad' : 'plain');
}

/** As many on a line as fit, behind so many spaces. */
function wrapped(parts: readonly Part[], columns: number, indent: number): Line[] {
  const lines: Part[][] = [];
  let length = Infinity;
  for (const one of parts) {
    if (length + 3 + one.words.length > columns) {
      lines.push(indent === 0 ? [one] : [part(' '.repeat(indent)), one]);
      length = indent + one.words.length;
    } else {
      lines.at(-1)!.push(part('   '), one);
      length += 3 + one.words.length;
    }
  }
  return lines;
}

/** The ladder, and below it for whom and why it waits. */
function rowsOf(one: LockspaceRecovery, width: number, columns: number): Line[] {
  const name = cut(escapeText(one.lockspace), width).padEnd(width);
  const rungs = rungsOf(one);
  const length = width + 2 + rungs.reduce((sum, { words }) => sum + words.length, 0);
  const state = one.rung === null ? one.standing : 'waits';
  const tone = one.rung === null ? 'plain' : 'now';
  const hasRoom = length + 2 + state.length <= columns;
  const row: Line = [part(name, 'strong'), part('  '), ...rungs, ...(hasRoom ? [part(`  ${state}`, tone)] : [])];
  const indent = ' '.repeat(width + 2);
  if (one.rung === null) return hasRoom ? [row] : [row, [part(`${indent}${state}`)]];
  const who = one.waitsFor.length === 0 ? '' : `for node ${one.waitsFor.join(', ')}: `;
  return [row, ...folded(`${who}${escapeText(one.words)}`, columns - indent.length).map((words): Line => [part(`${indent}${words}`, 'now')])];
}

function rungsOf({ rung, order, standing }: LockspaceRecovery): Part[] {
  const parsed = parseOrder(order);
  const standsAt = rung === null ? ladder.length : ladder.findIndex(([name]) => name === rung);
  const isPast = { suspend: hasBegun.has(standing), dlm: standing === 'running' } as Partial<Record<Rung, boolean>>;
  return ladder.flatMap(([name, step], index) => {
    const isMissing = step !== null && !('problem' in parsed) && !parsed.steps.has(step) && name !== rung;
    const gap = index === 0 ? [] : [part(' ')];
    return [...gap, isMissing ? part(`-${name}`, 'faint') : rungPart(name, isPast[name] === true && name !== rung ? -1 : index - standsAt)];
  });
}

function rungPart(name: Rung, distance: number): Part {
  if (distance < 0) return part(`+${name}`, 'done');
  return distance === 0 ? part(`>${name}`, 'now') : part(`.${name}`, 'plain');
}

/** Words on lines of that length, two at most: where there is more, `recover status` has it. */
function folded(words: string, length: number): string[] {
  if (words.length <= length) return [words];
  const at = words.lastIndexOf(' ', length);
  const first = at <= 0 ? words.slice(0, length) : words.slice(0, at);
  return [first, cut(words.slice(first.length).trimStart(), length)];
}

function notFenced({ fencing }: Glance['state']): Line[] {
  return fencing?.isOn === false ? [[part(`failed nodes are NOT fenced (${escapeText(fencing.words)})`, 'bad')]] : [];
}

/** A heading for each lockspace, and the last steps. */
function courseLines({ records, steps }: Course, room: number): Line[] {
  const headings = Array.from(records, ([name, record]): Line => [record === null ? part(`${escapeText(name)} recovers`, 'now') : part(endWords(record), 'done')]);
  const shown = headings.slice(0, room);
  const last = room > shown.length ? steps.slice(shown.length - room) : [];
  return [...shown, ...last.map((seen) => stepLine(seen, records.size > 1))];
}

function stepLine({ lockspaces, step }: SeenStep, isNamed: boolean): Line {
  const name = isNamed ? `${lockspaces.map(escapeText).join(', ')}: ` : '';
  return [part(`${formatMillis(step.millis).padStart(11)}  `, 'faint'), part(`${name}${describeStep(step)}`, step.state === 'failed' ? 'bad' : 'plain')];
}

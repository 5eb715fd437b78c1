/**
 * What we did, held against what the kernel did: one step, field by field.
 *
 * Callbacks are compared lock by lock in order, since the mutual order of
 * different processes is a race; granted locks as a set, for their order means
 * nothing; converting and waiting locks in order. The label `?` stands for any.
 */
import { labelOfEvent, type Outcome, type RecordedEvent, type RecordedResource, type RecordedStep } from './recording.js';

/** Where to look: the return code, the callbacks of a lock, a part of a resource, or the line itself. */
export interface Field {
  readonly kind: 'op' | 'rc' | 'ev' | 'st';
  /** The lock's label, the resource's name, or nothing. */
  readonly subject: string;
  /** Of a resource: `g`, `c`, `w`, `lvb`, `invalid`, `master`, or all of it. */
  readonly part: string;
}

export interface Difference extends Field {
  readonly kernel: string;
  readonly ours: string;
}

/** `rc`, `ev A`, `st R g`… */
export function showField({ kind, subject, part }: Field): string {
  return [kind, subject, part].filter((word) => word !== '').join(' ');
}

/** The differences from the recorded step, or from the closest of its variations. */
export function compareStep(recorded: RecordedStep, ours: Outcome): Difference[] {
  const outcomes = [recorded, ...(recorded.varies ?? [])];
  const all = outcomes.map((outcome) => compareOutcome(outcome, ours));
  return all.reduce((fewest, next) => (next.length < fewest.length ? next : fewest));
}

function compareOutcome(kernel: Outcome, ours: Outcome): Difference[] {
  return [
    ...compareField(at('rc'), kernel.rc ?? '', ours.rc ?? ''),
    ...(ours.st === undefined ? [] : compareWorld(kernel, ours)),
  ];
}

/** After a step in haste nobody looked: its callbacks show up in the next one. */
function compareWorld(kernel: Outcome, ours: Outcome): Difference[] {
  return [
    ...compareEvents(kernel.ev ?? [], ours.ev ?? []),
    ...compareStates(kernel.st ?? {}, ours.st ?? {}),
  ];
}

function at(kind: Field['kind'], subject = '', part = ''): Field {
  return { kind, subject, part };
}

function compareField(field: Field, kernel: string, ours: string): Difference[] {
  return kernel === ours ? [] : [{ ...field, kernel, ours }];
}

function compareEvents(kernel: readonly RecordedEvent[], ours: readonly RecordedEvent[]): Difference[] {
  const theirs = eventsByLock(kernel);
  const mine = eventsByLock(ours);
  if (theirs.has('?')) {
    const show = (events: readonly RecordedEvent[]): string => events.map(showEvent).sort().join(' ');
    return compareField(at('ev', '?'), show(kernel), show(ours));
  }
  const labels = new Set([...theirs.keys(), ...mine.keys()]);
  return [...labels].sort().flatMap((label) =>
    compareField(at('ev', label), (theirs.get(label) ?? []).join(' '), (mine.get(label) ?? []).join(' ')),
  );
}

function eventsByLock(events: readonly RecordedEvent[]): Map<string, string[]> {
  const byLock = new Map<string, string[]>();
  for (const event of events) {
    const label = labelOfEvent(event);
    byLock.set(label, [...(byLock.get(label) ?? []), showEvent(event)]);
  }
  return byLock;
}

function showEvent(event: RecordedEvent): string {
  if ('bast' in event) return `bast(${event.mode})`;
  if ('late_rc' in event) return `late(${event.rc})`;
  const flags = (event.flags ?? []).map((flag) => `,${flag}`).join('');
  const value = event.lvb === undefined ? '' : `,lvb=${event.lvb}`;
  return `ast(${event.status}${flags}${value})`;
}

type State = Readonly<Record<string, RecordedResource>>;

function compareStates(kernel: State, ours: State): Difference[] {
  const names = new Set([...Object.keys(kernel), ...Object.keys(ours)]);
  return [...names].sort().flatMap((name) => compareResource(name, kernel[name], ours[name]));
}

function compareResource(name: string, kernel?: RecordedResource, ours?: RecordedResource): Difference[] {
  if (kernel === undefined || ours === undefined) {
    return compareField(at('st', name), JSON.stringify(kernel ?? null), JSON.stringify(ours ?? null));
  }
  const known = new Set([...(kernel.g ?? []), ...(kernel.c ?? []), ...(kernel.w ?? [])].map(labelIn));
  const show = (locks: readonly string[] = []): string[] =>
    locks.map((lock) => (known.has('?') && !known.has(labelIn(lock)) ? lock.replace(/^.*:/, '?:') : lock));
  return [
    ...compareField(at('st', name, 'g'), [...(kernel.g ?? [])].sort().join(' '), show(ours.g).sort().join(' ')),
    ...compareField(at('st', name, 'c'), (kernel.c ?? []).join(' '), show(ours.c).join(' ')),
    ...compareField(at('st', name, 'w'), (kernel.w ?? []).join(' '), show(ours.w).join(' ')),
    ...compareField(at('st', name, 'lvb'), kernel.lvb ?? 'none', ours.lvb ?? 'none'),
    ...compareField(at('st', name, 'invalid'), String(kernel.invalid ?? false), String(ours.invalid ?? false)),
    ...compareField(at('st', name, 'master'), String(kernel.master ?? 'not told'), String(ours.master ?? 'not told')),
  ];
}

/** The label in `LABEL:GR>RQ`; labels may contain a colon themselves. */
function labelIn(lock: string): string {
  return lock.slice(0, lock.lastIndexOf(':'));
}

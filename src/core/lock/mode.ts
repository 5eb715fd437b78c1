/**
 * The six modes, and which of them may be held side by side.
 *
 * A mode says what its holder may do and what it lets others do meanwhile: from
 * NL (interest only) to EX (alone). PR and CW are neighbours by number only:
 * each excludes the other, and neither is stronger.
 *
 * Kin: __dlm_compat_matrix, middle_conversion(), down_conversion().
 */

export const NL = 0;
export const CR = 1;
export const CW = 2;
export const PR = 3;
export const PW = 4;
export const EX = 5;

/** No mode: what a lock holds before its first grant, and asks for when it is at rest. */
export const IV = -1;

export type Mode = typeof NL | typeof CR | typeof CW | typeof PR | typeof PW | typeof EX;
export type ModeOrNone = Mode | typeof IV;
export type ModeName = 'NL' | 'CR' | 'CW' | 'PR' | 'PW' | 'EX';

export const modes: readonly Mode[] = [NL, CR, CW, PR, PW, EX];
export const modeNames: readonly ModeName[] = ['NL', 'CR', 'CW', 'PR', 'PW', 'EX'];

const bit = (mode: Mode): number => 1 << mode;
const allBut = (...excluded: Mode[]): number =>
  modes.reduce<number>((mask, mode) => (excluded.includes(mode) ? mask : mask | bit(mode)), 0);

/** For each mode, the modes it tolerates beside it. */
const tolerated: readonly number[] = [
  /* NL */ allBut(),
  /* CR */ allBut(EX),
  /* CW */ allBut(PR, PW, EX),
  /* PR */ allBut(CW, PW, EX),
  /* PW */ allBut(CW, PR, PW, EX),
  /* EX */ bit(NL),
];

/** Can `asked` be granted beside `held`? No mode gets on with every mode. */
export function compatible(held: ModeOrNone, asked: ModeOrNone): boolean {
  if (held === IV || asked === IV) return true;
  return (tolerated[held]! & bit(asked)) !== 0;
}

/** Does `asked` conflict with any mode of a set, given as a bit mask? */
export function conflictsWithAny(asked: Mode, held: number): boolean {
  return (held & ~tolerated[asked]!) !== 0;
}

/** A set of modes with one more in it. */
export function withMode(set: number, mode: Mode): number {
  return set | bit(mode);
}

/**
 * Does a conversion give up something and take nothing that anybody could be in the way of, nor a new token?
 * Then its holder need not wait to be told so by the master.
 */
export function isSilent(from: ModeOrNone, to: Mode): boolean {
  return from > to && (to === NL || (to === CR && from !== EX));
}

/** PR and CW in either order: a conversion between them goes neither up nor down. */
export function areMiddlePair(one: ModeOrNone, other: ModeOrNone): boolean {
  return (one === PR && other === CW) || (one === CW && other === PR);
}

/** What whoever has one of them or the other has for certain. */
export function commonMode(one: Mode, other: Mode): Mode {
  return areMiddlePair(one, other) ? CR : one < other ? one : other;
}

/** Is a conversion downward, so that it can never be refused? */
export function isDown(granted: ModeOrNone, requested: ModeOrNone): boolean {
  return !areMiddlePair(granted, requested) && requested < granted;
}

export function isMode(value: number): value is Mode {
  return Number.isInteger(value) && value >= NL && value <= EX;
}

/** The name of a mode; `IV` for none. */
export function nameOfMode(mode: ModeOrNone): ModeName | 'IV' {
  return mode === IV ? 'IV' : modeNames[mode]!;
}

/** The mode of that name, in either case, or null. */
export function modeNamed(name: string): Mode | null {
  const index = modeNames.indexOf(name.toUpperCase() as ModeName);
  return index < 0 ? null : modes[index]!;
}

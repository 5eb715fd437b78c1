/**
 * Lock flags: what a caller may ask for beside the mode, what a completion
 * reports beside the status, and which combinations are refused.
 *
 * The refusals are a table, so that an error can name the rule that was broken.
 * Combinations that are merely useless are accepted, as the field accepts them.
 *
 * Kin: dlmconstants.h DLM_LKF_*, DLM_SBF_*; set_lock_args(), set_unlock_args().
 */
import { CR, CW, EX, NL, PR, PW, isMode, type Mode, type ModeOrNone } from './mode.js';

/** The flags of a call, by the field's names and numbers. */
export const Flag = {
  NOQUEUE: 0x1,
  CANCEL: 0x2,
  CONVERT: 0x4,
  VALBLK: 0x8,
  QUECVT: 0x10,
  IVVALBLK: 0x20,
  CONVDEADLK: 0x40,
  PERSISTENT: 0x80,
  NODLCKWT: 0x100,
  NODLCKBLK: 0x200,
  EXPEDITE: 0x400,
  NOQUEUEBAST: 0x800,
  HEADQUE: 0x1000,
  NOORDER: 0x2000,
  ORPHAN: 0x4000,
  ALTPR: 0x8000,
  ALTCW: 0x10000,
  FORCEUNLOCK: 0x20000,
  TIMEOUT: 0x40000,
} as const;
export type FlagName = keyof typeof Flag;

/**
 * The mark of a request of the recovery process, which may lock while applications are suspended. Nobody can ask for it
 * by name: the driver sets it when the caller has shown that it is that process.
 */
export const recoveryMark = 0x4000_0000;

/**
 * The mark of a lock whose holder has nobody to hear that others wait. It is told nothing of it, which spares a message
 * where its master is another node. To the field this is a call without a blocking callback, and no flag.
 */
export const deafMark = 0x2000_0000;

/**
 * The mark of a conversion whose value was lost outside a quorum: what it would write is not valid. Unlike IVVALBLK it says
 * nothing of the unlock that follows, which may write again.
 */
export const lostMark = 0x1000_0000;

/** The mark of a conversion that another master is asked or told of, since its own is gone: that one may have granted it, and could not say so. */
export const againMark = 0x0800_0000;

/**
 * The mark of a lock whose token is not of the mode it has: its holder has taken a conversion for done, with which its master may
 * have given it another token, or it has fallen back to less. So it is until the next grant.
 */
export const oldTokenMark = 0x0400_0000;

/**
 * The mark of a conversion that wants to know the value and brings none: where it would write one, it moves nothing. What mode
 * the lock has by then, its caller may not know. It goes no farther than the lockspace.
 */
export const readMark = 0x0200_0000;

/** What a completion tells beside its status. */
/** NOTSTORED is ours: the lock has ended outside a quorate view, and the value that its unlock brought is lost. */
export const Result = { DEMOTED: 0x1, VALNOTVALID: 0x2, ALTMODE: 0x4, NOTSTORED: 0x8 } as const;
export type ResultName = keyof typeof Result;

/** A refused combination: the rule's name and its sentence. */
export interface Rule {
  readonly name: string;
  readonly text: string;
}

interface LockRule extends Rule {
  readonly broken: (flags: number, mode: number, nameLength: number) => boolean;
}

/** The longest resource name, in bytes. */
export const nameLengthMax = 64;

/** Both flags at once. */
const both = (flags: number, one: number, other: number): boolean =>
  (flags & one) !== 0 && (flags & other) !== 0;

/** What a lock or convert call may not ask for. The first that is broken is reported. */
const lockRules: readonly LockRule[] = [
  {
    name: 'mode-known',
    text: 'the mode must be one of NL CR CW PR PW EX',
    broken: (_flags, mode) => !isMode(mode),
  },
  {
    name: 'name-length',
    text: `a resource name has at most ${nameLengthMax} bytes`,
    broken: (flags, _mode, length) => !(flags & Flag.CONVERT) && length > nameLengthMax,
  },
  {
    name: 'cancel-is-for-cancel',
    text: 'CANCEL belongs to a cancel, not to a lock or a conversion',
    broken: (flags) => (flags & Flag.CANCEL) !== 0,
  },
  {
    name: 'quecvt-needs-convert',
    text: 'QUECVT orders conversions; a new request has no use for it',
    broken: (flags) => (flags & Flag.QUECVT) !== 0 && !(flags & Flag.CONVERT),
  },
  {
    name: 'convdeadlk-needs-convert',
    text: 'CONVDEADLK resolves a deadlock of conversions; a new request cannot be in one',
    broken: (flags) => (flags & Flag.CONVDEADLK) !== 0 && !(flags & Flag.CONVERT),
  },
  {
    name: 'convdeadlk-waits',
    text: 'CONVDEADLK gives up the granted mode in order to wait, so it cannot go with NOQUEUE',
    broken: (flags) => both(flags, Flag.CONVDEADLK, Flag.NOQUEUE),
  },
  {
    name: 'expedite-is-new',
    text: 'EXPEDITE is for a new request, not for a conversion',
    broken: (flags) => both(flags, Flag.EXPEDITE, Flag.CONVERT),
  },
  {
    name: 'expedite-never-queues',
    text: 'EXPEDITE is always granted at once, so QUECVT and NOQUEUE have no meaning beside it',
    broken: (flags) => both(flags, Flag.EXPEDITE, Flag.QUECVT | Flag.NOQUEUE),
  },
  {
    name: 'expedite-is-nl',
    text: 'EXPEDITE is for mode NL only',
    broken: (flags, mode) => (flags & Flag.EXPEDITE) !== 0 && mode !== NL,
  },
];

/** The rule that a lock or convert call breaks, or null. */
export function brokenLockRule(flags: number, mode: number, nameLength: number): Rule | null {
  const plain = flags & (Flag.CANCEL | Flag.QUECVT | Flag.CONVDEADLK | Flag.EXPEDITE);
  if (plain === 0 && isMode(mode) && nameLength <= nameLengthMax) return null;
  return lockRules.find((rule) => rule.broken(flags, mode, nameLength)) ?? null;
}

const unlockFlags = Flag.CANCEL | Flag.VALBLK | Flag.IVVALBLK | Flag.FORCEUNLOCK;

const unlockRules = {
  flags: {
    name: 'unlock-flags',
    text: 'an unlock or a cancel takes CANCEL, VALBLK, IVVALBLK and FORCEUNLOCK, and no other flag',
  },
  cancelOrForce: {
    name: 'cancel-or-force',
    text: 'CANCEL keeps what is granted and FORCEUNLOCK ends it: ask for one of them',
  },
} satisfies Record<string, Rule>;

/** The rule that an unlock or cancel call breaks, or null. */
export function brokenUnlockRule(flags: number): Rule | null {
  if ((flags & ~unlockFlags) !== 0) return unlockRules.flags;
  if (both(flags, Flag.CANCEL, Flag.FORCEUNLOCK)) return unlockRules.cancelOrForce;
  return null;
}

/** For each granted mode, the modes a QUECVT conversion may go to: strictly up, or across. */
const queueable: readonly (readonly Mode[])[] = [
  /* NL */ [CR, CW, PR, PW, EX],
  /* CR */ [CW, PR, PW, EX],
  /* CW */ [PR, PW, EX],
  /* PR */ [CW, PW, EX],
  /* PW */ [EX],
  /* EX */ [],
];

const quecvtRule: Rule = {
  name: 'quecvt-goes-up',
  text: 'QUECVT is for a conversion upward, or between PR and CW; others are granted without a queue',
};

/** The rule that a conversion between these two modes breaks, or null. */
export function brokenConvertRule(flags: number, granted: ModeOrNone, requested: Mode): Rule | null {
  if (!(flags & Flag.QUECVT)) return null;
  return queueable[granted]?.includes(requested) ? null : quecvtRule;
}

/** Every rule a call can break, for documentation and for tests. */
export const rules: readonly Rule[] = [
  ...lockRules,
  unlockRules.flags,
  unlockRules.cancelOrForce,
  quecvtRule,
];

/** The flag of that name, in either case, or null. */
export function flagNamed(name: string): number | null {
  return Flag[name.toUpperCase() as FlagName] ?? null;
}

/** The names of the flags in a set, in the order of their numbers. */
export function namesOfFlags(flags: number): FlagName[] {
  return (Object.keys(Flag) as FlagName[]).filter((name) => (flags & Flag[name]) !== 0);
}

/** The names of the results in a set. */
export function namesOfResults(results: number): ResultName[] {
  return (Object.keys(Result) as ResultName[]).filter((name) => (results & Result[name]) !== 0);
}

/**
 * Words of the law as they are typed: a lock mode, a flag.
 */
import { DlmError, Flag, escapeText, modeNamed, nameOfMode, type FlagName, type ModeName } from '../core/index.js';

/** Throws `DLM_USAGE`. */
export function parseMode(text: string): ModeName {
  const found = modeNamed(text);
  if (found !== null) return nameOfMode(found) as ModeName;
  throw new DlmError('DLM_USAGE', `'${escapeText(text)}' is no lock mode`, 'the modes are NL CR CW PR PW EX; see: dlm modes');
}

/** The flags of the law that a call may carry; CANCEL and CONVERT are verbs here. */
export const liveFlags: readonly FlagName[] = [
  'NOQUEUE', 'NOQUEUEBAST', 'QUECVT', 'CONVDEADLK', 'NODLCKWT', 'EXPEDITE', 'NOORDER', 'HEADQUE',
  'ALTPR', 'ALTCW', 'VALBLK', 'IVVALBLK', 'PERSISTENT', 'ORPHAN', 'FORCEUNLOCK',
];

/** Throws `DLM_USAGE`. */
export function parseFlag(text: string): FlagName {
  const name = text.toUpperCase() as FlagName;
  if (liveFlags.includes(name)) return name;
  const why = name in Flag ? 'cannot be given here' : 'is no lock flag';
  throw new DlmError('DLM_USAGE', `'${escapeText(text)}' ${why}`, `the flags are ${liveFlags.join(' ')}`);
}

/** The flags of a call: those given by name, and those with an option of their own. */
export function flagsFor(named: readonly FlagName[] | undefined, options: Partial<Record<FlagName, boolean>>): FlagName[] {
  const own = (Object.keys(options) as FlagName[]).filter((name) => options[name] === true);
  return [...new Set([...(named ?? []), ...own])];
}

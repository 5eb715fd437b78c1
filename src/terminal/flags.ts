/**
 * The options that several commands share, each defined once, so that a letter
 * means the same everywhere.
 *
 * Spellings are flock(1)'s where the meaning is: -s -x -n -w -E.
 */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { FlagName, ModeName } from '../core/index.js';
import { parseDuration } from './durations.js';
import { flagsFor, parseFlag, parseMode } from './law-words.js';
import { lockspaceName } from './names.js';

/** Arguments are never taken from standard input, which belongs to the command that is run. */
const fromLineOnly = { ignoreStdin: true };

export const nameArg = Args.string({
  description: 'the resource, 1 to 64 bytes of text; put -- before a name that begins with a dash',
  ...fromLineOnly,
});

export const lockIdArg = Args.string({
  description: 'the id that dlm lock printed, as in default:1.7.0000002a',
  required: true,
  ...fromLineOnly,
});

/** A word whose meaning the command explains. */
export const wordArg = (description: string) => Args.string({ description, ...fromLineOnly });
export const neededWordArg = (description: string) => Args.string({ description, required: true, ...fromLineOnly });

const mode = Flags.custom<ModeName>({
  char: 'm',
  helpValue: 'MODE',
  parse: async (text) => parseMode(text),
});

export const modeFlag = mode({ summary: 'NL, CR, CW, PR, PW or EX; EX if not given (see: dlm modes)' });

export const neededModeFlag = mode({ summary: 'NL, CR, CW, PR, PW or EX (see: dlm modes)', required: true });

const duration = Flags.custom<number>({ helpValue: 'TIME', parse: async (text) => parseDuration(text) });

/** How long to wait for a grant. */
export const patienceFlags = {
  nonblock: Flags.boolean({ char: 'n', summary: 'fail at once if the lock is busy', exclusive: ['wait'], helpGroup: 'WAITING' }),
  wait: duration({
    char: 'w',
    aliases: ['timeout'],
    summary: 'give up after so many seconds (0.5), or 500ms, 2m, 1h',
    helpGroup: 'WAITING',
  }),
};

export const conflictExitFlag = {
  'conflict-exit-code': Flags.integer({
    char: 'E',
    min: 0,
    max: 255,
    helpValue: 'N',
    summary: 'the exit code for busy and for timed out, in place of 80 and 81',
    helpGroup: 'WAITING',
  }),
};

export const quietFlag = {
  quiet: Flags.boolean({ char: 'q', summary: 'say nothing on standard error but what went wrong; the exit code tells busy and timed out' }),
};

export const nameHexFlag = {
  'name-hex': Flags.string({ helpValue: 'HEX', summary: 'the resource name as hex, where text will not do' }),
};

export const lockspaceFlag = {
  lockspace: Flags.custom<string>({
    char: 'l',
    helpValue: 'NAME',
    summary: 'the lockspace [default: default]',
    parse: async (text) => lockspaceName(text),
  })(),
};

/** What to do where no node runs. */
export const startFlags = {
  'no-start': Flags.boolean({ summary: 'fail if no node runs, instead of starting one in the background', helpGroup: 'NODE' }),
};

/** A node of the command's own, which ends with it. */
export const inProcessFlags = {
  'in-process': Flags.boolean({ summary: 'run a node inside this command, for its lifetime', helpGroup: 'NODE' }),
  alone: Flags.boolean({
    summary: 'with --in-process: on purpose a node that shares its locks with nobody',
    dependsOn: ['in-process'],
    helpGroup: 'NODE',
  }),
};

const lockFlag = Flags.custom<FlagName>({
  helpValue: 'FLAG',
  parse: async (text) => parseFlag(text),
});

export const lockFlags = {
  flag: lockFlag({
    multiple: true,
    multipleNonGreedy: true,
    summary: 'a flag of the law, such as QUECVT or NOORDER; may be repeated',
  }),
};

export const ownerFlag = {
  'owner-pid': Flags.integer({
    min: 1,
    helpValue: 'PID',
    summary: 'without COMMAND: the process whose end frees the lock [default: the one that called dlm]',
  }),
};

const hook = (summary: string) => Flags.string({ helpValue: 'PROGRAM', summary, helpGroup: 'HOOK' });

/** Programs to run when something happens to a lock while a command runs under it. */
export const hookFlags = {
  'on-grant': hook('run this when the lock is granted, beside COMMAND'),
  'on-blocked': hook('the doorbell: run this when somebody is kept waiting by the lock'),
  'on-lost': hook('run this when the lock is lost, while COMMAND is being stopped'),
};

/** A value to write, as text or as hex. */
export const valueFlags = {
  value: Flags.string({ helpValue: 'TEXT', summary: 'the value to write, as text', exclusive: ['value-hex'] }),
  'value-hex': Flags.string({ helpValue: 'HEX', summary: 'the value to write, as hex' }),
};

export { flagsFor };

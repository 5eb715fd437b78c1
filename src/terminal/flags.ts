/**
 * The options that several commands share, each defined once, so that a letter
 * means the same everywhere.
 *
 * Spellings are flock(1)'s, all of them, where the meaning is: -s -x -e -n -w -E -c.
 */
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { FlagName, ModeName } from '../core/index.js';
import { parseDuration } from './durations.js';
import { flagsFor, parseFlag, parseMode } from './law-words.js';
import { lockspaceName } from './names.js';
import { parseBig, parseWhole } from './numbers.js';

/** Arguments are never taken from standard input, which belongs to the command that is run. */
const fromLineOnly = { ignoreStdin: true };

export const nameArg = Args.string({
  description: 'the resource, 1 to 64 bytes of text; put -- before a name that begins with a dash',
  ...fromLineOnly,
});

export const lockIdArg = Args.string({
  description: 'the id that dlm lock printed, as in default:1.7.0000002a',
  ...fromLineOnly,
});

/** A word whose meaning the command explains. */
export const wordArg = (description: string) => Args.string({ description, ...fromLineOnly });
export const neededWordArg = (description: string) => Args.string({ description, required: true, ...fromLineOnly });

/** Numbers are read by our own parser, for what the library's says is not ours. */
const whole = (min: number, max?: number) => Flags.custom<number>({ parse: async (text) => parseWhole(text, min, max) });
export const lengthFlag = whole(1, 65_535);
export const pidFlag = whole(1);
export const seedFlag = whole(0);
export const countFlag = whole(1);
export const nodesFlag = whole(1, 32);
/** The greatest number of a node. */
export const nodeMax = 0x7fff_ffff;
export const nodeFlag = whole(1, nodeMax);
export const neededNodeFlag = Flags.custom<number>({ parse: async (text) => parseWhole(text, 1, nodeMax) })({ helpValue: 'N', summary: 'the number of the node', required: true });
export const weightFlag = whole(0, 0x7fff_ffff);
export const bigFlag = Flags.custom<bigint>({ parse: async (text) => parseBig(text) });

const mode = Flags.custom<ModeName>({
  char: 'm',
  helpValue: 'MODE',
  parse: async (text) => parseMode(text),
});

export const modeFlag = mode({ summary: 'NL, CR, CW, PR, PW or EX; EX if not given (see: dlm modes)' });

export const neededModeFlag = mode({ summary: 'NL, CR, CW, PR, PW or EX (see: dlm modes)', required: true });

export const durationFlag = Flags.custom<number>({ helpValue: 'TIME', parse: async (text) => parseDuration(text) });

/** How long to wait for a grant. */
export const patienceFlags = {
  nonblock: Flags.boolean({
    char: 'n',
    aliases: ['nb', 'nonblocking'],
    summary: 'fail at once if the lock is busy',
    exclusive: ['wait'],
    helpGroup: 'WAITING',
  }),
  wait: durationFlag({
    char: 'w',
    aliases: ['timeout'],
    summary: 'give up after so many seconds (0.5), or 500ms, 2m, 1h',
    helpGroup: 'WAITING',
  }),
};

export const conflictExitFlag = {
  'conflict-exit-code': whole(0, 255)({
    char: 'E',
    helpValue: 'N',
    summary: 'the exit code for busy and for timed out, in place of 80 and 81',
    helpGroup: 'WAITING',
  }),
};

export const quietFlag = {
  quiet: Flags.boolean({ char: 'q', summary: 'say nothing on standard error but what went wrong' }),
};

/** For commands that wait for a lock. */
export const quietWaitFlag = {
  quiet: Flags.boolean({ char: 'q', summary: 'say nothing on standard error but what went wrong; the exit code tells busy and timed out' }),
};

export const nameHexFlag = {
  'name-hex': Flags.string({ helpValue: 'HEX', summary: 'the resource name as hex, where text will not do' }),
};

const lockspace = Flags.custom<string>({
  char: 'l',
  helpValue: 'NAME',
  parse: async (text) => lockspaceName(text),
});

export const lockspaceFlag = { lockspace: lockspace({ summary: 'the lockspace [default: default]' }) };

/** Where nothing said means every one. */
export const onlyLockspaceFlag = { lockspace: lockspace({ summary: 'only this lockspace [default: all]' }) };

/** What to do where no node runs. */
export const startFlags = {
  'no-start': Flags.boolean({ summary: 'fail if no node runs, instead of starting one in the background', helpGroup: 'NODE' }),
};

const lockFlag = Flags.custom<FlagName>({
  helpValue: 'FLAG',
  parse: async (text) => parseFlag(text),
});

export const lockFlags = {
  flag: lockFlag({
    multiple: true,
    multipleNonGreedy: true,
    summary: 'a flag of the law, such as QUECVT (docs/glossary.md has all); may be repeated',
  }),
};

export const ownerFlag = {
  'owner-pid': pidFlag({
    helpValue: 'PID',
    summary: 'without COMMAND: the process whose end frees the lock [default: the one that called dlm]',
  }),
};

/** In place of an id: the lock that the caller has on a name. */
export const ownLockFlags = {
  name: Flags.string({ helpValue: 'NAME', summary: 'in place of ID: the lock that the calling script has on this resource', helpGroup: 'BY NAME' }),
  'name-hex': Flags.string({ helpValue: 'HEX', summary: 'the same, with the name as hex', helpGroup: 'BY NAME' }),
  lockspace: lockspace({ summary: 'the lockspace of that name [default: default]', helpGroup: 'BY NAME' }),
  'owner-pid': pidFlag({
    helpValue: 'PID',
    summary: 'whose lock on that name [default: of the process that called dlm]',
    helpGroup: 'BY NAME',
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

/** For changes that begin with what is there. */
export const allowInvalidFlag = {
  'allow-invalid': Flags.boolean({ summary: 'go on from the last value written also if it is not valid' }),
};

export { flagsFor };

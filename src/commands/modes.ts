/**
 * The six lock modes.
 */
import { DlmError, compatible, escapeText, modeNamed, modeNames, transferOf, type ModeName } from '../core/index.js';
import { BaseCommand } from '../terminal/base-command.js';
import { wordArg } from '../terminal/flags.js';
import { prose } from '../terminal/prose.js';
import { modesTable } from '../terminal/tables.js';

const meaning: Readonly<Record<ModeName, string>> = {
  NL: 'null: no access, only interest; keeps the value alive',
  CR: 'concurrent read: reads while others may write',
  CW: 'concurrent write: writes while others may write too',
  PR: 'protected read: reads, and nobody writes; the usual shared lock',
  PW: 'protected write: writes, while others may read concurrently (CR)',
  EX: 'exclusive: alone; the usual lock',
};

export default class Modes extends BaseCommand {
  static override summary = 'Show the lock modes, and which get on with which';
  static override usage = 'modes [A [B]]';
  static override description = prose`
    Without arguments the whole table. With one mode, that mode. With two: may B be granted while another holds A,
    and what does a conversion from A to B do?`;
  static override examples = ['<%= config.bin %> modes', '<%= config.bin %> modes PR', '<%= config.bin %> modes PR CW'];
  static override args = { a: wordArg('a mode: NL, CR, CW, PR, PW or EX'), b: wordArg('another mode') };

  async run(): Promise<unknown> {
    const { args } = await this.parse(Modes);
    if (args.a === undefined) return this.#all();
    const a = needMode(args.a);
    return args.b === undefined ? this.#one(a) : this.#two(a, needMode(args.b));
  }

  #all(): unknown {
    this.print(modesTable());
    this.print('');
    for (const mode of modeNames) this.print(`${mode}  ${meaning[mode]}`);
    return modeNames.map((mode) => describe(mode));
  }

  #one(mode: ModeName): unknown {
    const { compatibleWith } = describe(mode);
    this.print(`${mode}  ${meaning[mode]}`);
    this.print(`gets on with ${compatibleWith.join(' ')}`);
    return describe(mode);
  }

  #two(a: ModeName, b: ModeName): unknown {
    const areCompatible = getOn(a, b);
    const transfer = transferOf(modeNamed(a)!, modeNamed(b)!);
    this.print(`${a} and ${b}: ${areCompatible ? 'may be held side by side' : 'exclude each other'}`);
    this.print(`converting ${a} to ${b}: ${directionOf(a, b)}; the value is ${transferWords[transfer]}`);
    return { a, b, compatible: areCompatible, direction: directionOf(a, b), value: transfer };
  }
}

const transferWords = { read: 'read', write: 'written', none: 'left alone' };

function needMode(word: string): ModeName {
  const mode = modeNames.find((name) => name === word.toUpperCase());
  if (mode !== undefined) return mode;
  throw new DlmError('DLM_USAGE', `'${escapeText(word)}' is no lock mode`, `the modes are ${modeNames.join(' ')}`);
}

function getOn(a: ModeName, b: ModeName): boolean {
  return compatible(modeNamed(a)!, modeNamed(b)!);
}

function describe(mode: ModeName): { mode: ModeName; meaning: string; compatibleWith: ModeName[] } {
  return { mode, meaning: meaning[mode], compatibleWith: modeNames.filter((other) => getOn(mode, other)) };
}

/** PR and CW are neighbours: going from one to the other is neither up nor down. */
function directionOf(a: ModeName, b: ModeName): string {
  if (a === b) return 'no change';
  if ((a === 'PR' && b === 'CW') || (a === 'CW' && b === 'PR')) return 'across, may have to wait';
  return modeNames.indexOf(b) > modeNames.indexOf(a) ? 'up, may have to wait' : 'down, granted at once';
}

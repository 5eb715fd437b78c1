/**
 * The quick way into a command: no oclif, and nothing loaded that this line does
 * not need.
 *
 * A line goes this way if its first words are the name of a command, nobody asks
 * for help, and its options are plain (line.ts). Any other line is handed on, as
 * it was typed, to the whole program, which knows everything.
 */
import { splitAtDashes } from '../command-line.js';
import { forgiveClosedPipes } from '../closed-pipes.js';
import { report } from '../report.js';
import { notInSilence } from '../silence.js';
import { Unsure } from './line.js';
import type { Command, Program } from './oclif/command.js';

/** A command, as its file exports it. */
export interface CommandFile {
  readonly default: { new (argv: string[], program: Program): Command; id: string };
}

/** Every command, by its name with colons: `node:status`. Its file is read when it is asked for. */
export type Commands = Readonly<Record<string, () => CommandFile>>;

/** How many words the name of a command may have; the longer name is meant where both would do. */
const lengths = [3, 2, 1];

/** What oclif would heed and we do not. */
const heeded = ['DLM_CONTENT_TYPE', 'DLM_REDIRECTED'];

/** Did the line go the quick way? If not, nothing has been done. `root` is the folder of package.json. */
export async function start(argv: readonly string[], root: string, commands: Commands): Promise<boolean> {
  const { line } = splitAtDashes(argv);
  if (line.includes('--help') || line.includes('-h') || heeded.some((name) => process.env[name] !== undefined)) return false;
  const words = lengths.find((count) => Object.hasOwn(commands, idOf(argv, count)));
  if (words === undefined) return false;

  const id = idOf(argv, words);
  const { default: ChosenCommand } = commands[id]!();
  ChosenCommand.id = id;
  forgiveClosedPipes();
  return notInSilence(() => ran(new ChosenCommand(argv.slice(words), { root }), line.includes('--json')));
}

function idOf(argv: readonly string[], words: number): string {
  return argv.slice(0, words).join(':');
}

async function ran(command: Command, isJson: boolean): Promise<boolean> {
  try {
    await command.runPlainLine();
  } catch (error) {
    if (error instanceof Unsure) return false;
    process.exitCode = report(error, isJson);
  }
  return true;
}

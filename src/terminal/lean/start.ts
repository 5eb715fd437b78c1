/**
 * The quick way into a command: no oclif, and nothing loaded that this line does
 * not need.
 *
 * Every command is bundled with this file (scripts/bundle.mjs), and bin/dlm begins
 * with the bundle that the first words name. If the line is plain (line.ts) and
 * nobody asks for help, the command is carried out here. If not, nothing has been
 * done, and the line goes to the full program, which knows everything.
 */
import { forgiveClosedPipes } from '../closed-pipes.js';
import { splitAtDashes } from '../command-line.js';
import { report } from '../report.js';
import { notInSilence } from '../silence.js';
import { Unsure } from './line.js';
import type { Command, Program } from './oclif/command.js';

/** A command, as its file exports it, but for the library it is made with. */
export interface CommandClass {
  new (argv: string[], program: Program): Command;
  id: string;
}

/** What the library would heed and we do not. */
const heeded = ['DLM_CONTENT_TYPE', 'DLM_REDIRECTED'];

/**
 * Was the line for us? `id` is the command's name, with colons between its words;
 * `root` is the folder of package.json.
 */
export async function start(ChosenCommand: CommandClass, id: string, argv: readonly string[], root: string): Promise<boolean> {
  const { line, after } = splitAtDashes(argv);
  if (line.includes('--help') || line.includes('-h') || heeded.some((name) => process.env[name] !== undefined)) return false;
  if (after !== null) setImmediate(loadAhead);

  ChosenCommand.id = id;
  forgiveClosedPipes();
  const command = new ChosenCommand(argv.slice(id.split(':').length), { root });
  return notInSilence(() => ran(command, line.includes('--json')));
}

/** A command will be started: what starts it is loaded while the node is thinking about the lock. */
function loadAhead(): void {
  process.getBuiltinModule('node:child_process');
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

/**
 * From a line typed in a shell to a command, and to an exit code.
 *
 * What is not about any command is decided here: the first page of help, a word
 * that is no command, a reader who has gone away.
 */
import { Config } from '@oclif/core/config';
import { run } from '@oclif/core/run';
import { settings } from '@oclif/core/settings';
import { DlmError, escapeText } from '../core/index.js';
import { isDlmError, report } from './report.js';
import { inOurWords } from './usage.js';

const helpWords = ['--help', '-h'];

/** `root` is the folder of package.json. */
export async function main(argv: readonly string[], root: string): Promise<void> {
  // Commands are compiled; nobody looks for their sources.
  settings.enableAutoTranspile = false;
  forgiveClosedPipes();
  process.once('beforeExit', complainOfSilence);
  try {
    await answer(argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv], root);
  } catch (error) {
    process.exitCode = report(unknownCommand(error) ?? inOurWords(error, ''), ownWords(argv).includes('--json'));
  } finally {
    process.off('beforeExit', complainOfSilence);
  }
}

/** Nothing is left that could still happen, and the command is not done: better a wrong end than a quiet one. */
function complainOfSilence(): void {
  process.exitCode = report(new Error('the command waits for something that can no longer come'), false);
}

async function answer(line: string[], root: string): Promise<void> {
  const words = ownWords(line);
  if (words.every((word) => helpWords.includes(word))) return showFirstPage();

  const config = await Config.load({ root });
  const isTopic = config.findTopic(words.join(':')) !== undefined && config.findCommand(words.join(':')) === undefined;
  if (!isTopic && !words.some((word) => helpWords.includes(word))) return void (await run(line, config));
  const { HelpPages } = await import('./help.js');
  await new HelpPages(config).showHelp(words);
}

async function showFirstPage(): Promise<void> {
  const { firstPage } = await import('./first-page.js');
  process.stdout.write(firstPage());
}

/** What is said to us, and not to a command behind `--`. */
function ownWords(line: readonly string[]): string[] {
  const dashes = line.indexOf('--');
  return line.slice(0, dashes < 0 ? line.length : dashes);
}

/** Whoever reads our output may stop reading: that is no error. */
function forgiveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

function unknownCommand(error: unknown): DlmError | null {
  if (isDlmError(error) || !(error instanceof Error)) return null;
  const match = /^command (.+) not found\.?$/i.exec(error.message);
  if (match === null) return null;
  const words = match[1]!.replaceAll(':', ' ');
  return new DlmError('DLM_USAGE', `there is no command '${escapeText(words)}'`, 'see: dlm --help');
}
